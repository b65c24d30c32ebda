"""A creation that was asked for: it is written down before the call."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Asked:
    """A request to create something, with its time; without an id nobody knows whether it was created."""

    what: str
    at: datetime


def decode_asked(values: Mapping[str, Any] | None) -> Asked | None:
    """The value of a record."""
    return Asked(values["what"], datetime.fromisoformat(values["at"])) if values else None
