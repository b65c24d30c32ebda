"""The search for stories: what departs from its own past, the most surprising first.

Every segment of the conversations (a theme, a channel, a configured dimension, a phrase of the issues or the plans) is
a series of days, by volume, by negative sentiment and by plans not accepted. The most surprising window of days of all
series is a departure. Its conversations are then taken out, so that whatever merely echoed it falls silent, and the
next one is sought, each corrected for the many comparisons. Departures that share conversations, or days and a trait,
are one story.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from tasks.reporting.rules.stories.scan import Counts, Excess, Scanner, Window, false_discovery_limit, tail, windows
from tasks.reporting.rules.stories.segments import ISSUE_PHRASE, PLAN_PHRASE, Conversations, Integers, Segment

VOLUME, NEGATIVE, NOT_ACCEPTED = "volume", "negative", "not_accepted"

MEASURES = (VOLUME, NEGATIVE, NOT_ACCEPTED)

SURPRISING = 3.5
"""A z below which nothing is looked at."""

_FALSE_DISCOVERIES = 0.01

_MIN_BASELINE_DAYS = 5

_MIN_EXCESS = 8.0

_MIN_EXCESS_PART = 0.002  # of the window's conversations: a story of a large shop is larger

_MIN_VOLUME_RATIO = 1.6

_MIN_EXPOSED = 12

_MIN_RATE_DIFFERENCE = 0.15

_MAX_DEPARTURES = 12

_DAYS_REMEMBERED = 3

_EDGE, _GROWTH = 0.25, 0.5

_SAME_DAYS = 0.75

_SHARED, _SHARED_OF_TWO_KINDS = 0.3, 0.5


@dataclass(frozen=True, slots=True)
class Departure:
    """A departure as it was found: one segment, in one window, by one measure."""

    segment: int
    measure: str
    window: Window
    z: float
    count: float
    expected: float
    rows: Integers
    left: Integers  # of the rows those that no story before this one has


class Search:
    """The greedy search: the most surprising departure first, then what remains without it."""

    def __init__(self, conversations: Conversations, segments: Sequence[Segment], first: int, last: int) -> None:
        self._all = conversations
        self._segments = segments
        self.first, self.last = first, last
        self._days = len(conversations.days)
        self.scanner = Scanner([day.weekday() for day in conversations.days])
        with_data = conversations.totals > 0
        self._windows = windows(with_data.tolist(), _MIN_BASELINE_DAYS)
        self._sampled = np.bincount(conversations.day, minlength=self._days).astype(np.float64)
        self._removed = np.zeros(len(conversations.ids), dtype=bool)
        self._usual_part = np.zeros(len(conversations.ids))
        self._traffic = self._sampled.copy()

    def run(self) -> tuple[list[list[Departure]], list[list[Departure]]]:
        """Return groups of departures, each a story: those of the report's days, and those just over."""
        found: list[Departure] = []
        candidates = np.arange(len(self._segments))
        tests = len(self._segments) * len(MEASURES)
        while len(found) < _MAX_DEPARTURES and len(candidates):
            # Anew each time: the many echoes of one story would otherwise lower the bar for the next.
            best = self._best(candidates)
            limit = false_discovery_limit((probability for probability, _ in best), tests, _FALSE_DISCOVERIES)
            clear = [candidate for probability, candidate in best if probability <= limit]
            if not clear:
                break
            candidates = np.unique([candidate.segment for _, candidate in best])
            strongest = self._fitted(max(clear, key=self._weight))
            found.append(strongest)
            self._explain(strongest)
        groups = _merge(found, self._all, self._segments)
        told = [group for group in groups if group[0].window.last >= self.first]
        over = [group for group in groups if self.first - _DAYS_REMEMBERED <= group[0].window.last < self.first]
        return told, over

    def counts(self, segments: Sequence[Segment], measure: str, *, remaining: bool = True) -> Counts:
        """Return the daily counts of some segments by one measure."""
        everything = self._all
        shape = len(segments), self._days
        part, whole, taken = np.zeros(shape), np.zeros(shape), np.zeros(shape)
        for position, segment in enumerate(segments):
            rows = segment.rows
            if remaining:
                taken[position] = np.bincount(everything.day[rows], self._usual_part[rows], self._days)
                rows = rows[~self._removed[rows]]
            days = everything.day[rows]
            if measure == VOLUME:
                part[position] = np.bincount(days, minlength=self._days)
            else:
                answer = everything.negative[rows] if measure == NEGATIVE else everything.accepted[rows]
                whole[position] = np.bincount(days, weights=answer >= 0, minlength=self._days)
                bad = answer == (1 if measure == NEGATIVE else 0)
                part[position] = np.bincount(days, weights=bad, minlength=self._days)
        if measure == VOLUME:
            traffic = self._traffic if remaining else self._sampled
            # Where conversations were taken out, the traffic that stands behind those left shrinks alike.
            whole = np.where(taken > 0, traffic * part / np.maximum(part + taken, 1e-9), traffic)
            pseudo = float(np.mean(traffic[traffic > 0])) if traffic.any() else 1.0
            return Counts(part, whole, rate=False, pseudo=pseudo)
        return Counts(part, whole, rate=True, pseudo=20.0)

    def _best(self, candidates: npt.NDArray[np.int64]) -> list[tuple[float, Departure]]:
        """Return each candidate's most surprising window by each measure, with its probability under chance."""
        best: list[tuple[float, Departure]] = []
        ending = sum(window.last == self.last for window in self._windows)
        for measure in MEASURES:
            counts = self.counts([self._segments[number] for number in candidates], measure)
            spread, sums = self.scanner.spread(counts), self.scanner.sums(counts)
            top_z = np.full(len(candidates), SURPRISING)
            top: list[tuple[Window, float, float] | None] = [None] * len(candidates)
            for window in self._windows:
                excess = self.scanner.excess(counts, window, spread, sums)
                worth = is_worth_telling(excess, measure, float(self._traffic[window.first : window.last + 1].sum()))
                for position in np.flatnonzero(worth & (excess.z > top_z)):
                    top_z[position] = float(excess.z[position])
                    top[position] = window, float(excess.count[position]), float(excess.expected[position])
            for place, hit in enumerate(top):
                if hit is None:
                    continue
                window, count, expected = hit
                # Half of the error goes to what still lasts, which is what a reader can act on.
                looks = 2 * (ending if window.last == self.last else len(self._windows) - ending)
                number = int(candidates[place])
                z = float(top_z[place])
                best.append(
                    (
                        tail(z) * looks,
                        Departure(number, measure, window, z, count, expected, *self._rows(number, window)),
                    )
                )
        return best

    def _weight(self, found: Departure) -> float:
        """Rank by surprise; of volumes also by how much there is: a courier's name before one sentence about it."""
        said = self._segments[found.segment].dimension in {ISSUE_PHRASE, PLAN_PHRASE}
        size = _typical_excess(found) if found.measure == VOLUME else 4.0
        return found.z * float(size) * (1.0 if said else 0.7)

    def _fitted(self, found: Departure) -> Departure:
        """Move both ends of a window to where what it shows begins and ends."""
        counts = self.counts([self._segments[found.segment]], found.measure)
        first, last = found.window
        usual = found.expected / max(float(counts.whole[0, first : last + 1].sum()), 1e-9)
        more = counts.part[0] - usual * counts.whole[0]
        mean = (found.count - found.expected) / found.window.length
        while first < last and more[first] < _EDGE * mean:
            first += 1
        while last > first and more[last] < _EDGE * mean:
            last -= 1
        while first > 0 and more[first - 1] >= _GROWTH * mean:
            first -= 1
        while last < self.last and more[last + 1] >= _GROWTH * mean:
            last += 1
        window = Window(first, last)
        if window == found.window:
            return found
        excess = self.scanner.excess(counts, window, np.ones(1))
        rows, left = self._rows(found.segment, window)
        count, expected = float(excess.count[0]), float(excess.expected[0])
        return replace(found, window=window, count=count, expected=expected, rows=rows, left=left)

    def _rows(self, segment: int, window: Window) -> tuple[Integers, Integers]:
        rows = in_window(self._all, self._segments[segment].rows, window)
        return rows, rows[~self._removed[rows]]

    def _explain(self, found: Departure) -> None:
        """Take a story's conversations out; the traffic shrinks by what was unusual of them only."""
        rows = found.left
        usual = min(1.0, found.expected / max(found.count, 1e-9)) if found.measure == VOLUME else 1.0
        self._removed[rows] = True
        self._usual_part[rows] = usual
        self._traffic -= (1 - usual) * np.bincount(self._all.day[rows], minlength=self._days)


def in_window(conversations: Conversations, rows: Integers, window: Window) -> Integers:
    """Return the rows of a segment that lie in a window."""
    days = conversations.day[rows]
    inside: Integers = rows[(days >= window.first) & (days <= window.last)]
    return inside


def _typical_excess(found: Departure) -> float:
    return float(max(0.0, found.count - found.expected) ** (1 / 3))


def is_worth_telling(excess: Excess, measure: str, traffic: float) -> npt.NDArray[np.bool_]:
    """Return the mask of departures that are large enough for somebody to act on."""
    more = excess.count - excess.expected
    large = more >= max(_MIN_EXCESS, _MIN_EXCESS_PART * traffic)
    if measure == VOLUME:
        return large & (excess.count >= _MIN_VOLUME_RATIO * excess.expected)
    with np.errstate(divide="ignore", invalid="ignore"):
        difference = more / excess.exposed
    return large & (excess.exposed >= _MIN_EXPOSED) & (difference >= _MIN_RATE_DIFFERENCE)


def _merge(
    found: Sequence[Departure], conversations: Conversations, segments: Sequence[Segment]
) -> list[list[Departure]]:
    """Group departures that belong together, the clearest of each group first."""
    groups: list[list[Departure]] = []
    for finding in found:
        home = next((group for group in groups if _belong_together(group, finding, conversations, segments)), None)
        if home is None:
            groups.append([finding])
        else:
            home.append(finding)
    return groups


def _belong_together(
    group: Sequence[Departure], departure: Departure, conversations: Conversations, segments: Sequence[Segment]
) -> bool:
    head = group[0]
    overlap = head.window.overlap(departure.window)
    if not overlap:
        return False
    shared = max(
        len(np.intersect1d(other.rows, departure.rows)) / min(len(other.rows), len(departure.rows)) for other in group
    )
    by_chance = max(len(segments[found.segment].rows) for found in (*group, departure)) / max(1, len(conversations.ids))
    alike = (head.measure == VOLUME) == (departure.measure == VOLUME)
    if shared >= max(_SHARED if alike else _SHARED_OF_TWO_KINDS, 2 * by_chance):
        return True
    return overlap >= _SAME_DAYS and _have_a_trait_in_common(
        head.rows, departure.rows, len(conversations.ids), segments
    )


def _have_a_trait_in_common(some: Integers, others: Integers, count: int, segments: Sequence[Segment]) -> bool:
    """Tell whether most of both conversations share a place or a phrase that most conversations don't have."""
    mine, theirs = np.zeros(count, dtype=bool), np.zeros(count, dtype=bool)
    mine[some], theirs[others] = True, True
    for segment in segments:
        part = min(mine[segment.rows].sum() / len(some), theirs[segment.rows].sum() / len(others))
        if part >= 0.5 and part >= 2 * len(segment.rows) / count:
            return True
    return False
