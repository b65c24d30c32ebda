"""The environment of this process, and of those that it starts."""

import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path


def child_environment(**others: str) -> dict[str, str]:
    """This process' environment for one that it starts, with others instead of or beside what is there."""
    return {**os.environ, **others}


def mark_children(name: str, value: str) -> None:
    """Set a variable for every process that this one starts from now on."""
    os.environ[name] = value


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
