"""answer -> row or reject."""

from tasks.domain.records import Answer, GivenUp, Reason, Reject, Request, Summarized, Unusable
from tasks.parsing.answers import parse_answer

_REASONS = {
    "refused": Reason.REFUSED,
    "too_long": Reason.TOO_LONG,
    "invalid_request": Reason.INVALID_REQUEST,
    "lost_to_thinking": Reason.LOST_TO_THINKING,
    "broken": Reason.ENDPOINT_ERROR,
}


def row_or_reject(request: Request, answer: Answer | GivenUp) -> Summarized | Reject:
    """What a request and its answer become in the tables. Nothing is decided here that `parse_answer` does not."""
    if isinstance(answer, GivenUp):
        return _reject(request, Reason.ENDPOINT_ERROR, answer.detail, "", answer.attempts)
    if answer.outcome != "answered":
        detail = f"the service's word: {answer.text[:200]}"
        return _reject(request, _REASONS[answer.outcome], detail, answer.text, answer.attempts)
    fields = parse_answer(answer.text, cut_off=answer.cut_off)
    if isinstance(fields, Unusable):
        return _reject(request, fields.reason, fields.detail, answer.text, answer.attempts)
    return Summarized(request, answer, fields)


def _reject(request: Request, reason: Reason, detail: str, raw_output: str, attempts: int) -> Reject:
    conversation = request.conversation
    return Reject(
        conversation_id=conversation.conversation_id,
        reason=reason,
        detail=detail,
        source_uri=conversation.source_uri,
        line=conversation.line,
        raw_output=raw_output,
        attempts=attempts,
        content_hash=request.content_hash,
    )
