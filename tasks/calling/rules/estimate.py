"""An estimate of what a day will take, before anything is called."""

from dataclasses import dataclass
from typing import Final

from tasks.calling.rules.budget import Prices
from tasks.calling.rules.pacing.limits import Limits
from tasks.domain.records import Request

# Four short fields.
_ANSWER_TOKENS: Final = 128


@dataclass(frozen=True, slots=True)
class Estimate:
    """An estimate of a day's calls, tokens, cost and time.

    Args:
        calls: for conversations without a known answer.
        tokens: of prompts and answers together.
        cost: by the prices set.
        minutes: at the quota; None where none is set.
    """

    calls: int
    tokens: int
    cost: float
    minutes: float | None

    def beside(self, other: "Estimate") -> "Estimate":
        """Both together, where another model answers the others at the same time, by a quota of its own."""
        known = [estimate.minutes for estimate in (self, other) if estimate.minutes is not None]
        minutes = max(known) if known else None
        return Estimate(self.calls + other.calls, self.tokens + other.tokens, round(self.cost + other.cost, 4), minutes)


class Estimator:
    """Adds up the requests of a day that have to be sent; equal requests are sent once."""

    def __init__(self) -> None:
        self._asked: set[str] = set()
        self._tokens = 0

    def add(self, request: Request) -> None:
        """Count one request without a known answer."""
        if request.request_hash not in self._asked:
            self._asked.add(request.request_hash)
            self._tokens += request.estimated_tokens

    def total(self, prices: Prices, limits: Limits) -> Estimate:
        """The estimate for everything that was added."""
        calls = len(self._asked)
        answers = calls * _ANSWER_TOKENS
        per_minute = ((calls, limits.requests_per_minute), (self._tokens, limits.tokens_per_minute))
        minutes = [amount / quota for amount, quota in per_minute if quota]
        cost = prices.cost(self._tokens - answers, answers)
        return Estimate(calls, self._tokens, round(cost, 4), round(max(minutes), 2) if minutes else None)
