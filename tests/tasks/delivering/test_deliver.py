"""Messages over the real wire: taken once, tried again while a receiver fails, and its refusal seen."""

import socket
import threading
import time
from contextlib import suppress

import pytest

from tasks.clients import notifications
from tasks.clients.notifications import NotificationWire
from tasks.delivering.deliver import deliver, read_addresses
from tasks.delivering.rules.message import Message
from tests.servers.receiver import Receiver, receiver

MESSAGE = Message("state-1", "run-1", "failure", "摘要失败 · failed", "Why.", "Run it again.", "https://x.example/1")


@pytest.fixture
def hook():
    with receiver() as posted:
        yield posted


def send(text: str, waited: list[float] | None = None) -> list[str]:
    sleeps = [] if waited is None else waited
    return [
        delivery.why_not for delivery in deliver(MESSAGE, read_addresses(text), NotificationWire(), sleep=sleeps.append)
    ]


def test_message_is_json_and_says_so(hook: Receiver):
    assert send(hook.url) == [""]
    assert hook.types == ["application/json"]
    assert hook.posted.get_nowait()["what"] == MESSAGE.title


def test_receiver_that_fails_is_asked_again_and_told_once(hook: Receiver):
    hook.replies = [(500, b"restarting"), (502, b"")]
    waited: list[float] = []
    assert send(hook.url, waited) == [""]
    assert waited == [1.0, 5.0]
    assert hook.posted.qsize() == 1


def test_refusal_of_one_receiver_is_seen_and_holds_up_no_other(hook: Receiver):
    hook.replies = [(200, b'{"errcode":310000,"errmsg":"keywords not in content"}')] * 4
    refused, taken = send(f"dingtalk+{hook.url} {hook.url}")
    assert "keywords not in content" in refused
    assert taken == ""


@pytest.mark.parametrize("before", range(270, 302, 4))
def test_a_refusal_shows_no_part_of_a_secret_and_steers_no_terminal(hook: Receiver, before):
    said = b"\x1b[2J" + b"x" * before + b"CANARY-of-a-hook-36-characters-long"
    hook.replies = [(404, said)] * 4
    (why,) = send(f"{hook.url}/CANARY-of-a-hook-36-characters-long")
    assert "CANARY" not in why
    assert "\x1b" not in why
    assert why.startswith("HTTP 404: \\x1b[2Jxxx")


def test_receiver_that_is_away_is_named_by_its_host_only():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    (why,) = send(f"http://127.0.0.1:{port}/secret-token")
    assert why == "ConnectError on the way to 127.0.0.1"


def test_reply_that_never_ends_is_read_for_its_beginning(hook: Receiver, monkeypatch):
    monkeypatch.setattr(notifications, "_MOST_BYTES", 1000)
    hook.replies = [(200, b"x" * 100_000_000)]
    assert NotificationWire().post(hook.url, b"{}") == (200, b"x" * 1000)


def test_proxy_of_the_environment_is_not_for_loopback(hook: Receiver, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:9")
    assert send(hook.url) == [""]


def test_mail_is_sent_through_the_server_of_the_address():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        said: list[str] = []
        thread = threading.Thread(target=smtp, args=(listener, said))
        thread.start()
        port = listener.getsockname()[1]
        assert send(f"smtp://127.0.0.1:{port}/?from=a@example.com&to=b@example.com,c@example.com") == [""]
        thread.join()
    sent = "\n".join(said)
    assert "rcpt TO:<c@example.com>" in sent
    assert "From: a@example.com" in sent


def test_mail_ends_though_the_server_is_never_silent(monkeypatch):
    monkeypatch.setattr(notifications, "_MAIL_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def drip() -> None:
            connection, _ = listener.accept()
            with connection, suppress(OSError):
                while True:
                    connection.sendall(b"2")
                    time.sleep(0.01)

        thread = threading.Thread(target=drip)
        thread.start()
        with pytest.raises(OSError, match=r"from 127\.0\.0\.1"):
            NotificationWire().mail(f"smtp://127.0.0.1:{listener.getsockname()[1]}/?from=a@e.cn&to=b@e.cn", "s", "t")
        thread.join()


def smtp(listener: socket.socket, said: list[str]) -> None:
    connection, _ = listener.accept()
    with connection, connection.makefile("rwb") as wire:

        def answer(line: bytes) -> None:
            wire.write(line + b"\r\n")
            wire.flush()

        answer(b"220 test")
        in_data = False
        for raw in wire:
            line = raw.decode().rstrip("\r\n")
            said.append(line)
            word = line[:4].upper()
            if in_data:
                in_data = line != "."
                if not in_data:
                    answer(b"250 taken")
            elif word == "DATA":
                in_data = True
                answer(b"354 go on")
            elif word == "QUIT":
                answer(b"221 bye")
                return
            else:
                answer(b"250 ok")
