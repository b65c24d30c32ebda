"""A creation that was asked for: it is written down before the call."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for and when; whether it was created is not known until an id is."""

    what: str
    at: datetime


def decode_asked(values: Mapping[str, Any] | None) -> Asked | None:
    """The value of a record."""
    return Asked(values["what"], datetime.fromisoformat(values["at"])) if values else None
