"""Window quota: so much in a window whose length nobody tells, one quota as one process sees it.

A quota "a minute" is counted in windows of 60 s by some services, of 10 s or 1 s by others, or by a token bucket, which
acts like a window of its depth. All that is known is the rate, and that a service refuses when its window is full. A
quota goes through up to four states:

1. **Longest.** The longest window is assumed, since it lets an idle quota be filled in a burst. A refusal that comes
   while the log is far from full contradicts it.
2. **Trial.** The log shows which shorter windows were full at that moment (`window_guess`). One call tries the
   likeliest. A refusal of it refutes the guess, and the next is tried (`trial`). The last guess is the longest window
   with a lower limit.
3. **Short.** Where bursts lose, calls keep an even pace, which is safe whatever the window is. At each refusal the
   window was full, if it is the right one. So where it was emptier at one of the last few (`last_refusals`), another
   is counted in. Where it was full at all of them, something else is wrong: calls that overtake each other
   (`jitter_slack`), estimates that are off by chance (`chance`), a service that takes less than it was told to
   (`quota_limit`), or a window that is shorter still. Until replies show what the calls in it weigh, they are taken to
   fill it (`last_refusals`).
4. **Bet.** Where nobody knows what the next call weighs, part of a window stays empty for that, and the shorter it is,
   the greater the part. So after a time in peace the next longer window is tried, and taken back once it is refused
   (`longer_bet`).

Weights are calls, or tokens where the quota counts these; times are seconds of one clock.
"""

import math
from collections.abc import Iterable
from typing import Final

from tasks.calling.rules.pacing.quota_limit import AdaptiveLimit
from tasks.calling.rules.pacing.windows.chance import Chance
from tasks.calling.rules.pacing.windows.jitter_slack import JitterSlack
from tasks.calling.rules.pacing.windows.last_refusals import LastRefusals
from tasks.calling.rules.pacing.windows.longer_bet import LongerBet
from tasks.calling.rules.pacing.windows.sent_history import KNOWN_SECONDS, SentCalls, SentHistory
from tasks.calling.rules.pacing.windows.sliding_window import Entry, SlidingLog, slack_of
from tasks.calling.rules.pacing.windows.told_rate import ToldRate
from tasks.calling.rules.pacing.windows.trial import Trial
from tasks.calling.rules.pacing.windows.window_guess import TOLERANCE, guesses

# A log this full explains a refusal by itself: one call overtook another.
_FULL: Final = 0.97

# So full it does where the limit is probed, or its calls are estimated.
_NEARLY_FULL: Final = 0.9

_REVIEW_SECONDS: Final = 1.0

# The calls before a refusal are answered by then, most of them.
_REVIEWED_SECONDS: Final = 3.0

# A window that was learned and seems to hold less than this part of what was told is a shorter one.
_LEAST_OF_LEARNED: Final = 0.52

# Two seconds of the clock look like less in one window of 2 s.
_SURE_SECONDS: Final = 5.0

# Time to send nothing after a refusal: until as much has left the window as was refused, and twice as long each time
# that nothing was taken since the last one.
_LONGEST_REST_SECONDS: Final = 1.0

_MOST_DOUBLINGS: Final = 4

# From here on a longer window could gain little.
_LONGEST_BET_SECONDS: Final = 10.0

# Weights that are off by less, relatively, are exact.
_EXACT: Final = 0.01

_PROBE_WINDOWS: Final = 1.4

_SHORTEST_PROBE_SECONDS: Final = 5.0

# Where no rate is known, one refusal for no reason would otherwise hold everything up for a minute and more.
_UNKNOWN_PROBE_SECONDS: Final = 15.0


class WindowQuota:
    """The window that a service counts in and what it takes in it, as far as refusals showed them.

    Args:
        per_minute: the rate that is configured; None where it is to be found out.
        window_seconds: the longest window that the service may count in.
        by_tokens: the quota counts tokens, not calls.
        learned_seconds: the window that another night found, 0 for none.
    """

    def __init__(
        self, per_minute: float | None, window_seconds: float, by_tokens: bool = False, learned_seconds: float = 0.0
    ) -> None:
        self._longest = window_seconds
        self._by_tokens = by_tokens
        self._told = told = ToldRate(per_minute, by_tokens)
        self.seconds = min(learned_seconds or window_seconds, window_seconds)
        self._learned = learned_seconds
        self.log = SlidingLog(self.seconds, slack_of(self.seconds), by_tokens, window_seconds)
        self._slack = JitterSlack(self.log)
        probe = self._probe_seconds()
        self.limit = AdaptiveLimit(told.in_window(self.seconds), probe, max(probe, _PROBE_WINDOWS * window_seconds))
        shorter = [seconds for seconds in KNOWN_SECONDS if seconds < window_seconds and told.is_known]
        self._borders = [told.in_window(seconds) for seconds in shorter]
        self._is_settled = self.is_narrow
        self._turned_at = 0  # the sequence of the first call that was let through in this window
        self._trial = Trial(by_tokens)
        self._last_refusals = LastRefusals(self.log, window_seconds, by_tokens)
        self._chance = Chance()
        self._review_at = self._review_until = math.inf
        self._bet = LongerBet()
        self.bursts_lose = False

    @property
    def is_narrow(self) -> bool:
        """True where the service counts in a shorter window than assumed, so that bursts lose."""
        return self.seconds < self._longest

    @property
    def on_trial(self) -> bool:
        """True while one call at a time goes ahead."""
        return self._trial.is_on

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
        self._told.advertise(per_minute)
        self.limit.advertise(self._told.in_window(self.seconds))

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
        self._chance.accepted()
        self._slack.ease(now)
        if self._review_at <= now:
            self._review_at = now + _REVIEW_SECONDS if now < self._review_until else math.inf
            if self.is_narrow and self.limit.limit < self.limit.advertised and not self.limit.is_probing:
                self._take_mean(now, doubt)
        self._bet.accepted(now)
        if self.is_narrow and doubt > _EXACT and self._bet.is_due(now):
            self._try_longer(entry.sequence + 1, now)

    def correct(self, entry: Entry, delta: int, now: float) -> None:
        """Take what a call really used: the log moves by `delta`, and so do limits found while it was in the window."""
        assert entry.sent_at is not None
        self.log.change(entry.sent_at, delta - entry.heavier, now)
        entry.heavier = 0
        if self._trial.held(entry, self.seconds):
            self.limit.correct(entry.sequence, delta)
        self._trial.correct(entry, delta)

    def passed(self, probe: Entry) -> None:
        """Take note that a call on trial was not refused; enough of them confirm the window."""
        confirmed = self._trial.passed(probe)
        if confirmed is not None and confirmed.is_at_rate:
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
        return SentHistory(SentCalls(self.log), refused, self._by_tokens).likely(self.seconds)

    def explain(self, refused: Entry, next_sequence: int, now: float, doubt: float = 0.0) -> bool:
        """Look for a window that explains a refusal; return False where the limit itself has to.

        Args:
            refused: the call, no longer counted in the log.
            next_sequence: the first one that a call not let through yet can get.
            now: the time.
            doubt: the relative error of the weights in the log.
        """
        self._last_refusals.add(refused, next_sequence)
        if refused.sequence < self._turned_at:  # it was sent in another window
            first = self._trial.refused
            if self.on_trial and first is not None and refused.sequence < first.sequence:
                self._begin_trial(refused, self._turned_at, now, doubt)  # an earlier refusal, that came later
            return True
        if self.on_trial:
            self._try_next(next_sequence, now)
            return True
        self._bet.wait(now)
        if self._bet.from_seconds:
            self._turn_to(self._bet.lose(self.seconds, now), next_sequence, now)
            return True
        if self._bet.is_felt(now):
            return True
        if self.is_narrow:
            return self._explain_narrow(refused, next_sequence, now, doubt)
        fill = (refused.tokens_reached if self._by_tokens else refused.calls_reached) / self.limit.limit
        return fill <= _FULL and not self._is_settled and self._begin_trial(refused, next_sequence, now, doubt)

    def rest_seconds(self, refused: Entry) -> float:
        """The time to send nothing after a refusal of tokens that `explain` explained: the window is full."""
        if not self.is_narrow:
            return 0.0
        rest = min(_LONGEST_REST_SECONDS, refused.tokens / self.per_second)
        return rest * 2.0 ** min(self._last_refusals.in_a_row - 1, _MOST_DOUBLINGS)

    @property
    def needs_even_pace(self) -> bool:
        """True where bursts lose, unless a pause left room in a window that is long enough to fill it quicker."""
        has_gap = self.seconds >= _SURE_SECONDS and self.log.held < _FULL * self.limit.limit
        return self.bursts_lose and not has_gap

    def trust(self, next_sequence: int, now: float) -> None:
        """Go back to the advertised rate: what was found was none."""
        if not self._told.is_known and self.is_narrow:
            self._turn_to(self._longest, next_sequence, now)
        self._trial.end()
        self.limit.trust()

    def _begin_trial(self, refused: Entry, next_sequence: int, now: float, doubt: float) -> bool:
        """Try what explains a refusal in the longest window; return False where nothing does."""
        history = SentHistory(SentCalls(self.log), refused, self._by_tokens)
        found = guesses(history, self._told, self._longest, max(doubt, TOLERANCE))
        if found:
            self._trial.begin(refused, found)
            self._try_next(next_sequence, now)
        return bool(found)

    def _try_next(self, next_sequence: int, now: float) -> None:
        guess = self._trial.next()
        self._turn_to(guess.seconds, next_sequence, now, guess.held)

    def _explain_narrow(self, refused: Entry, next_sequence: int, now: float, doubt: float) -> bool:
        """As `explain`, for a window that was found; it stays where it was full at every refusal of late."""
        is_exact = not self._by_tokens or doubt < _EXACT
        windows = {seconds for seconds in (*KNOWN_SECONDS, self.seconds) if seconds <= self._longest}
        likely, most = self._last_refusals.rates(windows, 0.0 if is_exact else doubt)
        full = [seconds for seconds in windows if most[seconds] >= _FULL * self.advertised_per_second]
        is_at_rate = self.limit.limit == self.limit.advertised < math.inf
        is_full = most[self.seconds] >= (_NEARLY_FULL if self.limit.is_probing else _FULL) * self.per_second
        holds_less = not (is_full or is_exact) and is_at_rate and self._holds_less_now(likely[self.seconds])
        if not (is_full or holds_less) and self._turn_to_fullest(full, most, next_sequence, now):
            return True
        if self.limit.is_probing:  # it may be refused for that
            if not is_exact:
                self._begin_review(now)
            return False
        if is_exact:
            return is_at_rate and self._allow_for_jitter(next_sequence, now)
        if is_full:
            self._last_refusals.weigh(self.seconds, self.limit.limit, doubt, now)
            if is_at_rate and (
                self._chance.explains(self._last_refusals.is_news) or self._turn_to_shorter(full, next_sequence, now)
            ):
                return True
        self._begin_review(now)
        self._take_mean(now, doubt)
        return True

    def _holds_less_now(self, likely_per_second: float) -> bool:
        """Return True where a window that another night learned holds less now, rather than be a shorter one."""
        is_learned = self.seconds == self._learned >= _SURE_SECONDS
        return is_learned and likely_per_second > _LEAST_OF_LEARNED * self.advertised_per_second

    def _begin_review(self, now: float) -> None:
        """Look at the last refusals every now and then, as replies show what the calls before them weighed."""
        self._review_at, self._review_until = now, now + _REVIEWED_SECONDS

    def _take_mean(self, now: float, doubt: float) -> None:
        """Take for the limit the mean of what the last refusals show, which lets it rise, too."""
        self.limit.yield_to(self._last_refusals.quota(self.seconds, doubt, now), now)

    def _allow_for_jitter(self, next_sequence: int, now: float) -> bool:
        """Widen the slack of a full log; where that is no help, turn to a shorter window, and return True."""
        has_shorter = self.seconds > min(KNOWN_SECONDS)
        if self.seconds in KNOWN_SECONDS and self._slack.widen(now, is_once=has_shorter):
            return False
        return self._turn_to_shorter(KNOWN_SECONDS, next_sequence, now)

    def _turn_to_fullest(self, full: list[float], most: dict[float, float], next_sequence: int, now: float) -> bool:
        """Count in a window that was `full` at the advertised rate, or else in the one that took the most.

        Return False where that is this one, and no more is wrong with it than that its limit is probed.
        """
        if full:
            seconds, held = self._longest_below(full) or min(full), math.inf
        else:
            seconds = max(most, key=lambda seconds: (most[seconds], seconds))
            held = most[seconds] * seconds
        if seconds == self.seconds and self.limit.is_probing:
            return False
        holds_less = seconds == self._learned < _SURE_SECONDS
        self.bursts_lose = seconds >= self.seconds and not holds_less
        self._turn_to(seconds, next_sequence, now, held)
        return True

    def _turn_to_shorter(self, windows: Iterable[float], next_sequence: int, now: float) -> bool:
        """Count in the longest of `windows` that is shorter, at the advertised rate; return False where none is."""
        shorter = self._longest_below(windows)
        if shorter:
            self._turn_to(shorter, next_sequence, now)
            self.bursts_lose = True
        return bool(shorter)

    def _longest_below(self, windows: Iterable[float]) -> float:
        """The longest of windows that are shorter than the one that is counted in; 0 for none."""
        return max((seconds for seconds in windows if seconds < self.seconds), default=0.0)

    def _try_longer(self, next_sequence: int, now: float) -> None:
        """Bet on the next longer window."""
        self._bet.wait(now)
        longer = min((known for known in KNOWN_SECONDS if self.seconds < known <= _LONGEST_BET_SECONDS), default=0.0)
        if longer and not self.on_trial and self.limit.limit == self.limit.advertised < math.inf:
            before = self.seconds
            self._turn_to(longer, next_sequence, now)
            self._bet.place(before)

    def _turn_to(self, seconds: float, next_sequence: int, now: float, held: float = math.inf) -> None:
        """Count in that window from now on, with a limit of `held`, or less where less is advertised."""
        self.seconds = seconds
        self._slack.restart(seconds, now)
        advertised = self._told.in_window(seconds)
        self.limit.restart(advertised, held, next_sequence - 1, now, probe_seconds=self._probe_seconds())
        self._turned_at = next_sequence
        self._is_settled = True
        self._chance.forget()
        self._bet.settle(now)

    def _probe_seconds(self) -> float:
        """The time to stay at a limit that was found, before more is tried."""
        if not self._told.is_known:
            return _UNKNOWN_PROBE_SECONDS
        if not self.is_narrow:
            return _PROBE_WINDOWS * self._longest
        return max(_SHORTEST_PROBE_SECONDS, _PROBE_WINDOWS * self.seconds)
