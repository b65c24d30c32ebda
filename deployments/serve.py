"""Everything on one machine with one command: database, Prefect server, set-up, deployments, a worker.

python -m deployments.serve

What dies is started again, Ctrl-C stops all of it, and a second call only says where the first one is.
"""

import argparse
import errno
import fcntl
import http.server
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from ipaddress import IPv4Address
from pathlib import Path
from typing import IO, Any, Final, NoReturn

from pydantic_settings import DotEnvSettingsSource

from deployments.bootstrap import WORK_POOL
from deployments.login import CLIENT_LOGIN, SERVER_LOGIN, check_exposure, login_file, login_of
from deployments.parts import PartFailed, Service, announce
from deployments.postgresql import Cluster
from deployments.worker import STOP_SECONDS as WORKER_STOP_SECONDS
from flows.wiring.commands.environment import prefect_server_at, raise_file_limit, spare_from_proxy
from flows.wiring.commands.own_server import free_port
from flows.wiring.commands.serving import SERVING
from flows.wiring.commands.standard_streams import complain
from flows.wiring.settings import Settings, validated
from tasks.domain.errors import KefuError, UsageError

ROOT: Final = Path(__file__).resolve().parent.parent
_PYTHON: Final = sys.executable
_WATCH_SECONDS: Final = 0.5
# Runs, their logs and artifacts go after a quarter, events after a week, as by default; the environment may differ.
GROWTH: Final = {
    "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
    "PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD": str(90 * 86400),
}

_WEBHOOK: Final = "KEFU_WEBHOOK_URL"


def serve(
    host: str,
    port: int,
    folder: Path,
    database: str,
    webhook_url: str,
    *,
    reports_port: int = 0,
) -> NoReturn:
    """Start everything in order, print the addresses, and keep it running until interrupted.

    Args:
        host: an address of this machine.
        port: for the UI and the API.
        folder: keeps all data.
        database: postgresql or sqlite.
        webhook_url: where notifications go; empty: they are said here.
        reports_port: for the reports; 0: the one after `port`.

    Raises:
        UsageError: a port is taken, or PostgreSQL is missing.
        PartFailed: something did not start.
        KeyboardInterrupt: it was told to stop, and everything has stopped.
    """
    validated({}, {})  # before the half minute that a first start takes
    url = f"http://{host}:{port}"
    spare_from_proxy(host)
    environment = _environment(folder, url)
    _check_address(host, port)

    with ExitStack() as stack:
        parts: list[Service] = []

        def start(part: Service) -> None:
            began = time.monotonic()
            stack.callback(_stop, part)
            part.start()
            part.wait_until_ready()
            parts.append(part)
            announce(f"{part.name}: up after {time.monotonic() - began:.0f} s")

        connection: dict[str, str] = {}
        options: dict[str, Any] = {"cwd": ROOT}
        if database == "postgresql":
            cluster = Cluster(folder / "postgresql")
            cluster.make()
            cluster.wait_until_free()
            start(_postgresql(cluster, folder))
            connection["PREFECT_SERVER_DATABASE_CONNECTION_URL"] = cluster.url
            options |= cluster.client_options
        server = [_PYTHON, "-m", "deployments.server", "--host", host, "--port", str(port)]
        start(_server(server, f"{host}:{port}", {**environment, **connection}, folder, options))

        environment |= prefect_server_at(f"{url}/api")
        shows_reports = _link_to_reports(environment, f"http://{host}:{reports_port or port + 1}")
        _check_settings(environment)
        _set_up(environment)
        _deploy(environment)
        start(_worker(environment, folder))
        webhook = webhook_url or environment.get(_WEBHOOK) or stack.enter_context(_spoken_notifications())
        start(_watch({**environment, _WEBHOOK: webhook}, folder))
        if shows_reports:
            start(_reports(environment, folder, host, reports_port or port + 1))

        if SERVER_LOGIN not in os.environ:
            announce(f"login for the UI and for commands in another shell: {login_file(folder)}")
        announce(f"ready: {url}/deployments")
        while True:
            time.sleep(_WATCH_SECONDS)
            for part in parts:
                part.revive()


def _environment(folder: Path, url: str) -> dict[str, str]:
    # This machine's own, without whatever leads to another Prefect; a database's password is for the server only.
    foreign = {"PREFECT_API_URL", "PREFECT_PROFILE", "PREFECT_SERVER_DATABASE_CONNECTION_URL", "KEFU_HOME"}
    made = {name: value for name, value in os.environ.items() if name not in foreign}
    made |= {
        "PREFECT_HOME": str(folder / "prefect"),
        # The address in notifications, for whoever is on call elsewhere, or behind a proxy.
        "PREFECT_UI_URL": os.environ.get("PREFECT_UI_URL") or url,
        "PREFECT_UI_API_URL": "/api",  # of wherever the browser found the UI, so that tunnels and proxies work
        # In memory, as by default, a restarted server has forgotten who holds a slot: it ends runs that are going well.
        "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "NO_COLOR": "1",
    }
    for name, value in GROWTH.items():
        made.setdefault(name, value)
    made[SERVER_LOGIN] = made[CLIENT_LOGIN] = login_of(os.environ, folder)
    return made


def _check_address(host: str, port: int) -> None:
    check_exposure(host, port, os.environ.get(SERVER_LOGIN))
    try:
        with socket.create_server((host, port)):
            return
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise UsageError(f"Port {port} is taken; another one: --port {free_port()}.") from None
        raise UsageError(f"This machine can't listen on {host}:{port}: {error.strerror}.") from None


def _postgresql(cluster: Cluster, folder: Path) -> Service:
    return Service(
        name="PostgreSQL",
        command=cluster.command,
        environment={"PATH": os.defpath, "LC_ALL": "C.UTF-8"},
        log=folder / "logs" / "postgresql.log",
        is_ready=lambda written: cluster.is_ready(),
        options=cluster.options,
        stop_signal=signal.SIGINT,  # its "fast" shutdown: ends what clients still do
    )


def _server(
    command: Sequence[str], address: str, environment: Mapping[str, str], folder: Path, options: Mapping[str, Any]
) -> Service:
    def is_healthy(written: str) -> bool:
        try:
            with urllib.request.urlopen(f"http://{address}/api/health", timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    return Service(
        name="Prefect server",
        command=command,
        environment=environment,
        log=folder / "logs" / "server.log",
        is_ready=is_healthy,
        options=options,
    )


def _worker(environment: Mapping[str, str], folder: Path) -> Service:
    name = f"{WORK_POOL}-{socket.gethostname()}"
    return Service(
        name="worker",
        command=[_PYTHON, "-m", "deployments.worker", "--name", name],
        environment={**environment, "KEFU_HOME": str(ROOT)},
        log=folder / "logs" / "worker.log",
        is_ready=lambda written: "started!" in written,
        options={"cwd": ROOT},
        stop_seconds=WORKER_STOP_SECONDS,
    )


def _watch(environment: Mapping[str, str], folder: Path) -> Service:
    return Service(
        name="watch",
        command=[_PYTHON, "-m", "deployments.watch", "--disk", str(folder)],
        environment=environment,
        log=folder / "logs" / "watch.log",
        is_ready=lambda written: "watching" in written,
        options={"cwd": ROOT},
    )


def _link_to_reports(environment: dict[str, str], url: str) -> bool:
    """Let the worker's runs link to `url`; return false if the warehouse is no folder whose reports could be there."""
    in_file = DotEnvSettingsSource(Settings, env_file=ROOT / ".env")()
    warehouse = environment.get("KEFU_WAREHOUSE") or str(in_file.get("warehouse", ""))
    if "://" in warehouse and not warehouse.startswith("file://"):
        return False
    if not in_file.get("reports_url"):
        environment.setdefault("KEFU_REPORTS_URL", url)
    return True


def _reports(environment: Mapping[str, str], folder: Path, host: str, port: int) -> Service:
    announce(f"reports: http://{host}:{port}")
    return Service(
        name="reports",
        command=[_PYTHON, "-m", "deployments.reports", "--host", host, "--port", str(port)],
        environment=environment,
        log=folder / "logs" / "reports.log",
        is_ready=lambda written: "showing" in written,
        options={"cwd": ROOT},
    )


def _check_settings(environment: Mapping[str, str]) -> None:
    """Report wrong settings of the worker now, and not in a run at night."""
    checked = subprocess.run(  # noqa: S603
        [_PYTHON, "-m", "deployments.worker", "--check"],
        cwd=ROOT,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if checked.returncode:
        raise UsageError(checked.stderr.strip().removeprefix("kefu-digest: "))


def _set_up(environment: Mapping[str, str]) -> None:
    for line in _once([_PYTHON, "-m", "deployments.bootstrap"], environment).splitlines():
        announce(line)


def _deploy(environment: Mapping[str, str]) -> None:
    for line in _once([_PYTHON, "-m", "deployments.deploy"], environment).splitlines():
        announce(line)


def _once(command: Sequence[str], environment: Mapping[str, str]) -> str:
    wide = {**environment, "COLUMNS": "200"}  # Prefect breaks lines at the terminal's width
    done = subprocess.run(  # noqa: S603
        command, cwd=ROOT, env=wide, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode:
        last = "\n".join((done.stdout + done.stderr).strip().splitlines()[-15:])
        raise PartFailed(f"{' '.join(command[2:5])} failed. It wrote last:\n{last}")
    return done.stdout


@contextmanager
def _spoken_notifications() -> Iterator[str]:
    """Return an address for the webhook that prints each notification at the terminal."""
    path = f"/{secrets.token_urlsafe(16)}"  # any account of this machine can reach the port

    class Receiver(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            known = self.path == path
            if known:
                notification = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                words = ". ".join(
                    str(notification[key]) for key in ("what", "why", "do", "link") if notification.get(key)
                )
                announce(f"notification: {words}")
            self.send_response(204 if known else 404)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: the line is said already."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}{path}"
        finally:
            server.shutdown()
            thread.join()


def _stop(part: Service) -> None:
    announce(f"{part.name}: stopping")
    part.stop()


def _sole(folder: Path) -> IO[str] | None:
    """The folder's lock, held as long as the file is open; None: another one serves it."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)  # the database, the login and the logs are this user's
    lock = (folder / SERVING).open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        return None
    return lock


def _address(text: str) -> str:
    try:
        return str(IPv4Address(text))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not an address such as 10.0.0.5") from None


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m deployments.serve", description=(__doc__ or "").partition("\n")[0], allow_abbrev=False
    )
    parser.add_argument(
        "--host", type=_address, default="127.0.0.1", help="an address of this machine (default: this machine only)"
    )
    parser.add_argument("--port", type=int, default=4200, help="for the UI and the API (default: 4200)")
    parser.add_argument("--reports-port", type=int, default=0, help="for the reports (default: one more than --port)")
    parser.add_argument(
        "--folder", type=Path, default=ROOT / ".prefect" / "serve", help="keeps all data (default: .prefect/serve)"
    )
    parser.add_argument(
        "--database",
        choices=["postgresql", "sqlite"],
        default="postgresql",
        help="sqlite needs no package, for a trial",
    )
    parser.add_argument(
        "--webhook-url",
        default="",
        help="notifications go there, to addresses separated by blanks; left out: KEFU_WEBHOOK_URL, or said here",
    )
    return parser.parse_args(arguments)


def main(arguments: Sequence[str]) -> int:
    """The command line; returns when it was stopped."""
    given = _parse(arguments)
    folder: Path = given.folder.resolve()
    try:
        raise_file_limit()
        with ExitStack() as stack:
            lock = _sole(folder)
            if lock is None:
                announce(f"serving already: {(folder / SERVING).read_text()}")
                return 0
            stack.enter_context(lock)
            lock.truncate(0)
            lock.write(f"http://{given.host}:{given.port} (process {os.getpid()})")
            lock.flush()
            for number in (
                signal.SIGINT,
                signal.SIGTERM,
                signal.SIGHUP,
            ):  # SIGINT too: background jobs inherit it ignored
                signal.signal(number, signal.default_int_handler)
            serve(
                given.host,
                given.port,
                folder,
                given.database,
                given.webhook_url,
                reports_port=given.reports_port,
            )
    except KeyboardInterrupt:
        announce("stopped; start it again to go on")
        return 0
    except KefuError as error:
        return complain(error)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
