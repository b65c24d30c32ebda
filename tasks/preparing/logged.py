"""Many logged conversations made ready at once: requests, and the rejects that stand for the rest."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from tasks.domain.records import Conversation, Reason, Reject, Request
from tasks.preparing.requests import has_seen_texts, look_ahead

# Looking ahead takes tables, whose making costs what it saves for about so many texts: a small day does without.
_TEXTS_BEFORE: Final = 1000


@dataclass(frozen=True, slots=True)
class Sighting:
    """The place where an id was seen first, and whether the same was said there."""

    says_the_same: bool
    source_uri: str
    line: int


# A conversation beside an earlier one of its id, if there is one; or what could not be read.
Logged = tuple[Conversation, Sighting | None] | Reject


@dataclass(frozen=True, slots=True)
class Steps:
    """The steps from what is logged to what may be sent or stored."""

    prepare: Callable[[Conversation], Request]
    storable: Callable[[Reject], Reject]


def prepare_logged(steps: Steps, logged: Sequence[Logged]) -> list[Request | Reject]:
    """Return a request or a reject for each; a second conversation of an id is a reject."""
    if has_seen_texts(_TEXTS_BEFORE):
        look_ahead([entry[0] for entry in logged if not isinstance(entry, Reject)])
    return [steps.storable(entry) if isinstance(entry, Reject) else _prepared(steps, *entry) for entry in logged]


def _prepared(steps: Steps, logged: Conversation, first: Sighting | None) -> Request | Reject:
    request = steps.prepare(logged)
    if first is None:
        return request
    conversation = request.conversation
    same = "the same conversation is" if first.says_the_same else "a conversation of this id that differs is"
    return Reject(
        conversation_id=conversation.conversation_id,
        reason=Reason.DUPLICATE,
        detail=f"{same} in {first.source_uri}, line {first.line}; that one counts",
        source_uri=conversation.source_uri,
        line=conversation.line,
        content_hash=request.content_hash,
        started_at=conversation.started_at,
        channel=conversation.channel,
    )
