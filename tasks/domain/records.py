"""Records: conversations, requests, replies, answers and rejects, as all capabilities pass them on."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from enum import StrEnum
from itertools import chain
from operator import attrgetter
from typing import Any, Literal, NamedTuple, TypeVar

T = TypeVar("T")


def _packed(record: type[T]) -> type[T]:
    """Let records of a class be pickled as their values alone, in half the time: millions go to worker processes."""
    values = attrgetter(*(value.name for value in fields(record)))  # type: ignore[arg-type]  # a dataclass
    record.__reduce__ = lambda self: (record, values(self))  # type: ignore[method-assign]
    return record


@dataclass(frozen=True, slots=True)
class GivenUp:
    """A request whose every attempt failed while others succeeded."""

    detail: str
    attempts: int


Role = Literal["user", "agent"]


class Reason(StrEnum):
    """The reason a conversation (or a line that should have been one) is in `rejects`."""

    UNREADABLE = "unreadable"  # the line or file does not follow its format
    EMPTY = "empty"  # no turn with any text
    ONE_SIDED = "one_sided"  # only the user or only the agent speaks
    DUPLICATE = "duplicate"  # the day holds another conversation of this id
    TOO_LONG = "too_long"  # the endpoint does not read that much, even cut
    REFUSED = "refused"  # the model or its content filter refused
    UNPARSEABLE = "unparseable"  # an answer without anything usable
    INVALID_FIELDS = "invalid_fields"  # fields were found, none of them with a usable value
    INVALID_REQUEST = "invalid_request"  # the endpoint does not take the request
    LOST_TO_THINKING = "lost_to_thinking"  # the tokens allowed ended before the answer began
    ENDPOINT_ERROR = "endpoint_error"  # every attempt failed while others succeeded


class Turn(NamedTuple):
    """One side's message. `text` is as logged, without the speaker's label."""

    role: Role
    text: str
    time: datetime | None = None


@dataclass(frozen=True, slots=True)
class Conversation:
    """One conversation as read, nothing masked yet.

    `line` is the 1-based line of its first message in the (decompressed) object; `started_at` is aware, UTC.
    """

    conversation_id: str
    turns: tuple[Turn, ...]
    source_uri: str
    line: int
    started_at: datetime | None = None
    channel: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)

    def __reduce__(self) -> tuple[Any, ...]:
        turns = tuple(chain.from_iterable(self.turns))
        rest = self.source_uri, self.line, self.started_at, self.channel, self.attributes
        return _conversation, (self.conversation_id, turns, *rest)


def _conversation(conversation_id: str, turns: tuple[Any, ...], *rest: Any) -> Conversation:
    """A conversation from what it was pickled as: a turn of its own takes as long as four in a row."""
    return Conversation(conversation_id, tuple(map(Turn, turns[::3], turns[1::3], turns[2::3])), *rest)


@_packed
@dataclass(frozen=True, slots=True)
class Reject:
    """One conversation, or one line, that did not become a summary, and why. `started_at` is aware, UTC."""

    conversation_id: str
    reason: Reason
    detail: str
    source_uri: str
    line: int
    raw_output: str = ""
    attempts: int = 0
    content_hash: str = ""
    started_at: datetime | None = None
    channel: str = ""


@_packed
@dataclass(frozen=True, slots=True)
class Request:
    """A conversation made ready for a summarizer: masked, compacted, cut to the budget.

    `text` is the dialogue as `用户：…` / `客服：…` lines; `prompt` the whole message sent.
    `content_hash` names the conversation as logged; `request_hash` names what produces the answer
    (model, prompt version, text). `estimated_tokens` counts the prompt and the answer expected.
    `suspicious` marks a conversation that tries to steer its reader; `replacements` counts what was masked by kind,
    None where nothing is masked: then neither is the answer. `offline_answer` is that of the rules, where no model is
    asked.
    """

    conversation: Conversation
    turns: tuple[Turn, ...]
    text: str
    prompt: str
    truncated: bool
    content_hash: str
    request_hash: str
    estimated_tokens: int
    suspicious: bool = False
    replacements: Mapping[str, int] | None = None
    offline_answer: str | None = None


@dataclass(frozen=True, slots=True)
class QuotaHeaders:
    """Rate limits from a reply's headers, per minute; None where it has none."""

    limit_requests: int | None = None
    limit_tokens: int | None = None
    remaining_requests: int | None = None
    remaining_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """One paid reply. `refused` is the service's own flag (content filter, need_clear_history).

    `cached_tokens` of the prompt came from the service's cache; `lost_to_thinking` means that the tokens allowed ended
    before the answer began, and `text` holds the thoughts; `thought` that there were any.
    """

    text: str
    prompt_tokens: int
    completion_tokens: int
    cut_off: bool = False
    refused: bool = False
    limits: QuotaHeaders | None = None
    cached_tokens: int = 0
    lost_to_thinking: bool = False
    thought: bool = False


Outcome = Literal["answered", "refused", "too_long", "invalid_request", "lost_to_thinking", "broken"]


@_packed
@dataclass(frozen=True, slots=True)
class Answer:
    """The stored answer to a request, so that it is never paid for again.

    `answered_at` is UTC; `cut_off` means that the service ended the text at its length limit, `max_tokens`. A `broken`
    reply came time after time without a whole answer. An answer that was `withdrawn` is known but no more believed: the
    run that bought it stopped because its model's answers were useless.
    """

    request_hash: str
    content_hash: str
    outcome: Outcome
    text: str
    model: str
    prompt_version: str
    prompt_tokens: int
    completion_tokens: int
    latency_ms: int
    attempts: int
    answered_at: datetime
    run_id: str
    cut_off: bool = False
    max_tokens: int = 512
    cached_tokens: int = 0
    withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class Fields:
    """The four fields of a parsed answer; None means unknown. The `_text`s are the model's own words."""

    issue: str | None
    plan: str | None
    accepted: bool | None
    negative_sentiment: bool | None
    accepted_text: str | None
    negative_sentiment_text: str | None


@dataclass(frozen=True, slots=True)
class Unusable:
    """An answer that holds no summary, and why."""

    reason: Reason
    detail: str


@dataclass(frozen=True, slots=True)
class Summarized:
    """One row of `summaries` in the making.

    `contradicted` names the fields whose values plain words of the conversation contradict.
    """

    request: Request
    answer: Answer
    fields: Fields
    contradicted: tuple[str, ...] = ()
