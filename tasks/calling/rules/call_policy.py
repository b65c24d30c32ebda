"""The rules of a run's calls as one value, and which known answers settle a request."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from tasks.calling.rules.budget import Ceiling, PriceList
from tasks.calling.rules.canary import CanaryRule
from tasks.calling.rules.retry_policy import RetryPolicy
from tasks.domain.records import Answer, Outcome, Reason, Request
from tasks.parsing.rows import reason_of

NO_CANARY: Final = CanaryRule(first=0)

# A mended service, or other options of the model, may well answer these.
_NOT_FINAL: Final[frozenset[Outcome]] = frozenset({"invalid_request", "lost_to_thinking", "broken"})


@dataclass(frozen=True, slots=True)
class CallPolicy:
    """The rules of a run's calls to its model.

    Args:
        prompt_version: what answers name as their prompt.
        max_tokens: that an answer is allowed.
        tokens_beside_the_prompt: that a request can take besides its prompt, such as a system prompt's.
        retry: how often and after which waits a failed call is tried again.
        give_up_seconds: without any answer for so long, the endpoint is down.
        unreached_seconds: so long for one that could never be reached; None: as long as for any other.
        call_seconds: how long a call may stay without a sign of life.
        canary: when answers are too useless to buy on.
        ceiling: the most that may be spent.
        prices: of the model (`first`), and of another one that answers of this run may be from.
        ask_again: reasons of rejects that are asked about once more, whatever is known.
    """

    prompt_version: str
    max_tokens: int = 512
    tokens_beside_the_prompt: int = 0
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    give_up_seconds: float = 120.0
    unreached_seconds: float | None = None
    call_seconds: float = 30.0
    canary: CanaryRule = NO_CANARY
    ceiling: Ceiling = field(default_factory=Ceiling)
    prices: PriceList = field(default_factory=PriceList)
    ask_again: frozenset[Reason] = frozenset()


def is_settled(
    request: Request, answer: Answer, tries: Callable[[Request], int], run_id: str, policy: CallPolicy
) -> bool:
    """Return true where a known answer is good enough not to pay for another one.

    Args:
        request: what would be asked.
        answer: the latest that is known of it.
        tries: counts the known answers to a request.
        run_id: of the run that asks; what it bought itself it does not buy again.
        policy: what is asked again.
    """
    if answer.run_id == run_id:
        return True
    if answer.cut_off and policy.max_tokens > answer.max_tokens:
        return False
    empty = answer.outcome == "answered" and not answer.text.strip()
    if answer.outcome in _NOT_FINAL or empty:
        return answer.request_hash == request.request_hash and tries(request) >= policy.retry.max_attempts
    return not policy.ask_again or reason_of(answer) not in policy.ask_again
