"""A mapping tried on a file's beginning: the conversations that come of it."""

import io
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC
from itertools import pairwise
from typing import Final, NamedTuple

from tasks.domain.records import Conversation
from tasks.reading.rules.detection import detect_format
from tasks.reading.rules.formats import mapping_of_text
from tasks.reading.rules.json.records import Read
from tasks.reading.rules.messages import Message
from tasks.reading.rules.objects.log_bytes import ObjectHead, read_head
from tasks.reading.rules.timestamps import TimestampParser

NAME: Final = "mine"

_CHARACTERS: Final = 1 << 16

_MOST: Final = 0.8  # of conversations that have both sides, where a mapping is right

_ENOUGH: Final = 0.5  # where it may be

_FEWEST_CHANGES: Final = 0.2  # of the speaker, from one message to the next


class Outcome(NamedTuple):
    """The conversations of both sides that a mapping gave, of how many; how often another speaks next in them; the
    share of what could not be read; and how many customers the mapping names.
    """

    whole: int
    conversations: int
    changes: float
    unread: float
    customers: int

    def has(self, share: float) -> bool:
        """True where this share is read as conversations in which two speak by turns."""
        return (
            self.whole > 0
            and self.whole >= share * self.conversations
            and self.unread <= 1 - _MOST
            and self.changes >= _FEWEST_CHANGES
            and self.conversations >= min(self.customers, 2)  # no two customers speak in one
        )


class Trial:
    """Tries mappings on a file's beginning."""

    def __init__(self, head: ObjectHead) -> None:
        text = head.text[:_CHARACTERS]
        cut = len(text) < len(head.text) or not head.whole
        if cut:
            text = text.rpartition("\n")[0] or head.text
        self._content = text.encode("utf-8", "replace")
        self.head = read_head(io.BytesIO(self._content))

    def of(self, mapping: str) -> Outcome:
        """The outcome of a mapping's text."""
        formats = {NAME: mapping_of_text(NAME, mapping)}
        detected = detect_format("", self.head, NAME, formats, TimestampParser(UTC))
        if detected.reader is None:
            return Outcome(0, 0, 0.0, 1.0, 0)
        spoken: dict[str, list[str]] = defaultdict(list)
        read = unread = 0
        for found in detected.reader(io.BytesIO(self._content), self.head):
            says = _said_in(found)
            if found.conversation_id:
                spoken[found.conversation_id] += says
            read += 1
            unread += not says
        both = [sides for sides in spoken.values() if {"user", "agent"} <= {*sides}]
        changes = sum(one != other for sides in both for one, other in pairwise(sides))
        possible = sum(len(sides) - 1 for sides in both)
        customers = list(formats[NAME].roles.values()).count("user")
        return Outcome(len(both), len(spoken), changes / max(possible, 1), unread / max(read, 1), customers)


def _said_in(found: Read) -> list[str]:
    """The sides that speak in what was read, one after the other; nothing for what could not be read."""
    if isinstance(found, Conversation):
        return [turn.role for turn in found.turns]
    if isinstance(found, Message) and found.speaker and (found.text or found.speaker == "system"):
        return [found.speaker]
    return []


def first_right(mappings: Iterable[str], trial: Trial) -> str:
    """The first mapping that reads the file right; else the first that may; "" where none does."""
    second = ""
    for mapping in mappings:
        outcome = trial.of(mapping)
        if outcome.has(_MOST):
            return mapping
        if outcome.has(_ENOUGH) and not second:
            second = mapping
    return second
