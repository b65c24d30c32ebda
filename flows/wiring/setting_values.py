"""Types of setting values, each with its check; a wrong value raises ValueError with one clause for people."""

import os
import re
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import orjson
from pydantic import AfterValidator, BeforeValidator, SecretStr
from pydantic_settings import NoDecode

from tasks.domain.records import Reason


def _sample_logs() -> str:
    """The logs that come with the project: of the clone that one stands in, or of the package that is installed."""
    here = Path("deployments", "demo", "logs")
    return str((here if here.is_dir() else Path(__file__).resolve().parents[2] / here) / "{day}")


SAMPLE_LOGS: Final = _sample_logs()

# Of Linux and of nearly every file system; beyond them each look at the path is an error.
_PATH_BYTES: Final = 4096

_NAME_BYTES: Final = 255


def _split_names(names: object) -> object:
    """Split names that a flag or a variable separates by commas; a block has them in a list."""
    return tuple(name.strip() for name in names.split(",") if name.strip()) if isinstance(names, str) else names


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # a name may be too long, or a folder of zones
        raise ValueError("this is no time zone such as Asia/Shanghai") from None
    return name


def _http_address(url: str) -> str:
    try:
        known = not url or (bool(re.match(r"https?://[^\s/?#]", url)) and bool(urlsplit(url).port or True))
    except ValueError:  # its port is none
        known = False
    if not known:
        raise ValueError("this is no address such as https://example.com/v1")  # unquoted: it may hold a password
    return url


def _json_object(value: Any) -> Any:
    if isinstance(value, dict):
        return orjson.dumps(value).decode()
    try:
        found = orjson.loads(value) if value else {}
    except (orjson.JSONDecodeError, TypeError):
        found = None
    if not isinstance(found, dict):
        raise ValueError('this is no JSON object such as {"top_p": 0.8}')
    return value


def _printable_key(secret: SecretStr) -> SecretStr:
    value = secret.get_secret_value().strip()
    if not value.isascii() or not value.isprintable() or " " in value:
        raise ValueError("a key has no line breaks, blanks or other such characters inside; copy it again")
    return SecretStr(value)


def _possible_path(path: str) -> str:
    if path.startswith(("bos://", "block://")):
        return path
    if "\0" in path:
        raise ValueError("a path has no null characters")
    if len(os.fsencode(path)) >= _PATH_BYTES or any(len(os.fsencode(name)) > _NAME_BYTES for name in path.split("/")):
        raise ValueError(f"a path has less than {_PATH_BYTES} bytes, and each name in it at most {_NAME_BYTES}")
    return path


def _existing_file(path: str) -> str:
    if path and not Path(path).is_file():
        raise ValueError(f"there is no file {path}: no certificate could be trusted")
    return path


def _no_socks(url: str) -> str:
    if url.lower().startswith("socks"):
        raise ValueError("calls do not go through a SOCKS proxy: set HTTPS_PROXY, and NO_PROXY for what is near")
    return url


def _reject_reasons(value: str) -> str:
    names = [name.strip() for name in value.split(",") if name.strip()]
    if wrong := [name for name in names if name not in set(Reason)]:
        # Longer ones may be a key that was put in the wrong place.
        named = ", ".join(name if len(name) <= 20 else "of this name" for name in wrong)
        raise ValueError(f"there is no reason {named}; there are: {', '.join(Reason)}")
    return ",".join(names)


Location = Annotated[str, AfterValidator(_possible_path)]
Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split_names)]
ZoneName = Annotated[str, AfterValidator(_known_zone)]
Address = Annotated[str, AfterValidator(_http_address)]
JsonObject = Annotated[str, BeforeValidator(_json_object)]
Key = Annotated[SecretStr, AfterValidator(_printable_key)]
ExistingFile = Annotated[str, AfterValidator(_possible_path), AfterValidator(_existing_file)]
Proxy = Annotated[str, AfterValidator(_no_socks)]
RejectReasons = Annotated[str, AfterValidator(_reject_reasons)]
