"""A Prefect server that a command brings: its API alone, on a port of this machine, in a process that ends with it.

Prefect brings one by itself, too, but imports its whole server into the command for that, which costs as much CPU as a
small day.
"""

import atexit
import http.client
import socket
import subprocess
import time
from typing import Final

from prefect.context import refresh_global_settings_context
from prefect.settings import PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS, get_current_settings

from flows.wiring.commands.environment import mark_children, name_prefect_server
from flows.wiring.commands.new_database import make_new_database
from flows.wiring.commands.server_ahead import serve
from tasks.domain.errors import RunError

_HOST: Final = "127.0.0.1"

_SECONDS_BETWEEN_LOOKS: Final = 0.05

_SECONDS_TO_STOP: Final = 5.0

NOT_IN_TIME: Final = (
    "Prefect's embedded server did not start in time. Start again when this machine is less busy, or allow more "
    "time: PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS."
)


def start_own_server() -> None:
    """Start a server, and let this process and its children use it from its first answer on.

    It ends at the exit of this process, after Prefect's own threads have handed over their last logs and events.

    Raises:
        RunError: it did not answer in time.
    """
    make_new_database()
    port = free_port()
    server = serve(_HOST, port, get_current_settings().to_environment_variables(exclude_unset=True))
    atexit.register(_stop, server)
    until = time.monotonic() + PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS.value()
    while not _is_healthy(port):
        if server.poll() is not None or time.monotonic() > until:
            raise RunError(NOT_IN_TIME)
        time.sleep(_SECONDS_BETWEEN_LOOKS)
    name_prefect_server(f"http://{_HOST}:{port}/api")
    mark_children("PREFECT_UI_URL", "")  # there are no pages to lead to
    refresh_global_settings_context()


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        return int(probe.getsockname()[1])


def _is_healthy(port: int) -> bool:
    connection = http.client.HTTPConnection(_HOST, port, timeout=5)
    try:
        connection.request("GET", "/api/health")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _stop(server: subprocess.Popen[bytes]) -> None:
    server.terminate()
    try:
        server.wait(_SECONDS_TO_STOP)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
