"""A PostgreSQL of the project's own: the distribution's programs, a folder, and nothing of the machine's.

It listens on a socket in the folder, which is closed to other accounts, and on no port. While it is down, nobody can
stand in for it: the driver would give a server that asks for it the password in clear. As PostgreSQL refuses to run as
root, root lends it another user and a way into the folder.
"""

import os
import pwd
import re
import secrets
import shutil
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from tasks.domain.errors import UsageError

OLDEST: Final = (14, 9)  # Prefect's own advice
_DEBIAN: Final = Path("/usr/lib/postgresql")
_INSTALL: Final = "Install it (apt-get install postgresql), or take --database sqlite."
_USER: Final = "kefu"
_ACCESS: Final = f"local postgres {_USER} scram-sha-256\n"

_ENDS_WITHIN_SECONDS: Final = 30.0

# It has no password, so that nobody can sign in as the superuser.
_OWNER: Final = "postgres"


@dataclass(frozen=True)
class Cluster:
    """A database cluster in a folder.

    Args:
        folder: where it is; made by `make`.
    """

    folder: Path

    @cached_property
    def binaries(self) -> Path:
        """The folder of the programs: those of the version that made the data, or else the newest.

        Raises:
            UsageError: there are none, or only old ones.
        """
        return find_binaries(self._version_file.read_text().strip() if self._made else "")

    @property
    def url(self) -> str:
        """The address that Prefect's server connects to, started with `client_options`; it holds the password."""
        password = (self.folder / "password").read_text()
        return f"postgresql+asyncpg://{_USER}:{password}@/postgres?host={self._reach}"

    @property
    def command(self) -> list[str]:
        """The server, in the foreground; start it with `options`."""
        settings = {
            "listen_addresses": "",
            "port": 5432,  # a part of the socket's name
            "unix_socket_directories": self._reach,
            "unix_socket_permissions": "0700",
            "hba_file": f"{self._reach}/access",
        }
        said = [argument for name, value in settings.items() for argument in ("-c", f"{name}={value}")]
        return [str(self.binaries / "postgres"), "-D", f"{self._reach}/data", *said]

    @cached_property
    def options(self) -> Mapping[str, Any]:
        """Arguments of `subprocess` that run one of the programs on this cluster."""
        if os.geteuid() != 0:
            return self.client_options
        user = _stand_in()
        return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": (), "cwd": "/", **self.client_options}

    @cached_property
    def client_options(self) -> Mapping[str, Any]:
        """Arguments of `subprocess` that run a client of the cluster.

        The open folder goes along. The way to it may lead through folders that only root can enter, such as /root,
        and a socket's path has 107 bytes at most.
        """
        return {"pass_fds": (os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY),)}

    def make(self) -> None:
        """Make the cluster, unless it is there already, and say who may connect.

        Raises:
            UsageError: PostgreSQL is missing or too old, or refused; the message is its own.
        """
        initdb = self.binaries / "initdb"
        if not self._made:
            self._make(initdb)
        self.folder.chmod(0o700)
        self._write("access", _ACCESS)  # in place of the data's own, which of an earlier version lets nobody in here

    def _make(self, initdb: Path) -> None:
        shutil.rmtree(self.folder / "unfinished", ignore_errors=True)  # left by one that was interrupted
        self.folder.mkdir(parents=True, mode=0o700, exist_ok=True)
        if os.geteuid() == 0:
            user = _stand_in()
            os.chown(self.folder, user.pw_uid, user.pw_gid)
        self._write("password", secrets.token_urlsafe(24))
        unfinished = f"{self._reach}/unfinished"
        asked = f"--username {_OWNER} --auth scram-sha-256 --encoding UTF8 --locale C.UTF-8".split()
        self._run([str(initdb), "-D", unfinished, *asked, "--auth-local", "reject"])
        self._run([str(self.binaries / "postgres"), "--single", "-j", "-D", unfinished, "postgres"], self._roles())
        (self.folder / "unfinished").rename(self.folder / "data")

    def _write(self, name: str, content: str) -> None:
        path = self.folder / name
        path.touch(mode=0o600)
        path.write_text(content)
        if os.geteuid() == 0:
            user = _stand_in()
            os.chown(path, user.pw_uid, user.pw_gid)

    def _roles(self) -> str:
        """Prefect's role: it owns its database and is no superuser, who could run programs as the server's account."""
        password = (self.folder / "password").read_text()
        return (
            f"CREATE ROLE {_USER} LOGIN PASSWORD '{password}';\n\n"
            f"ALTER DATABASE postgres OWNER TO {_USER};\n\nALTER SCHEMA public OWNER TO {_USER};\n\n"
        )

    def _run(self, command: list[str], words: str = "") -> None:
        made = subprocess.run(  # noqa: S603
            command, input=words, capture_output=True, text=True, check=False, **self.options
        )
        if made.returncode or "ERROR:" in made.stderr:
            raise UsageError(f"PostgreSQL's {Path(command[0]).name} refused: {made.stderr.strip()}")

    def wait_until_free(self) -> None:
        """Return when nobody serves the cluster any more: a supervisor that was killed leaves one that is ending."""
        until = time.monotonic() + _ENDS_WITHIN_SECONDS
        while time.monotonic() < until and self._is_served():
            time.sleep(0.2)

    def _is_served(self) -> bool:
        try:
            pid = int((self.folder / "data" / "postmaster.pid").read_text().splitlines()[0])
            return "postgres" in Path(f"/proc/{pid}/comm").read_text()
        except (OSError, ValueError, IndexError):
            return False

    def is_ready(self) -> bool:
        """Return true where the server takes connections."""
        asked = [str(self.binaries / "pg_isready"), "--quiet", "--host", self._reach, "--port", "5432"]
        return subprocess.run(asked, check=False, **self.client_options).returncode == 0  # noqa: S603

    @property
    def _made(self) -> bool:
        return self._version_file.exists()

    @property
    def _version_file(self) -> Path:
        return self.folder / "data" / "PG_VERSION"

    @property
    def _reach(self) -> str:
        return f"/proc/self/fd/{self.client_options['pass_fds'][0]}"


def find_binaries(major: str = "") -> Path:
    """The folder of PostgreSQL's programs, of one major version or of the newest.

    Raises:
        UsageError: there are none, or only ones older than Prefect can use; says what to install.
    """
    on_path = shutil.which("initdb")
    candidates = [path / "bin" for path in _DEBIAN.glob("*")] + ([Path(on_path).resolve().parent] if on_path else [])
    found = {version: path for path in candidates if (version := _version(path))}
    if major:
        found = {version: path for version, path in found.items() if str(version[0]) == major}
    if not found:
        raise UsageError(f"PostgreSQL{' ' + major if major else ''} is not installed here. {_INSTALL}")
    newest = max(found)
    if newest < OLDEST:
        raise UsageError(f"PostgreSQL {newest[0]}.{newest[1]} is too old, Prefect needs 14.9 or newer. {_INSTALL}")
    return found[newest]


def _version(binaries: Path) -> tuple[int, int] | None:
    try:
        asked = [str(binaries / "postgres"), "--version"]
        said = subprocess.run(asked, capture_output=True, text=True, check=True).stdout  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        return None
    numbers = re.search(r"(?<!\d)(\d+)\.(\d+)", said)
    return (int(numbers[1]), int(numbers[2])) if numbers else None


def _stand_in() -> pwd.struct_passwd:
    # The package makes its own user; where it came some other way, there is nobody.
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")
