"""TOML as people write it, refused in one line where it is none."""

import tomllib
from typing import Any

from tasks.domain.errors import UsageError


def parse_toml(text: str, place: str) -> dict[str, Any]:
    """The document of a TOML text.

    Args:
        text: the file's content.
        place: the file's name, for messages.

    Raises:
        UsageError: it is no TOML, is nested too deeply, or has a number too long for any use.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{place} is no TOML file: {error}.") from None
    except (RecursionError, ValueError):  # the latter for a number of 5,000 digits
        raise UsageError(f"{place} is no TOML to be read: it nests too deeply or has too long a number.") from None
