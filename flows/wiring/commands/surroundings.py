"""Surroundings of a command: Prefect's server, the network, the user's home, the terminal. What is wrong there is said
in one sentence.
"""

import fcntl
import os
import re
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final

from prefect.client.orchestration import get_client
from prefect.context import refresh_global_settings_context
from prefect.settings import PREFECT_API_URL, PREFECT_HOME, PREFECT_SERVER_ALLOW_EPHEMERAL_MODE

from flows.wiring.commands.environment import (
    close_prefect_home,
    mark_children,
    mark_of_this_command,
    raise_file_limit,
)
from flows.wiring.commands.own_server import start_own_server
from flows.wiring.commands.served import use_served
from flows.wiring.commands.server_ahead import dismiss_waiting
from tasks.domain.errors import KefuError, RunError

# What some error in the chain says -> what is wrong, and what to do.
_KNOWN: Final = {
    r"Failed to reach API|All connection attempts failed|ConnectError|ConnectTimeout|Connection refused": (
        "Prefect's server at {api} can't be reached. Start it, or correct PREFECT_API_URL; without that a flow's "
        "command brings a server of its own."
    ),
    r"No Prefect API URL provided": (
        "There is no Prefect server. Set PREFECT_API_URL, or allow the embedded one: "
        "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE=true."
    ),
    r"socksio|SOCKS proxy": (
        "The environment names a SOCKS proxy (ALL_PROXY or the like), which Prefect's client can't use here. Unset it "
        "for this command, or install the package socksio."
    ),
    r"home directory": "This user has no home directory. Set PREFECT_HOME to a folder that it may write to.",
    r"Too many open files": "Too many files are open. Raise the limit (ulimit -n 4096), or lower --concurrency.",
    r"401 Unauthorized|403 Forbidden": (
        "Prefect's server at {api} wants a login: set PREFECT_API_AUTH_STRING=USER:PASSWORD."
    ),
    r"database is locked|no such table": (
        "Prefect's database in {home} is in use or half made. Start again; if that does not help, name another folder: "
        "PREFECT_HOME."
    ),
    r"unable to open database file|Read-only file system|Permission denied": (
        "Prefect can't keep its data in {home}. Let this user write there, or name another folder: PREFECT_HOME."
    ),
    r"No space left on device": "The disk is full. Make room and start again; what was paid for is kept.",
    r"create_default_context|load_verify_locations": (
        "SSL_CERT_FILE (or SSL_CERT_DIR) names certificates that are not there. Correct it, or unset it."
    ),
    r"surrogates not allowed": (
        "A name or a setting holds bytes that are no UTF-8. Rename it; where Python is told to expect only ASCII "
        "(PYTHONUTF8=0), set PYTHONUTF8=1."
    ),
    r"PrefectHTTPStatusError|ReadTimeout|RemoteProtocolError|ReadError": (
        "Prefect's server at {api} failed in the middle{why}. Start again when it is well; what was paid for is kept."
    ),
}

# Less, and Prefect's database takes nothing more.
_LEAST_ROOM: Final = 2**20

# Its input ends with the command that holds it, however that ends; then what the command started ends, too.
_GUARD: Final = (
    "cat >/dev/null; for process in /proc/[0-9]*; do pid=${process#/proc/}; "
    'if [ "$pid" != $$ ] && grep -qz "^$1$" "$process/environ"; then kill "$pid"; fi; done 2>/dev/null'
)


@contextmanager
def surroundings() -> Iterator[None]:
    """Run the block with a Prefect server: that of PREFECT_API_URL or `make serve`, or one that ends with it.

    Raises:
        RunError: the server, or something else around the block, is not as it should be; one sentence says what.
    """
    close_prefect_home()
    raise_file_limit()
    try:
        with ExitStack() as stack:
            if not PREFECT_API_URL.value() and PREFECT_SERVER_ALLOW_EPHEMERAL_MODE.value() and not use_served():
                _lock_own_server()
                stack.enter_context(_guard())
                with _one_at_a_time():
                    start_own_server()
            dismiss_waiting()
            with get_client(sync_client=True) as client:
                client.hello()
            yield
    except KefuError:
        raise
    except Exception as error:
        sentence = explain(error)
        if sentence is None:
            raise
        raise RunError(sentence) from None


def explain(error: BaseException) -> str | None:
    """Return a sentence on what is wrong around a run; None where the error has another cause."""
    chain = "\n".join(f"{type(cause).__name__}: {cause} {_function_of(cause)}" for cause in _chain(error))
    known = next((sentence for pattern, sentence in _KNOWN.items() if re.search(pattern, chain)), None)
    home = PREFECT_HOME.value()
    # A server that can't write says no more than that it failed.
    why = f": {home} has no room left, so make some, or name another folder (PREFECT_HOME)" if _is_full(home) else ""
    return known and known.format(api=PREFECT_API_URL.value() or "this machine", home=home, why=why)


def _is_full(folder: Path) -> bool:
    try:
        disk = os.statvfs(folder)
    except OSError:
        return False
    return disk.f_bavail * disk.f_frsize < _LEAST_ROOM or (disk.f_files > 0 and disk.f_favail == 0)


def _lock_own_server() -> None:
    """Let nobody but this command use the server that it brings: other accounts and web pages reach its port, too.

    Its data is this user's alone: the key of the blocks' encryption is in it.
    """
    login = f"command:{secrets.token_urlsafe(24)}"
    for name in ("PREFECT_SERVER_API_AUTH_STRING", "PREFECT_API_AUTH_STRING"):
        mark_children(name, login)
    refresh_global_settings_context()
    home = PREFECT_HOME.value()
    home.mkdir(parents=True, mode=0o700, exist_ok=True)
    with suppress(PermissionError):  # another user's, who has let us in
        home.chmod(0o700)


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Let no two commands make Prefect's database at once."""
    home = PREFECT_HOME.value()
    home.mkdir(parents=True, exist_ok=True)
    with (home / "starting.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def _guard() -> Iterator[None]:
    """End the embedded server with this process, also when that is killed."""
    try:
        guard = subprocess.Popen(  # noqa: S603
            ["/bin/sh", "-c", _GUARD, "guard", mark_of_this_command()],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError:  # no shell, no guard
        yield
        return
    try:
        yield
    finally:
        guard.kill()  # this process ends the server itself
        guard.wait()
        if guard.stdin:
            guard.stdin.close()


def _chain(error: BaseException) -> list[BaseException]:
    waiting, found = [error], list[BaseException]()
    while waiting:
        raised = waiting.pop()
        if not any(raised is other for other in found):
            found.append(raised)
            waiting += [other for other in (raised.__cause__, raised.__context__) if other is not None]
            waiting += raised.exceptions if isinstance(raised, BaseExceptionGroup) else ()
    return found


def _function_of(error: BaseException) -> str:
    """Return the function that raised an error, in parentheses, as some messages are too short to name the cause."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"({trace.tb_frame.f_code.co_name})" if trace else ""
