"""The server that a command brings begins to import itself while the command does: either takes seconds of one core."""

import atexit
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from flows.wiring.commands.environment import child_environment, mark_of_this_command, missing_certificates
from flows.wiring.commands.serving import address_served
from flows.wiring.commands.standard_streams import open_standard_streams

_SCRIPT: Final = Path(__file__).with_name("waiting_server.py")

_FLOWS: Final = Path(__file__).parents[2]

# They ask Prefect for nothing.
_WITHOUT_SERVER: Final = frozenset({"try_logs", "check_setup"})

# Neither pages nor the services that only a server with workers needs, nor the blocks that Prefect comes with.
_API_ALONE: Final = {
    "PREFECT_UI_ENABLED": "0",
    "PREFECT_SERVER_REGISTER_BLOCKS_ON_START": "0",
    "PREFECT__SERVER_EPHEMERAL": "1",
    "PREFECT__SERVER_FINAL": "1",
}

_waiting: list[subprocess.Popen[bytes]] = []


def command_in(words: Sequence[str]) -> str:
    """Return the command that a process of these words runs, such as `summarize_day`; empty: none of ours."""
    for place, word in enumerate(words[1:], 1):
        is_module = words[place - 1] == "-m" and word.partition(".")[0] == "flows"
        if is_module or Path(word).name == "kefu-digest":
            own = word.partition(".")[2] if is_module else ""
            return (own or "".join(words[place + 1 : place + 2])).removeprefix("flows.").replace("-", "_")
        if word == "-c":
            break
    return ""


def import_server_ahead() -> None:
    """Start a server that waits, if this process is a command that will bring one."""
    name = command_in(sys.orig_argv)
    is_known = name and name not in _WITHOUT_SERVER and (_FLOWS / f"{name}.py").is_file()
    if not is_known or {"-h", "--help"} & set(sys.argv) or child_environment().get("PREFECT_API_URL"):
        return
    if not missing_certificates() and not address_served():
        open_standard_streams()
        _waiting.append(_start())


def serve(host: str, port: int, settings: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Let the server that waits serve, or one that is started now, in this process' environment of now.

    Args:
        host: where it listens.
        port: the same.
        settings: Prefect's, instead of or beside what the environment says.
    """
    server = _waiting.pop() if _waiting else _start()
    order = {"host": host, "port": port, "environment": child_environment(**_API_ALONE, **settings)}
    assert server.stdin is not None
    try:
        server.stdin.write(json.dumps(order).encode() + b"\n")
        server.stdin.close()
    except BrokenPipeError:  # it has ended: whoever waits for it sees that
        pass
    return server


def dismiss_waiting() -> None:
    """End a server that waits in vain."""
    while _waiting:
        server = _waiting.pop()
        server.kill()
        server.wait()
        if server.stdin is not None:
            server.stdin.close()


def _start() -> subprocess.Popen[bytes]:
    mark_of_this_command()
    # In a session of its own: Ctrl-C and `timeout` reach the command alone, and the server still takes its last state.
    return subprocess.Popen(  # noqa: S603
        [sys.executable, "-P", str(_SCRIPT)],
        stdin=subprocess.PIPE,
        env=child_environment(**_API_ALONE),
        start_new_session=True,
    )


atexit.register(dismiss_waiting)
