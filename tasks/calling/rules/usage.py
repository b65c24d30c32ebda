"""Counts of what a run asked for and paid: as it goes, and by the answers that it kept."""

from dataclasses import dataclass, field, fields

from tasks.calling.rules.budget import PriceList, Prices
from tasks.domain.records import Answer, Reply


@dataclass(slots=True)
class Usage:
    """Counts of a run's requests so far, of all models together. `calls` were answered and paid; `retries` were not."""

    reused: int = 0
    calls: int = 0
    retries: int = 0
    quota_refusals: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    cost: float = 0.0

    def __add__(self, other: "Usage") -> "Usage":
        """Both together."""
        return Usage(**{field.name: getattr(self, field.name) + getattr(other, field.name) for field in fields(self)})

    def paid(self, reply: Reply, prices: Prices) -> None:
        """Count a call that was paid, by the prices of the model that was asked."""
        self.calls += 1
        self.prompt_tokens += reply.prompt_tokens
        self.completion_tokens += reply.completion_tokens
        self.cached_tokens += reply.cached_tokens
        self.cost += prices.cost(reply.prompt_tokens, reply.completion_tokens, reply.cached_tokens)


@dataclass(slots=True)
class UsageTotals:
    """Calls that were paid, and the tokens they took: of all models, and of each that answered."""

    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    by_model: dict[str, "UsageTotals"] = field(default_factory=dict)

    def add(self, answer: Answer) -> None:
        """Count one answer; the service's refusals by error cost nothing."""
        self._count(answer)
        self.by_model.setdefault(answer.model, UsageTotals())._count(answer)

    def cost(self, prices: PriceList) -> float:
        """The cost of what `add` counted, each model's by its own prices."""
        return sum(
            prices.of(model).cost(used.prompt_tokens, used.completion_tokens, used.cached_tokens)
            for model, used in self.by_model.items()
        )

    def _count(self, answer: Answer) -> None:
        self.calls += answer.outcome == "answered" or answer.prompt_tokens > 0
        self.prompt_tokens += answer.prompt_tokens
        self.completion_tokens += answer.completion_tokens
        self.cached_tokens += answer.cached_tokens
