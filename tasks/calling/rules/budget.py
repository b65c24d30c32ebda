"""The ceiling on what a run may spend: reserved before a call is sent, so that calls in flight never exceed it."""

from dataclasses import dataclass
from typing import Final

# What a server's chat template adds to a message, generously.
_TEMPLATE_TOKENS: Final = 256


@dataclass(frozen=True, slots=True)
class Prices:
    """Prices per 1,000 tokens in the user's currency; `cached` for prompt tokens from the service's cache."""

    prompt: float = 0.0
    completion: float = 0.0
    cached: float | None = None

    def cost(self, prompt_tokens: int, completion_tokens: int, cached_tokens: int = 0) -> float:
        """The cost of so many tokens; `cached_tokens` are among the prompt's."""
        cached = self.prompt if self.cached is None else self.cached
        prompt = (prompt_tokens - cached_tokens) * self.prompt + cached_tokens * cached
        return (prompt + completion_tokens * self.completion) / 1000


@dataclass(frozen=True, slots=True)
class PriceList:
    """Prices of the models that a run asks.

    Args:
        first: of every model that has no others.
        second_model: the name of the model that is asked what the first one does not answer.
        second: its prices.
    """

    first: Prices = Prices()
    second_model: str = ""
    second: Prices = Prices()

    def of(self, model: str) -> Prices:
        """The prices of a model by its name."""
        return self.second if self.second_model and model == self.second_model else self.first


@dataclass(frozen=True, slots=True)
class Ceiling:
    """The most that a run may spend; None where nothing is limited."""

    cost: float | None = None
    tokens: int | None = None
    calls: int | None = None

    def left_after(self, cost: float, tokens: int, calls: int) -> "Ceiling | None":
        """The ceiling for whoever comes after somebody who spent so much; None where nothing is left."""
        left = Ceiling(
            None if self.cost is None else self.cost - cost,
            None if self.tokens is None else self.tokens - tokens,
            None if self.calls is None else self.calls - calls,
        )
        limits = (left.cost, left.tokens, left.calls)
        return None if any(limit is not None and limit <= 0 for limit in limits) else left

    def __str__(self) -> str:
        limits = {"--max-cost": self.cost, "--max-tokens": self.tokens, "--max-calls": self.calls}
        return ", ".join(f"{flag} {limit:g}" for flag, limit in limits.items() if limit is not None)


@dataclass(frozen=True, slots=True)
class Reservation:
    """The most that one call can take, and the prices of the model that is asked."""

    prompt_tokens: int
    completion_tokens: int
    prices: Prices

    @property
    def cost(self) -> float:
        """The most that the call can cost."""
        return self.prices.cost(self.prompt_tokens, self.completion_tokens)


class Budget:
    """Spending so far and the most that calls in flight may still cost, against a ceiling.

    A tokenizer makes at most one token of a byte, so a prompt's bytes bound its tokens; an answer is bounded by the
    tokens that it is allowed, or by the longest answer seen where a server allows itself more.

    Args:
        ceiling: the most that may be spent.
        max_tokens: that an answer is allowed.
    """

    __slots__ = ("_calls", "_ceiling", "_cost", "_longest", "_reserved_calls", "_reserved_cost", "_reserved_tokens", "_tokens")  # fmt: skip  # noqa: E501

    def __init__(self, ceiling: Ceiling, max_tokens: int) -> None:
        self._ceiling = ceiling
        self._longest = max_tokens
        self._calls = self._reserved_calls = 0
        self._tokens = self._reserved_tokens = 0
        self._cost = self._reserved_cost = 0.0

    def reservation(self, prompt: str, prices: Prices, max_tokens: int = 0, beside: int = 0) -> Reservation:
        """The most that a call can take.

        Args:
            prompt: what is sent.
            prices: of the model that is asked.
            max_tokens: that this answer is allowed, where that is more than the others are.
            beside: tokens that the request can take besides its prompt.
        """
        prompt_tokens = len(prompt.encode("utf-8", "surrogatepass")) + _TEMPLATE_TOKENS + beside
        return Reservation(prompt_tokens, max(self._longest, max_tokens), prices)

    def fits(self, asked: Reservation) -> bool:
        """Return true where the call may be sent beside those in flight."""
        ceiling = self._ceiling
        if ceiling.calls is not None and self._calls + self._reserved_calls + 1 > ceiling.calls:
            return False
        tokens = asked.prompt_tokens + asked.completion_tokens
        if ceiling.tokens is not None and self._tokens + self._reserved_tokens + tokens > ceiling.tokens:
            return False
        return ceiling.cost is None or self._cost + self._reserved_cost + asked.cost <= ceiling.cost

    @property
    def is_idle(self) -> bool:
        """Return true where nothing is reserved: what does not fit now never will."""
        return not self._reserved_calls

    def reserve(self, asked: Reservation) -> None:
        """Hold what the call can take until it has ended."""
        self._reserved_calls += 1
        self._reserved_tokens += asked.prompt_tokens + asked.completion_tokens
        self._reserved_cost += asked.cost

    def release(self, asked: Reservation) -> None:
        """Give back what was held for a call that took nothing."""
        self._reserved_calls -= 1
        self._reserved_tokens -= asked.prompt_tokens + asked.completion_tokens
        self._reserved_cost = self._reserved_cost - asked.cost if self._reserved_calls else 0.0

    def settle(self, asked: Reservation, prompt_tokens: int, completion_tokens: int, cached_tokens: int = 0) -> None:
        """Count what a call took instead of what was held for it; without a count, everything that was held."""
        self.release(asked)
        if not prompt_tokens and not completion_tokens:
            prompt_tokens, completion_tokens = asked.prompt_tokens, asked.completion_tokens
        self._longest = max(self._longest, completion_tokens)
        cost = asked.prices.cost(prompt_tokens, completion_tokens, cached_tokens)
        self.spend(1, prompt_tokens + completion_tokens, cost)

    def spend(self, calls: int, tokens: int, cost: float) -> None:
        """Count calls that were paid."""
        self._calls += calls
        self._tokens += tokens
        self._cost += cost
