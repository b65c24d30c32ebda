"""Context of a day's or a span's figures in a report: its past, its days, its stories, its conversations."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

import pyarrow as pa

from tasks.golden.rules.drift import GoldenCheck
from tasks.reporting.rules.reviewed import ReviewedSample
from tasks.reporting.rules.statistics import DayFigures, Example
from tasks.reporting.rules.stories.story import NO_STORIES, Stories


@dataclass(frozen=True, slots=True)
class Context:
    """Everything that a report shows beside the figures.

    Args:
        history: METRICS tables of the days before, by day.
        days: a span's days.
        stories: what happened.
        theme_names: names of themes in Chinese and English, by id.
        conversations: a few conversations by dimension and value, the unhappiest first.
        reviewed: what people's reviews of a random sample say of the model; None where there are none.
        golden: the verdict on a day's golden conversations; None where none were asked, and for spans.
    """

    history: Mapping[date, pa.Table] = field(default_factory=dict)
    days: tuple[DayFigures, ...] = ()
    stories: Stories = NO_STORIES
    theme_names: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    conversations: Mapping[tuple[str, str], tuple[Example, ...]] = field(default_factory=dict)
    reviewed: ReviewedSample | None = None
    golden: GoldenCheck | None = None


NO_CONTEXT = Context()
