"""Deliver a message to people: in each receiver's form, tried again until it is taken or refused for good."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, Protocol

from tasks.delivering.rules.addresses import Address, parse_addresses
from tasks.delivering.rules.forms import Form, fill_in, parse_form, refusal
from tasks.delivering.rules.message import Message
from tasks.domain.printable import printable

_log = logging.getLogger(__name__)

_FORMS: Final = Path(__file__).parent / "forms"

# A gateway that restarts is back within these.
PAUSES_SECONDS: Final = (1.0, 5.0, 15.0)

_SHOWN_CHARACTERS: Final = 300


class Wire(Protocol):
    """Sends what is ready to be sent. Blocking."""

    def post(self, url: str, body: bytes) -> tuple[int, bytes]:
        """Post JSON; return status and body of the reply.

        Raises:
            OSError: no reply came.
        """

    def mail(self, url: str, subject: str, text: str) -> None:
        """Send a mail through the server that the address names.

        Raises:
            OSError: it was not taken.
        """


@dataclass(frozen=True, slots=True)
class Delivery:
    """Result of a message at one receiver; `why_not` is empty where it was taken."""

    address: Address
    why_not: str = ""


@cache
def load_forms() -> dict[str, Form]:
    """The forms of all services, by name."""
    return {
        path.stem: parse_form(path.stem, path.read_text(encoding="utf-8")) for path in sorted(_FORMS.glob("*.toml"))
    }


def read_addresses(text: str) -> list[Address]:
    """The receivers that a text names (see `rules/addresses.py`).

    Raises:
        UsageError: one of them can't be right.
    """
    return parse_addresses(text, load_forms())


def deliver(
    message: Message,
    addresses: Sequence[Address],
    wire: Wire,
    *,
    pauses: Sequence[float] = PAUSES_SECONDS,
    sleep: Callable[[float], object] = time.sleep,
) -> list[Delivery]:
    """Send a message to every receiver; return the result of each. Raises nothing. Blocking.

    Args:
        message: the message.
        addresses: whom to.
        wire: sends it.
        pauses: seconds between two tries where a receiver fails, one try more than there are pauses.
        sleep: waits.
    """
    return [_deliver_to(address, message, wire, pauses, sleep) for address in addresses]


def _deliver_to(
    address: Address, message: Message, wire: Wire, pauses: Sequence[float], sleep: Callable[[float], object]
) -> Delivery:
    why_not = ""
    for pause in (*pauses, None):
        why_not = _try(address, message, wire)
        if not why_not:
            return Delivery(address)
        if pause is not None:
            sleep(pause)
    _log.warning("Not delivered to %s: %s (%s)", address.place, why_not, message.title)
    return Delivery(address, why_not)


def _try(address: Address, message: Message, wire: Wire) -> str:
    try:
        if address.form == "mail":
            text = "\n\n".join(part for part in (message.text, message.action, message.link) if part)
            wire.mail(address.url, message.title, text)
            return ""
        form = load_forms()[address.form]
        posting = fill_in(form, message, address.url, address.secret, time.time())
        status, reply = wire.post(posting.url, posting.body)
        # In this order: half a secret would not be found, and signs that are written out might part one.
        return printable(address.without_secrets(refusal(form, status, reply))[:_SHOWN_CHARACTERS])
    except OSError as error:
        return str(error) or type(error).__name__
