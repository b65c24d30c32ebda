"""From a request and its answer to a row or a reject. A model's words are masked as the conversation's were."""

from collections.abc import Sequence
from functools import lru_cache

from tasks.domain.printable import printable
from tasks.domain.records import Answer, Fields, GivenUp, Reason, Reject, Request, Summarized, Unusable
from tasks.parsing.answers import parse_answer
from tasks.parsing.consistency import contradicted_fields
from tasks.preparing import masking
from tasks.preparing.masking import mask

_REASONS = {
    "refused": Reason.REFUSED,
    "too_long": Reason.TOO_LONG,
    "invalid_request": Reason.INVALID_REQUEST,
    "broken": Reason.ENDPOINT_ERROR,
}


_LOST = (
    "The model thought until its tokens were used up, and gave no answer: switch thinking off (--thinking off) or "
    "allow more tokens (--max-output-tokens)."
)

_THOUGHT = "<think>"

_BROKEN = "Each reply was empty, broken off or unreadable; the next run asks again, a few times."


def begins_with_a_thought(text: str) -> bool:
    """Return true where an answer begins with what its model thought."""
    return text.lstrip()[: len(_THOUGHT)].lower() == _THOUGHT


def is_unfinished_thought(text: str) -> bool:
    """Return true where an answer is a thought that was never ended."""
    return begins_with_a_thought(text) and "</think>" not in text.lower()


def row_or_reject(request: Request, answer: Answer | GivenUp) -> Summarized | Reject:
    """Make a request and its answer a row or a reject. `parse_answer` alone decides which answers can be read."""
    return _row_or_reject(request, answer, None if isinstance(answer, GivenUp) else _fields_of(answer))


def rows_or_rejects(requests: Sequence[Request], answers: Sequence[Answer | GivenUp]) -> list[Summarized | Reject]:
    """Make a row or a reject of each, as `row_or_reject` does; masking the words of all together is faster."""
    read = [None if isinstance(answer, GivenUp) else _fields_of(answer) for answer in answers]
    masking.look_ahead(
        text
        for request, fields in zip(requests, read, strict=True)
        if isinstance(fields, Fields) and request.replacements is not None
        for text in _texts(fields)
        if text is not None and not _quotes(text, request.text)
    )
    return [_row_or_reject(*row) for row in zip(requests, answers, read, strict=True)]


def _row_or_reject(request: Request, answer: Answer | GivenUp, fields: Fields | Unusable | None) -> Summarized | Reject:
    if isinstance(answer, GivenUp):
        return _reject(request, Reason.ENDPOINT_ERROR, answer.detail, "", answer.attempts)
    assert fields is not None  # of every answer
    if isinstance(fields, Unusable):
        return _reject(request, fields.reason, fields.detail, answer.text, answer.attempts)
    if request.replacements is not None:
        fields = _masked(fields, request.text)
    return Summarized(request, answer, fields, contradicted_fields(request, fields))


def _masked(fields: Fields, said: str) -> Fields:
    """The fields masked. What quotes the conversation, in one piece or several, is masked already."""
    masked = [text if text is None or _quotes(text, said) else mask(text) for text in _texts(fields)]
    return Fields(masked[0], masked[1], fields.accepted, fields.negative_sentiment, masked[2], masked[3])


def _texts(fields: Fields) -> tuple[str | None, ...]:
    return fields.issue, fields.plan, fields.accepted_text, fields.negative_sentiment_text


def _quotes(text: str, said: str) -> bool:
    return all(part in said for part in text.split("；"))


def becomes_row(answer: Answer | GivenUp) -> bool:
    """Return true where an answer becomes a row, and false where it becomes a reject."""
    return isinstance(answer, Answer) and reason_of(answer) is None


def reason_of(answer: Answer) -> Reason | None:
    """The reason for which an answer becomes a reject; None where it becomes a row."""
    fields = _fields_of(answer)
    return fields.reason if isinstance(fields, Unusable) else None


def _fields_of(answer: Answer) -> Fields | Unusable:
    if answer.outcome == "lost_to_thinking" or is_unfinished_thought(answer.text):
        return Unusable(Reason.LOST_TO_THINKING, _LOST)
    if answer.outcome != "answered":
        detail = _BROKEN if answer.outcome == "broken" else f"the service's word: {answer.text[:400]}"
        return Unusable(_REASONS[answer.outcome], detail)
    return _parsed(answer.text, answer.cut_off)


@lru_cache(maxsize=1024)
def _parsed(text: str, cut_off: bool) -> Fields | Unusable:
    """Parse an answer; the canary has asked for the same one just before, and odd shapes take a millisecond."""
    return parse_answer(text, cut_off=cut_off)


def _reject(request: Request, reason: Reason, detail: str, raw_output: str, attempts: int) -> Reject:
    conversation = request.conversation
    if request.replacements is not None:
        detail, raw_output = mask(detail), mask(raw_output)
    return Reject(
        conversation_id=conversation.conversation_id,
        reason=reason,
        detail=printable(detail, keep="\n\t"),
        source_uri=conversation.source_uri,
        line=conversation.line,
        raw_output=printable(raw_output, keep="\n\t"),
        attempts=attempts,
        content_hash=request.content_hash,
        started_at=conversation.started_at,
        channel=conversation.channel,
    )
