"""One quota of a service, so much in a window, and the search for the window that the service counts in.

A quota "a minute" is counted in windows of 60 s by some services, of 10 s or 1 s by others, or by a token bucket. The
longest window is assumed first, since it lets an idle quota be filled in a burst. A refusal that the log does not
explain contradicts it. Then the log shows which shorter window would explain the refusal at the advertised rate, and
one call tries it. A refusal of that call refutes it, and the next explanation is tried, down to a quota that is lower
than advertised.

In a short window calls keep an even pace where bursts lose, which is safe whatever the window is. There, what was
refused lately shows which windows the service may count in (`last_refusals`), and a longer one is tried after a time in
peace: a bet that is taken back once it is refused.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from tasks.calling.rules.pacing.last_refusals import LastRefusals
from tasks.calling.rules.pacing.quota_limit import AdaptiveLimit
from tasks.calling.rules.pacing.sent_history import KNOWN_SECONDS, SentHistory, snapped
from tasks.calling.rules.pacing.sliding_window import Entry, SlidingLog, slack_of

# Windows to try when the rate itself is in doubt.
_LIKELY_SECONDS: Final = (1.0, 10.0)

_SHORTEST_SECONDS: Final = 1.0

# A log this full explains a refusal by itself: one call overtook another.
_FULL: Final = 0.97

# So full it does where the limit is probed, or its calls are estimated.
_NEARLY_FULL: Final = 0.9

# Sums of estimates are off by chance. Refusals for that change nothing, where they are no more than so many.
_CHANCES_PER_CALL: Final = 1 / 50

_MOST_CHANCES: Final = 3.0

# After so much time without a refusal, a longer window is tried. From ten seconds on, that could gain little, as where
# weights are exact.
_PEACE_TO_BET_SECONDS: Final = 8.0

_LONGEST_BET_SECONDS: Final = 10.0

# Estimates that are off by less are no estimates.
_EXACT: Final = 0.01

_TOLERANCE: Final = 0.03

_ROUNDING: Final = 1e-6

# A full log that is refused all the same meets jitter: its slack grows, and shrinks again after a while in peace.
_WIDER: Final = 1.4

_WIDEST_SLACK: Final = 3.0

_PEACE_SECONDS: Final = 30.0

_PROBE_WINDOWS: Final = 1.4

_SHORTEST_PROBE_SECONDS: Final = 5.0

# Where no rate is known, one refusal for no reason would otherwise hold everything up for a minute and more.
_UNKNOWN_PROBE_SECONDS: Final = 15.0


@dataclass(frozen=True, slots=True)
class Window:
    """A guess: the service held all it takes in so many `seconds`, `held` calls (or tokens).

    `is_at_rate`: that is its advertised rate, give or take what was on its way.
    """

    seconds: float
    held: float
    is_at_rate: bool = False


class WindowQuota:
    """One quota as one process sees it.

    Args:
        per_minute: configured; None where it is to be found out.
        window_seconds: the longest window that the service may count in.
        by_tokens: the quota counts tokens, not calls.
        learned_seconds: the window that another night found, 0 for none.
    """

    def __init__(
        self, per_minute: float | None, window_seconds: float, by_tokens: bool = False, learned_seconds: float = 0.0
    ) -> None:
        self._base = window_seconds
        self._by_tokens = by_tokens
        self._configured = self._per_minute = math.inf if per_minute is None else per_minute
        self.seconds = min(learned_seconds or window_seconds, window_seconds)
        self._window = Window(self.seconds, math.inf)
        self.log = SlidingLog(self.seconds, slack_of(self.seconds), by_tokens, window_seconds)
        probe = self._probe_seconds()
        self.limit = AdaptiveLimit(self._advertised(self.seconds), probe, max(probe, _PROBE_WINDOWS * self._base))
        self._borders = [
            self._advertised(seconds)
            for seconds in KNOWN_SECONDS
            if seconds < window_seconds and per_minute is not None
        ]
        self._changed_at = 0
        self._first_refused: Entry | None = None
        self._untried: list[Window] = []
        self._ease_at = math.inf
        self._is_settled = self.is_narrow
        self._to_prove = 0
        self.on_trial = False
        self.bursts_lose = False
        self._chances = 0.0
        self._known_until = 0
        self._peace_seconds = _PEACE_TO_BET_SECONDS
        self._peace_since = math.inf  # the clock's beginning is the machine's: nothing is measured from there
        self._bet_from = 0.0
        self._last_refusals = LastRefusals(self.log, window_seconds, by_tokens)

    @property
    def is_narrow(self) -> bool:
        """True where the service counts in a shorter window than assumed, so that bursts lose."""
        return self.seconds < self._base

    @property
    def is_tried(self) -> bool:
        """True once the window needs no trial any more."""
        return not self.on_trial and (self._is_settled or not self._borders)

    @property
    def learned_seconds(self) -> float:
        """The window that was found, for the next night; 0 for none."""
        return self.seconds if self.is_narrow and not self.on_trial else 0.0

    @property
    def per_second(self) -> float:
        """The limit in force as a rate; infinity while unknown."""
        return self.limit.limit / self.seconds

    @property
    def advertised_per_second(self) -> float:
        """The configured or advertised rate, in the window that is counted in; infinity while unknown."""
        return self.limit.advertised / self.seconds

    def advertise(self, per_minute: float) -> None:
        """Take a rate from a reply's header; the configured one stays the upper bound."""
        self._per_minute = min(self._configured, per_minute)
        self.limit.advertise(self._advertised(self.seconds))

    def is_used_by_others(self, remaining: int | None) -> bool:
        """Return True where a header says that nothing is left although our own log has room."""
        return remaining == 0 and self.log.held < _NEARLY_FULL * self.limit.limit

    def has_room(self, now: float, pending: float, weight: float) -> bool:
        """Return True if a call of that weight fits beside `pending` ones that are let through but not sent."""
        held = self.log.held + pending
        # A call larger than the whole quota can only be tried alone.
        return not held or held + round(weight) <= self.limit.at(now, weight)

    def crosses_border(self, pending: int) -> bool:
        """Return True, once each, where a burst exceeds what a shorter window would take at the advertised rate."""
        if self._is_settled or not self._borders or self.log.held + pending <= self._borders[0]:
            return False
        self._borders.pop(0)
        return True

    def accepted(self, entry: Entry, reached: float, lump: float, now: float, doubt: float = 0.0) -> None:
        """A call was taken; arguments as in `AdaptiveLimit.accepted`, and `doubt` as in `explain`."""
        self.limit.accepted(entry.sequence, reached, lump, now)
        self._chances = max(0.0, self._chances - _CHANCES_PER_CALL)
        if now >= self._ease_at:
            self._set_slack(self.log.slack / _WIDER, now)
        self._peace_since = min(self._peace_since, now)
        if self.is_narrow and doubt > _EXACT and now >= self._peace_since + self._peace_seconds:
            self._try_longer(entry.sequence + 1, now)

    def correct(self, entry: Entry, delta: int, now: float) -> None:
        """Take what a call really used: the log, and limits found while it was in the window, move by `delta`."""
        assert entry.sent_at is not None
        self.log.change(entry.sent_at, delta, now)
        first = self._first_refused
        if first is None or entry.sequence > first.sequence:
            self.limit.correct(entry.sequence, delta)
            return
        assert first.sent_at is not None
        age = first.sent_at - entry.sent_at
        if age <= self.seconds:
            self.limit.correct(entry.sequence, delta)
        self._untried = [
            replace(window, held=window.held + delta) if age <= window.seconds else window for window in self._untried
        ]

    def passed(self, probe: Entry) -> None:
        """Take note that a call on trial was not refused; enough of them confirm the window."""
        if not self.on_trial:
            return
        # The refused call may have been large, with room left for a small one.
        self._to_prove -= probe.tokens if self._by_tokens else 1
        if self._to_prove <= 0:
            self.on_trial = False
            self._untried.clear()
            if self._window.is_at_rate:
                self.limit.limit = self.limit.advertised

    def is_nearly_full_at(self, entry: Entry) -> bool:
        """Return True where estimates that are too low explain a refusal."""
        return self.is_narrow and self._by_tokens and entry.tokens_reached > _NEARLY_FULL * self.limit.limit

    def inside_at(self, refused: Entry) -> float:
        """The least that the service held as a call was refused, in the window that is counted in."""
        inside = refused.tokens_inside if self._by_tokens else refused.calls_inside
        is_full = not self._by_tokens and refused.calls_reached > _FULL * self.limit.limit
        if not self.is_narrow or is_full:
            return float(inside)
        return SentHistory(self.log, refused, self._by_tokens).likely(self.seconds)

    def explain(self, entry: Entry, next_sequence: int, now: float, doubt: float = 0.0) -> bool:
        """Look for a window that explains a refusal; return False where the limit itself has to.

        Args:
            entry: the refused call, no longer counted in the log.
            next_sequence: the first one that a call not let through yet can get.
            now: the time.
            doubt: the relative error of the weights in the log.
        """
        self._last_refusals.add(entry)
        if entry.sequence < self._changed_at:  # sent before the window changed
            first = self._first_refused
            if self.on_trial and first is not None and entry.sequence < first.sequence:
                self._try_all(entry, self._changed_at, now, doubt)  # an earlier refusal, that came later
            return True
        if self.on_trial:
            self._adopt(self._untried.pop(0), next_sequence, now)
            return True
        self._peace_since = now
        if self._bet_from:
            self._peace_seconds *= 2
            self._turn_to(self._bet_from, self._advertised(self._bet_from), next_sequence, now)
            return True
        if self.is_narrow:
            return self._explain_narrow(entry, next_sequence, now, doubt)
        fill = (entry.tokens_reached if self._by_tokens else entry.calls_reached) / self.limit.limit
        return fill <= _FULL and not self._is_settled and self._try_all(entry, next_sequence, now, doubt)

    def trust(self, next_sequence: int, now: float) -> None:
        """Go back to the advertised rate: what was found was none."""
        if self._per_minute == math.inf and self.is_narrow:
            self._adopt(Window(self._base, math.inf), next_sequence, now)
        self.on_trial = False
        self._untried.clear()
        self.limit.trust()

    def _explain_narrow(self, entry: Entry, next_sequence: int, now: float, doubt: float) -> bool:
        """As `explain`, for a window that was found; it stays where it was full at every refusal of late."""
        is_exact = not self._by_tokens or doubt < _EXACT
        windows = {seconds for seconds in (*KNOWN_SECONDS, self.seconds) if seconds <= self._base}
        likely, most = self._last_refusals.rates(windows, 0.0 if is_exact else doubt)
        full = [seconds for seconds in windows if most[seconds] >= _FULL * self.advertised_per_second]
        if most[self.seconds] < (_NEARLY_FULL if self.limit.is_probing else _FULL) * self.per_second:
            self._turn_to_fullest(full, most, next_sequence, now)
            return True
        if self.limit.is_probing:  # it may be refused for that
            return False
        is_at_rate = self.limit.limit == self.limit.advertised < math.inf
        if is_exact:
            return is_at_rate and self._allow_for_jitter(next_sequence, now)
        if is_at_rate and not self._is_more_than_chance(entry, next_sequence):
            return True
        shorter = self._longest_below(full)
        if is_at_rate and shorter:
            self._turn_to(shorter, self._advertised(shorter), next_sequence, now)
            self.bursts_lose = True
        else:
            self.limit.yield_to((likely[self.seconds] + most[self.seconds]) / 2 * self.seconds, now)
        return True

    def _is_more_than_chance(self, refused: Entry, next_sequence: int) -> bool:
        """Return True where too many calls are refused to take that for sums of estimates that were off."""
        if refused.sequence > self._known_until:  # others were sent before that one was known
            self._known_until = next_sequence - 1
            self._chances += 1
        return self._chances > _MOST_CHANCES

    def _turn_to_fullest(self, full: list[float], most: dict[float, float], next_sequence: int, now: float) -> None:
        """Count in another window, one that was `full` at the advertised rate, or else the one that took the most."""
        seconds = self._longest_below(full) or min(full, default=0.0)
        held = self._advertised(seconds)
        if not full:
            seconds = max(most, key=lambda seconds: (most[seconds], seconds))
            held = most[seconds] * seconds
        self.bursts_lose = seconds >= self.seconds
        self._turn_to(seconds, held, next_sequence, now)

    def _longest_below(self, windows: Iterable[float]) -> float:
        """The longest of windows that are shorter than the one that is counted in; 0 for none."""
        return max((seconds for seconds in windows if seconds < self.seconds), default=0.0)

    def _turn_to(self, seconds: float, held: float, next_sequence: int, now: float) -> None:
        self._adopt(Window(seconds, held), next_sequence, now)
        self.on_trial = False
        self._chances = 0.0

    def _try_longer(self, next_sequence: int, now: float) -> None:
        """Bet on the next longer window: less of it stays empty because nobody knows what the next call weighs."""
        self._peace_since = now
        longer = min((known for known in KNOWN_SECONDS if self.seconds < known <= _LONGEST_BET_SECONDS), default=0.0)
        if longer and not self.on_trial and self.limit.limit == self.limit.advertised < math.inf:
            before = self.seconds
            self._turn_to(longer, self._advertised(longer), next_sequence, now)
            self._bet_from = before

    def _try_all(self, refused: Entry, next_sequence: int, now: float, doubt: float) -> bool:
        self._first_refused = refused
        self._untried = self._explanations(refused, max(doubt, _TOLERANCE))
        if self._untried:
            self._adopt(self._untried.pop(0), next_sequence, now)
        return bool(self._untried)

    def _allow_for_jitter(self, next_sequence: int, now: float) -> bool:
        """Widen the slack of a full log; where that is no help, bet on a shorter window, and return True."""
        shorter = self._longest_below(KNOWN_SECONDS)
        widest = slack_of(self.seconds) * (_WIDER if shorter else _WIDEST_SLACK)
        if self.seconds in KNOWN_SECONDS and self.log.slack < widest:
            self._set_slack(self.log.slack * _WIDER, now)
            return False
        if not shorter:
            return False
        self._turn_to(shorter, self._advertised(shorter), next_sequence, now)
        self.bursts_lose = True
        return True

    def _adopt(self, window: Window, next_sequence: int, now: float) -> None:
        self._window, self.seconds = window, window.seconds
        self._bet_from = 0.0
        self._peace_since = now
        self._set_slack(slack_of(window.seconds), now)
        advertised = self._advertised(window.seconds)
        self.limit.restart(advertised, window.held, next_sequence - 1, now, probe_seconds=self._probe_seconds())
        self._changed_at = next_sequence
        self._is_settled = True
        self._to_prove = 2 * self._first_refused.tokens if self._by_tokens and self._first_refused else 1
        self.on_trial = self.is_narrow

    def _explanations(self, refused: Entry, tolerance: float) -> list[Window]:
        history = SentHistory(self.log, refused, self._by_tokens)
        if not history:
            return []
        own = history.own
        narrow = [
            Window(seconds, min(history.held(seconds), self._advertised(seconds)), is_at_rate=True)
            for seconds in self._at_the_rate(history, tolerance)
        ]
        for seconds in _LIKELY_SECONDS:
            held = history.held(seconds)
            most = min(held + own, self._advertised(seconds) * (1 + tolerance))
            if seconds < self._base and held and history.most(seconds) <= most:
                narrow.append(Window(seconds, held))
        return [*narrow, Window(self._base, max(own, history.held(self._base)))] if narrow else []

    def _at_the_rate(self, history: SentHistory, tolerance: float) -> Iterator[float]:
        """The window in which the service, at its advertised rate, was full."""
        if self._per_minute == math.inf:
            return
        rate, own = self._per_minute / 60.0, history.own
        whole = history.held(self._base)
        most = whole + own if self._by_tokens else whole  # of calls, one more was one too many
        guess = max(snapped(whole / rate, most / rate, tolerance), _SHORTEST_SECONDS, 1.0 / rate)
        for seconds in sorted({guess, *KNOWN_SECONDS}):
            quota = rate * seconds
            if seconds >= self._base * (1 - _TOLERANCE):
                return
            full = history.held(seconds) + own > quota * (1 - _TOLERANCE)
            refuted = history.most(seconds) > quota * (1 + tolerance) + own
            if seconds == guess or (full and not refuted):
                yield seconds
                return

    def _set_slack(self, slack: float, now: float) -> None:
        least = slack_of(self.seconds)
        slack = min(max(slack, least), _WIDEST_SLACK * least)
        self.log.resize(self.seconds, slack, now)
        self._ease_at = now + _PEACE_SECONDS if slack > least else math.inf

    def _advertised(self, seconds: float) -> float:
        if self._per_minute == math.inf:
            return math.inf
        whole = self._per_minute * seconds / 60.0
        return max(1.0, whole if self._by_tokens else math.floor(whole + _ROUNDING))

    def _probe_seconds(self) -> float:
        if self._per_minute == math.inf:
            return _UNKNOWN_PROBE_SECONDS
        if not self.is_narrow:
            return _PROBE_WINDOWS * self._base
        return max(_SHORTEST_PROBE_SECONDS, _PROBE_WINDOWS * self.seconds)
