"""BOS through a company's proxy and its own certificates, by the variables that everybody sets."""

import gc
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tasks.clients.bos.store import BosStore
from tasks.domain.errors import StoreUnavailable, UsageError
from tests.builders.bos_stores import open_store
from tests.servers.bos import BosServer
from tests.servers.certificates import write_certificate

HOST = "bj.bos.invalid"


class Proxy:
    """A proxy for CONNECT, behind which stands BOS; it ends TLS itself, as BOS would."""

    def __init__(self, port: int, certificate: Path, refuses: bool) -> None:
        self.asked: list[str] = []
        self._port, self._refuses = port, refuses
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=self._serve, args=(self._listener.accept()[0],), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                head += connection.recv(1)
            self.asked.append(head.split(b" ")[1].decode())
            if self._refuses:
                connection.sendall(b"HTTP/1.1 403 Forbidden\r\n\r\n")
                return
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            with (
                self._context.wrap_socket(connection, server_side=True) as inside,
                socket.create_connection(("127.0.0.1", self._port)) as bos,
            ):
                there = threading.Thread(target=relay, args=(inside, bos), daemon=True)
                there.start()
                relay(bos, inside)
                there.join()


def relay(giver: socket.socket, taker: socket.socket) -> None:
    with suppress(OSError):
        while data := giver.recv(65_536):
            taker.sendall(data)
        taker.shutdown(socket.SHUT_WR)


@contextmanager
def proxied(bos: BosServer, folder: Path, monkeypatch: pytest.MonkeyPatch, refuses: bool = False) -> Iterator[Proxy]:
    """A proxy that the environment names, and an endpoint that only it reaches."""
    certificate = write_certificate(folder, HOST, f"*.{HOST}")
    proxy = Proxy(int(bos.endpoint.rpartition(":")[2]), certificate, refuses)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, proxy.url)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    try:
        yield proxy
    finally:
        proxy.close()


def store_of(bos: BosServer) -> BosStore:
    return open_store(bos, endpoint=f"https://{HOST}", attempts=2)


def test_a_store_is_read_and_written_through_the_proxy(bos, tmp_path, monkeypatch):
    with proxied(bos, tmp_path, monkeypatch) as proxy:
        store = store_of(bos)
        store.write_path("k", b"words")
        assert store.read_path("k") == b"words"
    assert set(proxy.asked) == {f"{HOST}:443"}


# Python before 3.11.4 leaves the reply of a refused tunnel to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_proxy_that_refuses_is_named(bos, tmp_path, monkeypatch):
    with (
        proxied(bos, tmp_path, monkeypatch, refuses=True),
        pytest.raises(StoreUnavailable, match=r"403.*check HTTPS_PROXY and NO_PROXY"),
    ):
        store_of(bos).read_path("k")
    gc.collect()


def test_what_no_proxy_names_is_reached_without_it(bos, tmp_path, monkeypatch):
    with proxied(bos, tmp_path, monkeypatch) as proxy:
        monkeypatch.setenv("no_proxy", ".bos.invalid")
        with pytest.raises(StoreUnavailable):
            store_of(bos).read_path("k")
    assert proxy.asked == []


@pytest.mark.parametrize("address", ["socks5://127.0.0.1:9", "http://user:word@127.0.0.1:9", "https://127.0.0.1:9"])
def test_a_proxy_that_can_not_be_used_is_refused_without_its_login(bos, address, monkeypatch):
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("https_proxy", address)
    with pytest.raises(UsageError, match="give it as http://HOST:PORT") as refused:
        store_of(bos)
    assert "word" not in str(refused.value)
