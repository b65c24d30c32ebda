"""The figures of a day or of a span of days, as values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo
from typing import NamedTuple

import pyarrow as pa

from tasks.calling.rules.offline.summary import OFFLINE_MODEL
from tasks.domain.intervals import wilson_interval

OTHER = "(other)"

ANSWERS = ("yes", "no", "unknown")


class Proportion(NamedTuple):
    """`part` of `whole` conversations."""

    part: int
    whole: int

    @property
    def value(self) -> float | None:
        """The ratio; None of nothing."""
        return self.part / self.whole if self.whole else None

    def interval(self) -> tuple[float, float]:
        """The range the proportion lies in with a confidence of 95 %."""
        return wilson_interval(self.part, self.whole)


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Conversations by acceptance and sentiment: nine counts, ANSWERS x ANSWERS, acceptance first."""

    cells: tuple[int, ...] = (0,) * 9

    def cell(self, accepted: str, negative: str) -> int:
        """One count; both arguments are one of ANSWERS."""
        return self.cells[ANSWERS.index(accepted) * 3 + ANSWERS.index(negative)]

    @property
    def total(self) -> int:
        """All conversations."""
        return sum(self.cells)

    @property
    def unhappy(self) -> int:
        """Conversations that ended badly: a negative sentiment, or a plan that was not accepted."""
        return self.negative("yes").part + self.cell("no", "no") + self.cell("no", "unknown")

    def accepted(self, answer: str) -> Proportion:
        """Conversations whose acceptance is `answer`, one of ANSWERS."""
        first = ANSWERS.index(answer) * 3
        return Proportion(sum(self.cells[first : first + 3]), self.total)

    def negative(self, answer: str) -> Proportion:
        """Conversations whose negative sentiment is `answer`, one of ANSWERS."""
        return Proportion(sum(self.cells[ANSWERS.index(answer) :: 3]), self.total)


@dataclass(frozen=True, slots=True)
class Group:
    """The outcomes of the conversations that share one value of a dimension."""

    key: str
    outcomes: Outcomes


@dataclass(frozen=True, slots=True)
class TermCounts:
    """The most frequent words of the issues or of the plans.

    Args:
        groups: by frequency; of the conversations whose text holds the word.
        counted_in: how many conversations were looked at: a fair sample of a large day.
        known: how many have the text.
    """

    groups: tuple[Group, ...]
    counted_in: int
    known: int


@dataclass(frozen=True, slots=True)
class Example:
    """One conversation worth reading, as summarized; times are UTC, None is unknown."""

    conversation_id: str
    started_at: datetime | None
    channel: str
    turns: int
    issue: str | None
    plan: str | None
    accepted: bool | None
    negative_sentiment: bool | None
    accepted_text: str | None
    negative_sentiment_text: str | None
    model: str


@dataclass(frozen=True, slots=True)
class RunUsage:
    """Usage of making the summaries, added up over runs; None where a run does not state it.

    `quota_use` is the part of the quota used, weighted by seconds; `currency` is empty where there are several.
    About `unread_conversations` are lost in `unread_files` that the newest run of a day could not read; `outside_day`
    conversations of its logs began on other days. `golden_calls` and `golden_cost` are a part of `calls` and `cost`.
    """

    runs: tuple[str, ...] = ()
    versions: tuple[str, ...] = ()
    finished_at: datetime | None = None
    calls: int | None = None
    retries: int | None = None
    quota_refusals: int | None = None
    reused: int | None = None
    log_objects: int | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    seconds: float | None = None
    cost: float | None = None
    quota_use: float | None = None
    logs_incomplete: bool = False
    unread_files: int = 0
    unread_conversations: int = 0
    outside_day: int = 0
    currency: str = ""
    golden_calls: int | None = None
    golden_cost: float | None = None


@dataclass(frozen=True, slots=True)
class DayFigures:
    """The few figures of a day that a span's report shows; `made_by` are its models and prompts."""

    day: date
    outcomes: Outcomes
    rejected: int
    made_by: frozenset[str]

    @property
    def conversations(self) -> int:
        """Everything that was read."""
        return self.outcomes.total + self.rejected


@dataclass(frozen=True, slots=True)
class DayStatistics:
    """A day's (or a span's) figures. Groups are in the order they are best read in; `metrics` has them in long form."""

    start: date
    end: date
    timezone: tzinfo
    outcomes: Outcomes
    rejects: tuple[tuple[str, int], ...]
    channels: tuple[Group, ...]
    hours: tuple[Group, ...]
    turns: tuple[Group, ...]
    models: tuple[Group, ...]
    prompt_versions: tuple[Group, ...]
    themes: tuple[Group, ...]
    plan_themes: tuple[Group, ...]
    attributes: Mapping[str, tuple[Group, ...]]
    issues: TermCounts
    plans: TermCounts
    truncated: int
    examples: tuple[Example, ...]
    usage: RunUsage
    metrics: pa.Table = field(compare=False, repr=False)

    @property
    def rejected(self) -> int:
        """Conversations (or lines) that became no summary."""
        return sum(count for _, count in self.rejects)

    @property
    def conversations(self) -> int:
        """Everything that was read."""
        return self.outcomes.total + self.rejected

    @property
    def coverage(self) -> Proportion:
        """Summaries among all conversations, those included that are lost in files that can't be read."""
        usage = self.usage
        lost = max(usage.unread_conversations - usage.unread_files, 0) if usage.unread_files else 0
        return Proportion(self.outcomes.total, self.conversations + lost)

    @property
    def offline(self) -> Proportion:
        """Summaries made by rules, without a model."""
        by_rules = sum(group.outcomes.total for group in self.models if group.key == OFFLINE_MODEL)
        return Proportion(by_rules, self.outcomes.total)
