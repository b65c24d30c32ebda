"""Segments: sets of conversations that share a value of a dimension or a phrase of their texts."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tasks.reporting.rules.phrases import phrases

Integers = npt.NDArray[np.int64]

ISSUE_PHRASE = "issue_phrase"

PLAN_PHRASE = "plan_phrase"

WHOLE = "all"

_LONGEST_ISSUE_PHRASE = 4

_LONGEST_PLAN_PHRASE = 7

_MIN_CONVERSATIONS = 8

_MIN_PART = 0.0002

_MAX_VALUES = 500

_MAX_SEGMENTS = 8_000

_MAX_SEGMENT_DAYS = 800_000
"""Of a year the search looks at fewer segments, the largest ones: it takes time by segments, days and windows."""


@dataclass(frozen=True, slots=True)
class Conversations:
    """Summarized conversations of consecutive days, as columns of equal length.

    Args:
        days: every calendar day, oldest first; days without tables included.
        day: each conversation's position in `days`.
        accepted: 1 yes, 0 no, -1 unknown.
        negative: likewise.
        issues: texts, empty where there is none.
        plans: likewise.
        labels: values by dimension, such as channel, theme or a configured attribute; empty where there is none.
        totals: conversations a day in the tables, of which these may be a sample.
    """

    days: tuple[date, ...]
    ids: Sequence[str]
    day: Integers
    accepted: Integers
    negative: Integers
    issues: Sequence[str]
    plans: Sequence[str]
    labels: Mapping[str, Sequence[str]]
    totals: Integers

    @property
    def unhappy(self) -> npt.NDArray[np.bool_]:
        """Conversations that ended badly: a negative sentiment, or a plan that was not accepted."""
        bad: npt.NDArray[np.bool_] = np.logical_or(self.negative == 1, self.accepted == 0)
        return bad


class Segment(NamedTuple):
    """One set of conversations: `dimension` is ISSUE_PHRASE, PLAN_PHRASE, WHOLE or a label's name."""

    dimension: str
    key: str
    rows: Integers


def segments_of(conversations: Conversations) -> list[Segment]:
    """Return the segments that are large enough to tell anything, the largest first; one for each set of rows."""
    count = len(conversations.ids)
    enough = max(_MIN_CONVERSATIONS, int(count * _MIN_PART))
    found = [Segment(WHOLE, "", np.arange(count))]
    for dimension, values in conversations.labels.items():
        found += _of_values(dimension, values, enough)
    found += _of_texts(ISSUE_PHRASE, conversations.issues, lambda text: phrases(text, _LONGEST_ISSUE_PHRASE), enough)
    found += _of_texts(PLAN_PHRASE, conversations.plans, lambda text: phrases(text, _LONGEST_PLAN_PHRASE), enough)
    found.sort(key=lambda segment: (-len(segment.rows), segment.dimension, segment.key))
    return found[: min(_MAX_SEGMENTS, _MAX_SEGMENT_DAYS // len(conversations.days))]


def _of_values(dimension: str, values: Sequence[str], enough: int) -> Iterable[Segment]:
    """Yield a segment a value; none for a dimension that names nearly every conversation apart, such as an order."""
    counts = Counter(values)
    counts.pop("", None)
    named = [value for value, count in counts.items() if count >= enough]
    if len(counts) < 2 or len(named) > _MAX_VALUES or sum(counts[value] for value in named) < sum(counts.values()) / 2:
        return
    codes = {value: code for code, value in enumerate(named)}
    coded = np.array([codes.get(value, -1) for value in values], dtype=np.int64)
    for value in named:
        yield Segment(dimension, value, np.flatnonzero(coded == codes[value]))


def _of_texts(
    dimension: str, texts: Sequence[str], phrases_of: Callable[[str], set[str]], enough: int
) -> Iterable[Segment]:
    by_text: dict[str, list[int]] = {}
    for row, text in enumerate(texts):
        if text:
            by_text.setdefault(text, []).append(row)
    holders: dict[str, list[str]] = {}
    counts: Counter[str] = Counter()
    for text, rows in by_text.items():
        for phrase in phrases_of(text):
            holders.setdefault(phrase, []).append(text)
            counts[phrase] += len(rows)
    frequent = [phrase for phrase, count in counts.items() if count >= enough]
    # Phrases of the same conversations are one segment, by its longest.
    longest: dict[tuple[int, int], str] = {}
    marks = {text: hash((text, number)) for number, text in enumerate(by_text)}
    for phrase in sorted(frequent):
        same = counts[phrase], sum(marks[text] for text in holders[phrase])
        known = longest.get(same, "")
        if len(phrase) > len(known):
            longest[same] = phrase
    for phrase in longest.values():
        holding = np.concatenate([np.array(by_text[text], dtype=np.int64) for text in holders[phrase]])
        yield Segment(dimension, phrase, np.sort(holding))
