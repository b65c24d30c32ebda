"""The environment of this process, and of those that it starts."""

import importlib
import os
import resource
import stat
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit
from uuid import uuid4

from tasks.domain.errors import RunError

_PROJECT: Final = Path(__file__).resolve().parents[3]

_MARK: Final = "_COMMAND_OF_KEFU"

_CERTIFICATES: Final = ("SSL_CERT_FILE", "SSL_CERT_DIR")

_THIS_MACHINE: Final = frozenset({"127.0.0.1", "localhost", "::1"})

# A certificate of nobody, whose key was thrown away.
NOBODY: Final = Path(__file__).with_name("nobody.pem")

# A day with 128 calls at once, its server and its tables; what most machines allow at once is 1,024.
_FEWEST_FILES, _MOST_FILES = 256, 4096


def child_environment(**others: str) -> dict[str, str]:
    """This process' environment for one that it starts, with others instead of or beside what is there."""
    return {**os.environ, **others}


def mark_children(name: str, value: str) -> None:
    """Set a variable for every process that this one starts from now on."""
    os.environ[name] = value


def name_prefect_server(address: str) -> None:
    """Let this process and its children use the Prefect server at an address."""
    os.environ.update(prefect_server_at(address))


def prefect_server_at(address: str) -> dict[str, str]:
    """Return the variables that lead to the Prefect server at an address.

    On this machine it speaks no TLS. Each of a run's seven clients would still read the certificates of all
    authorities, which takes 50 ms of CPU; so they are told to trust nobody.
    """
    parts = urlsplit(address)
    is_here = parts.scheme == "http" and parts.hostname in _THIS_MACHINE
    return {"PREFECT_API_URL": address} | ({"PREFECT_API_SSL_CERT_FILE": str(NOBODY)} if is_here else {})


def spare_from_proxy(*hosts: str) -> None:
    """Let no proxy of the environment stand between this process and its own machine, nor these hosts.

    Both names get what either holds: most programs read the lower case first, which would hide a NO_PROXY.
    """
    names = ("NO_PROXY", "no_proxy")
    spared = [host.strip() for name in names for host in os.environ.get(name, "").split(",") if host.strip()]
    for name in names:
        os.environ[name] = ",".join(dict.fromkeys((*spared, "127.0.0.1", "localhost", "::1", *hosts)))


def give_home() -> None:
    """Name a home where there is none, as for a container's random user: Prefect can't even be imported without one.

    It is PREFECT_HOME, or else a folder of this user's alone among the temporary ones.
    """
    try:
        Path.home()
    except RuntimeError:
        os.environ["HOME"] = os.environ.get("PREFECT_HOME") or str(_own_folder())


def raise_file_limit() -> None:
    """Let this process, and those that it starts, open as many files as calls, a server and tables take.

    Raises:
        RunError: the machine allows too few. A server without a file left logs that without end, and answers nobody.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    endless = resource.RLIM_INFINITY
    if soft != endless and soft < _MOST_FILES:
        soft = _MOST_FILES if hard == endless else min(_MOST_FILES, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    if soft != endless and soft < _FEWEST_FILES:
        raise RunError(f"No more than {soft} files may be open at once. Raise the limit (ulimit -n {_MOST_FILES}).")


def without_missing_certificates() -> None:
    """Import Prefect where the environment names certificates that are not there: it would write a traceback at once.

    What is wrong is said later, in one sentence, by whoever looks at the settings.
    """
    if missing := missing_certificates():
        for name in missing:
            del os.environ[name]
        importlib.import_module("prefect.blocks")
        os.environ.update(missing)


def missing_certificates() -> dict[str, str]:
    """Return the variables that name certificates, with their paths, where nothing is there."""
    named = {name: os.environ[name] for name in _CERTIFICATES if os.environ.get(name)}
    return {name: path for name, path in named.items() if not Path(path).exists()}


@cache
def mark_of_this_command() -> str:
    """Mark whatever this process starts from now on, so that it can be found and ended; return `NAME=VALUE`."""
    value = uuid4().hex
    mark_children(_MARK, value)
    return f"{_MARK}={value}"


def serve_folder() -> Path:
    """Return where `make serve` keeps its data unless it is told another place."""
    return Path(os.environ.get("PREFECT_HOME") or _PROJECT / ".prefect") / "serve"


def _own_folder() -> Path:
    folder = Path(tempfile.gettempdir()) / f"kefu-home-{os.geteuid()}"
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    there = folder.lstat()
    is_own = there.st_uid == os.geteuid() and stat.S_ISDIR(there.st_mode) and not there.st_mode & 0o077
    return folder if is_own else Path(tempfile.mkdtemp(prefix="kefu-home-"))


def ui_login() -> str:
    """The login of the UI as its server reads it, `USER:PASSWORD`; empty: there is none."""
    return os.environ.get("PREFECT_SERVER_API_AUTH_STRING", "")


def make_temporary_folder() -> None:
    """Make the folder that TMPDIR names: where it is missing, Python takes another one without a word."""
    if os.environ.get("TMPDIR"):
        Path(os.environ["TMPDIR"]).mkdir(parents=True, exist_ok=True)


def close_prefect_home() -> None:
    """Make the folder of Prefect's database, keys and results this user's alone, as Prefect does where it makes it."""
    home = Path(os.environ.get("PREFECT_HOME") or Path.home() / ".prefect")
    with suppress(OSError):  # of somebody else, or on a file system without modes
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        there = home.stat()
        if there.st_uid == os.geteuid() and there.st_mode & 0o077:
            home.chmod(stat.S_IMODE(there.st_mode) & ~0o077)
