"""The server of `make serve`: a command uses it where that runs on this machine, instead of bringing one of its own."""

import base64
import http.client
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from prefect.context import refresh_global_settings_context
from prefect.settings import PREFECT_API_AUTH_STRING

from flows.wiring.commands.environment import mark_children, name_prefect_server, serve_folder
from flows.wiring.commands.serving import address_served

LOGIN: Final = "login"

_SECONDS: Final = 5.0


def use_served() -> bool:
    """Let this process and its children use the server that `make serve` runs here; return false where none answers."""
    address = address_served()
    if not address:
        return False
    named = PREFECT_API_AUTH_STRING.value()
    login = named.get_secret_value() if named else _read(serve_folder() / LOGIN)
    if not _lets_in(address, login):
        return False
    name_prefect_server(f"{address}/api")
    mark_children("PREFECT_UI_URL", address)
    mark_children("PREFECT_API_AUTH_STRING", login)
    refresh_global_settings_context()
    return True


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def _lets_in(address: str, login: str) -> bool:
    """Ask for something that only a login opens."""
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=_SECONDS)
    given = base64.b64encode(login.encode()).decode()
    try:
        connection.request("GET", "/api/admin/version", headers={"Authorization": f"Basic {given}"})
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):  # it starts, or is just down
        return False
    finally:
        connection.close()
