"""Stories: what happened, each told once, with its days, its size, its cost and conversations that show it."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tasks.reporting.rules.statistics import Example
from tasks.reporting.rules.stories.scan import Counts, Window
from tasks.reporting.rules.stories.search import (
    MEASURES,
    SURPRISING,
    VOLUME,
    Departure,
    Search,
    in_window,
    is_worth_telling,
)
from tasks.reporting.rules.stories.segments import ISSUE_PHRASE, PLAN_PHRASE, WHOLE, Conversations, Integers, Segment

_EXAMPLES = 3

_CHART_DAYS = 28

_SHARED_BY_NEW, _SHARED_BY_WORSE = 0.15, 0.4

_MAX_NAME_CHARACTERS = 20

_PART_OF_A_NAME = re.compile(r"[\u4e00-\u9fffA-Za-z0-9]")


class Aspect(NamedTuple):
    """One measure of a story: what it is, and what it usually is; rates in [0, 1], a volume in conversations."""

    measure: str
    value: float
    usual: float


@dataclass(frozen=True, slots=True)
class Story:
    """Something that happened, in numbers.

    Args:
        dimension: where the segment that shows it most clearly belongs: a label's name, ISSUE_PHRASE or PLAN_PHRASE.
        key: that segment's value or phrase.
        aspects: what is unusual about it, the most surprising first.
        first_day: the first unusual day.
        last_day: the last one.
        recovered: whether it was over before the last day of the report.
        conversations: how many belong to it.
        unhappy: how many of them ended badly.
        excess_unhappy: how many more than usual.
        phrases: further phrases that its conversations share and others don't.
        places: dimension and value that most of its conversations share and others don't.
        theme: the theme most of them have; empty without themes.
        examples: ids of conversations that show it, unhappy ones first.
        daily: its first measure of each day of the last weeks, a count or a rate; None where there is none.
        rows: positions of its conversations.
        estimated: whether its numbers are those of a sample, made as large as all conversations.
    """

    dimension: str
    key: str
    aspects: tuple[Aspect, ...]
    first_day: date
    last_day: date
    recovered: bool
    conversations: int
    unhappy: int
    excess_unhappy: float
    phrases: tuple[str, ...]
    places: tuple[tuple[str, str], ...]
    theme: str
    examples: tuple[str, ...]
    daily: tuple[tuple[date, float | None], ...]
    rows: Integers = field(repr=False)
    estimated: bool = False

    @property
    def is_borne_out(self) -> bool:
        """True where its first aspect is above what is usual, once all that it shares with other stories counts."""
        return self.aspects[0].value > self.aspects[0].usual


@dataclass(frozen=True, slots=True)
class Stories:
    """The stories of some days.

    Args:
        told: stories of these days, the costliest first.
        over: stories that ended in the few days before.
        examples: the conversations that they name, by id.
        enough_past: whether there were days enough to compare with; without them no story can be told.
    """

    told: tuple[Story, ...] = ()
    over: tuple[Story, ...] = ()
    examples: Mapping[str, Example] = field(default_factory=dict)
    enough_past: bool = False


NO_STORIES = Stories()


def find_stories(
    conversations: Conversations, segments: Sequence[Segment], first: date, last: date
) -> tuple[list[Story], list[Story]]:
    """Return the stories of the days `first` to `last`, the costliest first, and those that ended just before.

    Conversations of earlier days are the past that these days are compared with.
    """
    search = Search(conversations, segments, conversations.days.index(first), conversations.days.index(last))
    told, over = search.run()
    describer = _Describer(conversations, segments, search)
    told_now, told_before = (
        [story for story in map(describer.describe, groups) if story.is_borne_out] for groups in (told, over)
    )
    return sorted(told_now, key=lambda story: -story.excess_unhappy), told_before


class _Describer:
    """Turns groups of departures into stories."""

    def __init__(self, conversations: Conversations, segments: Sequence[Segment], search: Search) -> None:
        self._all = conversations
        self._segments = segments
        self._search = search

    def describe(self, group: Sequence[Departure]) -> Story:
        """Return a group's story."""
        everything, head = self._all, group[0]
        segment = self._named(head)
        window, measure = head.window, head.measure
        shown = in_window(everything, segment.rows, window)
        rows = np.unique(np.concatenate([shown, *(found.left for found in group)]))
        days = (everything.day >= window.first) & (everything.day <= window.last)
        outside = np.ones(len(everything.ids), dtype=bool)
        outside[rows] = False
        enough = _SHARED_BY_NEW if measure == VOLUME else _SHARED_BY_WORSE
        phrases, places = self._shared(segment, rows, outside & days if (outside & days).any() else outside, enough)
        unhappy = int(everything.unhappy[rows].sum())
        return Story(
            dimension=segment.dimension,
            key=segment.key,
            aspects=self._aspects(segment, window, measure),
            first_day=everything.days[window.first],
            last_day=everything.days[window.last],
            recovered=window.last < self._search.last,
            conversations=len(rows),
            unhappy=unhappy,
            excess_unhappy=max(0.0, unhappy - self._usual_unhappy(segment, window, measure)),
            phrases=tuple(phrase for phrase in phrases if phrase not in segment.key and segment.key not in phrase)[:2],
            places=places,
            theme=self._theme(rows),
            examples=self._examples(shown, rows, phrases, places),
            daily=self._daily(segment, measure),
            rows=rows,
        )

    def _named(self, head: Departure) -> Segment:
        """Return the segment to tell a story by: a whole name instead of a piece of it, the customers' words first."""
        segment, rows = self._segments[head.segment], head.left
        if head.measure == VOLUME and segment.dimension == PLAN_PHRASE:
            segment = self._in_the_customers_words(segment, rows)
        if segment.dimension not in {ISSUE_PHRASE, PLAN_PHRASE}:
            return segment
        texts = self._all.issues if segment.dimension == ISSUE_PHRASE else self._all.plans
        name = lengthened(segment.key, [texts[row].lower() for row in rows.tolist()])
        holding = [row for row, text in enumerate(texts) if name in text.lower()]
        return Segment(segment.dimension, name, np.array(holding, dtype=np.int64))

    def _in_the_customers_words(self, plan: Segment, rows: Integers) -> Segment:
        """Return what customers asked where more of a plan was offered, if most of them asked the same."""
        best, most = plan, 0.0
        mine = np.zeros(len(self._all.ids), dtype=bool)
        mine[rows] = True
        for segment in self._segments:
            if segment.dimension == ISSUE_PHRASE:
                inside = float(mine[segment.rows].sum() / len(rows))
                lift = inside / (len(segment.rows) / len(self._all.ids))
                if inside >= 0.6 and lift >= 3 and inside * lift**0.5 > most:
                    best, most = segment, inside * lift**0.5
        return best

    def _aspects(self, segment: Segment, window: Window, first: str) -> tuple[Aspect, ...]:
        """Return every measure by which a segment is unusual in a window, that it was found by first."""
        found = []
        for measure in (first, *(measure for measure in MEASURES if measure != first)):
            counts = self._search.counts([segment], measure, remaining=False)
            excess = self._search.scanner.excess(counts, window, np.ones(1))
            count, expected = float(excess.count[0]), float(excess.expected[0])
            exposed = 1.0 if measure == VOLUME else max(1.0, float(excess.exposed[0]))
            worth = bool(is_worth_telling(excess, measure, 0.0)[0]) and float(excess.z[0]) > SURPRISING
            if measure == first or worth:
                found.append(Aspect(measure, count / exposed, expected / exposed))
        return tuple(found)

    def _daily(self, segment: Segment, measure: str) -> tuple[tuple[date, float | None], ...]:
        counts = self._search.counts([segment], measure, remaining=False)
        found: list[tuple[date, float | None]] = []
        for day, part, whole in zip(self._all.days, counts.part[0], counts.whole[0], strict=True):
            value = float(part) if measure == VOLUME else float(part / whole) if whole else None
            found.append((day, value if whole else None))
        shown = [entry for number, entry in enumerate(found) if number <= self._search.last]
        while shown and shown[0][1] is None:
            del shown[0]
        return tuple(shown[-max(_CHART_DAYS, self._search.last - self._search.first + 1) :])

    def _usual_unhappy(self, segment: Segment, window: Window, measure: str) -> float:
        """Return how many unhappy conversations a segment would have had in a window on usual days."""
        rows, everything = segment.rows, self._all
        size = len(everything.days)
        part = np.bincount(everything.day[rows], weights=everything.unhappy[rows], minlength=size)[None, :]
        of = everything.day if measure == VOLUME else everything.day[rows]
        whole = np.bincount(of, minlength=size)[None, :].astype(np.float64)
        counts = Counts(part.astype(np.float64), whole, rate=measure != VOLUME, pseudo=float(whole.mean()))
        return float(self._search.scanner.excess(counts, window, np.ones(1)).expected[0])

    def _shared(
        self, segment: Segment, rows: Integers, outside: npt.NDArray[np.bool_], enough: float
    ) -> tuple[list[str], tuple[tuple[str, str], ...]]:
        """Return phrases and places that the story's conversations share far more often than others."""
        mine = np.zeros(len(self._all.ids), dtype=bool)
        mine[rows] = True
        others = max(1, int(outside.sum()))
        phrases: list[tuple[float, str]] = []
        places: list[tuple[float, str, str]] = []
        for other in self._segments:
            if other.dimension == WHOLE or (other.dimension, other.key) == (segment.dimension, segment.key):
                continue
            inside = mine[other.rows].sum() / len(rows)
            lift = inside / max(outside[other.rows].sum() / others, 1 / others)
            if other.dimension in {ISSUE_PHRASE, PLAN_PHRASE}:
                if inside >= enough and lift >= 4:
                    phrases.append((inside * len(other.key) ** 0.5, other.key))
            elif inside >= 0.6 and lift >= 1.8:
                places.append((inside, other.dimension, other.key))
        phrases.sort(key=lambda ranked: (-ranked[0], ranked[1]))
        places.sort(key=lambda ranked: (-ranked[0], ranked[1]))
        kept: list[str] = []
        texts = [self._all.issues[row] + "，" + self._all.plans[row] for row in rows.tolist()]
        for _, phrase in phrases[:20]:
            whole = lengthened(phrase, texts)
            if not any(whole in known or known in whole for known in kept):
                kept.append(whole)
        return kept, tuple((dimension, key) for _, dimension, key in places[:3])

    def _theme(self, rows: Integers) -> str:
        themes = self._all.labels.get("theme")
        if themes is None:
            return ""
        counted: dict[str, int] = {}
        for row in rows.tolist():
            counted[themes[row]] = counted.get(themes[row], 0) + 1
        counted.pop("", None)
        return min(counted, key=lambda theme: (-counted[theme], theme), default="")

    def _examples(
        self, shown: Integers, rows: Integers, phrases: Sequence[str], places: Sequence[tuple[str, str]]
    ) -> tuple[str, ...]:
        """Return conversations that show it: those most like the others, the unhappiest first, spread over the days."""
        everything = self._all
        badness = (everything.negative == 1).astype(int) + (everything.accepted == 0).astype(int)
        inside = set(shown.tolist())

        def likeness(row: int) -> int:
            text = f"{everything.issues[row]}，{everything.plans[row]}".lower()
            there = sum(everything.labels[dimension][row] == key for dimension, key in places)
            return any(phrase in text for phrase in phrases) + there

        ordered: list[int] = sorted(
            rows.tolist(),
            key=lambda row: (row not in inside, -likeness(row), -int(badness[row]), everything.ids[row]),
        )
        chosen: list[int] = []
        for number in ordered:
            if len(chosen) < _EXAMPLES and everything.day[number] not in {everything.day[other] for other in chosen}:
                chosen.append(number)
        chosen += [row for row in ordered if row not in chosen][: _EXAMPLES - len(chosen)]
        return tuple(everything.ids[row] for row in chosen)


def lengthened(phrase: str, texts: Sequence[str]) -> str:
    """Return a phrase with the characters on either side that four in five of the texts that hold it have there, too.

    Words that no dictionary knows come in pieces; this makes them whole.
    """
    holding = [text for text in texts if phrase in text]
    grown = True
    while grown and holding and len(phrase) < _MAX_NAME_CHARACTERS:
        grown = False
        for at_front in (True, False):
            neighbors = Counter(_neighbor(text, phrase, at_front) for text in holding)
            character, count = neighbors.most_common(1)[0]
            if _PART_OF_A_NAME.fullmatch(character) and count >= 0.8 * len(holding):
                phrase = character + phrase if at_front else phrase + character
                holding = [text for text in holding if phrase in text]
                grown = True
    return phrase


def _neighbor(text: str, phrase: str, at_front: bool) -> str:
    start = text.index(phrase)
    return text[max(0, start - 1) : start] if at_front else text[start + len(phrase) : start + len(phrase) + 1]
