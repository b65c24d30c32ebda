"""The login of a machine's Prefect server: set by its operator, or generated at the first start and kept private."""

import os
import re
import secrets
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from flows.wiring.commands.served import LOGIN
from tasks.domain.errors import UsageError

SERVER_LOGIN: Final = "PREFECT_SERVER_API_AUTH_STRING"

CLIENT_LOGIN: Final = "PREFECT_API_AUTH_STRING"

_LOGIN: Final = re.compile(r"[^:\s]+:[^\s]{8,}")


def login_of(environment: Mapping[str, str], folder: Path) -> str:
    """The login, USER:PASSWORD.

    Raises:
        UsageError: the environment has one that protects nothing.
    """
    if SERVER_LOGIN in environment:
        return _checked(environment[SERVER_LOGIN])
    path = login_file(folder)
    if not path.exists():
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(f"admin:{secrets.token_urlsafe(24)}\n")
    path.chmod(0o600)
    return _checked(path.read_text(encoding="utf-8").strip())


def check_exposure(host: str, port: int, login: str | None) -> None:
    """Check that an address which other machines reach asks for a login, and that a login protects something.

    Raises:
        UsageError: it does not; nothing should listen there.
    """
    if login is not None:
        _checked(login)
    elif not is_loopback(host):
        raise UsageError(
            f"Whoever reaches {host}:{port} could read the keys in the blocks: "
            f"set {SERVER_LOGIN}=USER:PASSWORD, which the UI and workers elsewhere then need."
        )


def login_file(folder: Path) -> Path:
    """Return the file of a generated login; only its owner may read it."""
    return folder / LOGIN


def is_loopback(host: str) -> bool:
    """Return true if an address is reached from its own machine alone."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _checked(login: str) -> str:
    if not _LOGIN.fullmatch(login):
        raise UsageError(
            f"{SERVER_LOGIN} is no login: USER:PASSWORD is expected, the password of 8 characters at least and without "
            "blanks. Unset it to have one made."
        )
    return login
