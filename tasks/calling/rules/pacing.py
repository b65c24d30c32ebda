"""When a call may go, so that a quota is used in full and never exceeded: arithmetic only, time is an argument.

A service counts calls and tokens in a window that slides with every arrival. So does this: a log of what was
sent, each entry stamped as its bytes are written, decides when the next call fits. What the quota really is
comes from the configuration, from reply headers, and from refusals: a refusal tells that the log then held
all there is, and a careful probe upward now and then finds out when there is more.
"""

import math
from dataclasses import dataclass
from typing import Final

from tasks.calling.rules.quota_limit import _STRIKES_TO_SHUT, AdaptiveLimit
from tasks.calling.rules.sliding_window import SLACK_SECONDS, Entry, SlidingLog
from tasks.domain.errors import QuotaScope
from tasks.domain.records import QuotaHeaders

# A service that counts queries counts them by the second.
_QUERY_WINDOW_SECONDS: Final = 1.0

# Refusals come back within tens of milliseconds, so at these rates a limit costs two or three of them.
_FIRST_RATE: Final = 48.0

_BLIND_RATE: Final = 64.0

_EASY_RATE: Final = 128.0

_DOUBLING_SECONDS: Final = 0.5

# How much faster than the quota's own pace an empty window is filled, a new quota explored.
_BURST: Final = 3.0

# What a refusal by a shared quota takes from a claim, and what a second gives back.
_LESS: Final = 0.99

_MORE_PER_SECOND: Final = 0.001

# What a timer that fires late may catch up on.
_CATCH_UP_SECONDS: Final = 0.005

_FIRST_FLIGHT: Final = 128.0

_FIRST_LATENCY_SECONDS: Final = 1.0

_FIRST_PAUSE_SECONDS: Final = 0.5

_PROBE_WINDOWS: Final = 1.4

_PROBE_SECONDS: Final = (10.0, 160.0)

# Before replies have told how estimates relate to usage, an estimate counts for a bit more than it says.
_FIRST_RATIO: Final = 1.25

_FIRST_SPREAD: Final = 0.25


@dataclass(frozen=True, slots=True)
class Limits:
    """What the configuration says; None where the quota is to be found out.

    Args:
        requests_per_minute: calls a minute.
        tokens_per_minute: prompt and answer tokens a minute.
        concurrency: the most calls in flight.
        window_seconds: the window that the service counts in; the quotas above are scaled to it.
    """

    requests_per_minute: float | None = None
    tokens_per_minute: float | None = None
    concurrency: int = 64
    window_seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class LimiterSnapshot:
    """How the pacing stands. Limits are those in force, per minute; None while nothing is known of them.

    `sent_last_window` and `tokens_last_window` are what the service counts now; `waiting` calls want to go.
    """

    in_flight: int
    waiting: int
    sent_last_window: int
    tokens_last_window: int
    limit_requests: float | None
    limit_tokens: float | None
    refusals: int


class Pacer:
    """The state of one endpoint's quota as one process sees it.

    A call passes through `ready_at`, `grant`, `sent` and one of `answered`, `refused`, `failed`.

    Args:
        limits: what the configuration says.
        shared: whether others use the same quota. A refusal then tells nothing of how much there is: all
            that can be done is to claim a bit less of it, and more again as time passes without refusals.
    """

    def __init__(self, limits: Limits, shared: bool = False) -> None:
        self._shared = shared
        self._claim = 1.0
        self._claimed_at = -math.inf
        self._window = window = limits.window_seconds
        self._scale = window / 60.0
        self._configured_requests = self._per_window(limits.requests_per_minute)
        self._configured_tokens = self._per_window(limits.tokens_per_minute)
        probe = _PROBE_WINDOWS * window
        self._requests = AdaptiveLimit(self._configured_requests, probe, probe)
        self._tokens = AdaptiveLimit(self._configured_tokens, probe, probe)
        self._queries = AdaptiveLimit(math.inf, *_PROBE_SECONDS)
        self._concurrency = AdaptiveLimit(float(limits.concurrency), *_PROBE_SECONDS, start=_FIRST_FLIGHT)
        self._log = SlidingLog(window, SLACK_SECONDS)
        self._second = SlidingLog(_QUERY_WINDOW_SECONDS, SLACK_SECONDS)
        self._granted = 0  # let through and not stamped: they count as if sent now
        self._granted_tokens = 0
        self._in_flight = 0
        self._flight_squares = 0
        self._sequence = self._told_sequence = 0
        self._rate = _FIRST_RATE
        self._next_send = -math.inf
        self._last_grant = math.inf
        self._hold_until = -math.inf
        self._trial: Entry | None = None
        self._ratio = _FIRST_RATIO
        self._spread = _FIRST_SPREAD
        self._mean_tokens = 0.0
        self._latency = _FIRST_LATENCY_SECONDS
        self._replies = 0
        self._refusals = 0

    def ready_at(self, now: float, estimate: int) -> float:
        """When a call of that many estimated tokens may go; asked again then, the answer may be later still.

        Returns:
            `now` or earlier: at once. Infinity: not before another call is sent or has ended.
        """
        if self._in_flight >= self._concurrency.at(now) or self._trial is not None:
            return math.inf
        at = max(self._hold_until, self._next_send)
        if at > now:
            return at
        log, second = self._log, self._second
        log.advance(now)
        if log.calls + self._granted >= self._requests.at(now):
            return log.next_departure()
        if self._tokens.limit != math.inf:
            weight = estimate * self._ratio
            held = log.tokens + self._granted_tokens
            margin = 2.0 * self._spread * math.sqrt(self._flight_squares)
            # A call larger than the whole quota can only be tried alone.
            if held and held + weight + margin > self._tokens.at(now, weight):
                return log.next_departure()
        if self._queries.limit != math.inf:
            second.advance(now)
            if second.calls + self._granted >= self._queries.at(now):
                return second.next_departure()
        return now

    def grant(self, now: float, estimate: int) -> Entry:
        """Let through a call that `ready_at` found ready."""
        self._in_flight += 1
        tokens = round(estimate * self._ratio)
        entry = Entry(estimate, tokens, self._in_flight)
        self._granted += 1
        self._granted_tokens += tokens
        self._flight_squares += tokens * tokens
        self._mean_tokens += (tokens - self._mean_tokens) * 0.02 if self._mean_tokens else tokens
        self._next_send = max(self._next_send, now - _CATCH_UP_SECONDS) + 1.0 / self._ramp(now)
        if self._shut():
            self._trial = entry
        return entry

    def sent(self, entry: Entry, now: float) -> None:
        """The call's bytes are being written. Stamping twice is harmless."""
        if entry.sent_at is not None or entry.ended:
            return
        self._sequence += 1
        log, second = self._log, self._second
        log.advance(now)
        second.advance(now)
        entry.sent_at = now
        entry.sequence = self._sequence
        entry.calls_inside = log.calls_inside
        entry.tokens_inside = log.tokens_inside
        entry.queries_inside = second.calls_inside
        entry.flight_inside = self._in_flight - self._granted
        self._granted -= 1
        self._granted_tokens -= entry.tokens
        log.add(entry, now)
        second.add(entry, now)
        entry.calls_reached = log.calls
        entry.tokens_reached = log.tokens
        entry.queries_reached = second.calls

    def answered(
        self, entry: Entry, now: float, tokens_used: int, limits: QuotaHeaders | None, latency_seconds: float
    ) -> None:
        """The call's reply is here in full; 0 tokens used means that it did not tell."""
        if entry.ended:
            return
        self.sent(entry, now)
        self._latency += (latency_seconds - self._latency) * 0.05
        sequence = entry.sequence
        self._requests.accepted(sequence, entry.calls_reached, 0.0, now)
        self._tokens.accepted(sequence, entry.tokens_reached, entry.tokens, now)
        self._queries.accepted(sequence, entry.queries_reached, 0.0, now)
        self._concurrency.accepted(sequence, entry.flight_reached, 0.0, now)
        self._end(entry)
        if tokens_used > 0:
            self._learn_ratio(entry.estimate, tokens_used)
            assert entry.sent_at is not None
            delta = tokens_used - entry.tokens
            self._log.change(entry.sent_at, 0, delta, now)
            self._tokens.correct(entry.sequence, delta)
            entry.tokens = tokens_used
        if limits is not None:
            self._obey(entry, limits, now)

    def refused(
        self,
        entry: Entry,
        now: float,
        scope: QuotaScope,
        retry_after_seconds: float | None,
        limits: QuotaHeaders | None,
    ) -> None:
        """The call was turned away by a limit, and so does not count against any."""
        if entry.ended:
            return
        self.sent(entry, now)
        self._end(entry)
        self._refusals += 1
        # A limit refuses at once. Work that was begun and then given up was counted, and says
        # nothing of how much fits.
        assert entry.sent_at is not None
        begun = scope == "overload" and now - entry.sent_at > self._latency / 6
        if not begun:
            self._take_out(entry, now)
        if limits is not None:
            self._obey(entry, limits, now)
        bound, inside, least = self._refusing(scope, entry)
        foreign = self._shared and scope in {"requests", "tokens"}
        if begun or foreign:
            inside = math.inf
        longest_pause = self._window / 4
        if foreign:
            least = math.inf  # our own log may be full of calls that were taken
            longest_pause /= 4
        if bound.refused(entry.sequence, self._sequence, inside, least, now):
            if foreign and bound.strikes == 1:
                self._claim = max(0.01, self.claim(now) * _LESS)
                self._claimed_at = now
            if bound.strikes > 1:
                # Until a call is taken again, each one that is sent may only add to the refusals.
                self._rate = min(self._rate, max(_FIRST_RATE, self._steady_rate() / 2))
            if bound.shut:
                pause = _FIRST_PAUSE_SECONDS * 2.0 ** min(bound.strikes - _STRIKES_TO_SHUT, 16)
                self._hold(now + min(pause, longest_pause))
        if retry_after_seconds is not None:
            self._hold(now + retry_after_seconds)

    def failed(self, entry: Entry, now: float, maybe_counted: bool) -> None:
        """The call ended otherwise; what the service may have counted stays in the log."""
        if entry.ended:
            return
        if maybe_counted:
            self.sent(entry, now)
        self._end(entry)
        if not maybe_counted:
            self._take_out(entry, now)

    def claim(self, now: float) -> float:
        """How much of its part of a shared quota this process dares to use, from 0 to 1."""
        if self._claim == 1.0:
            return 1.0
        return min(1.0, self._claim + (now - self._claimed_at) * _MORE_PER_SECOND)

    def cost_seconds(self, now: float, estimate: int) -> tuple[float, float]:
        """How long the quota of calls, and that of tokens, takes to make good for one call; 0 when unknown."""
        speed = self.claim(now) / self._window
        calls, tokens = self._requests.told * speed, self._tokens.told * speed
        return 1.0 / calls, estimate * self._ratio / tokens

    def snapshot(self, now: float, waiting: int = 0) -> LimiterSnapshot:
        """How things stand, with `waiting` calls that were not let through yet."""
        self._log.advance(now)
        return LimiterSnapshot(
            in_flight=self._in_flight,
            waiting=waiting,
            sent_last_window=self._log.calls_inside,
            tokens_last_window=self._log.tokens_inside,
            limit_requests=self._per_minute(self._requests.limit),
            limit_tokens=self._per_minute(self._tokens.limit),
            refusals=self._refusals,
        )

    def _per_window(self, per_minute: float | None) -> float:
        return math.inf if per_minute is None else max(1.0, per_minute * self._scale)

    def _per_minute(self, limit: float) -> float | None:
        return None if limit == math.inf else limit / self._scale

    def _refusing(self, scope: QuotaScope, entry: Entry) -> tuple[AdaptiveLimit, float, float]:
        """The bound that a refusal speaks of, what the service held of it, and the least it can be."""
        if scope == "requests":
            return self._requests, entry.calls_inside, 1.0
        if scope == "tokens":
            return self._tokens, entry.tokens_inside, float(entry.tokens)
        if scope == "queries_per_second":
            return self._queries, entry.queries_inside, 1.0
        return self._concurrency, entry.flight_inside, 1.0

    def _shut(self) -> bool:
        return self._requests.shut or self._tokens.shut or self._queries.shut or self._concurrency.shut

    def _hold(self, until: float) -> None:
        self._hold_until = max(self._hold_until, until)

    def _end(self, entry: Entry) -> None:
        entry.ended = True
        self._in_flight -= 1
        self._flight_squares -= entry.tokens * entry.tokens
        if self._trial is entry:
            self._trial = None

    def _take_out(self, entry: Entry, now: float) -> None:
        if entry.sent_at is None:
            self._granted -= 1
            self._granted_tokens -= entry.tokens
            return
        self._log.change(entry.sent_at, -1, -entry.tokens, now)
        self._second.change(entry.sent_at, -1, -entry.tokens, now)
        entry.counts = False

    def _learn_ratio(self, estimate: int, used: int) -> None:
        self._replies += 1
        gain = max(0.02, 1.0 / self._replies)
        off = used / max(estimate, 1) - self._ratio
        self._ratio += gain * off
        self._spread += gain * (abs(off) / self._ratio * 1.25 - self._spread)

    def _obey(self, entry: Entry, limits: QuotaHeaders, now: float) -> None:
        if entry.sequence < self._told_sequence:  # older news than what is known
            return
        self._told_sequence = entry.sequence
        requests, tokens = limits.limit_requests, limits.limit_tokens
        if requests:
            self._requests.tell(min(self._configured_requests, max(1.0, requests * self._scale)))
        if tokens:
            self._tokens.tell(min(self._configured_tokens, max(1.0, tokens * self._scale)))
        # Used up although our own log has room: somebody else uses this quota too.
        spent = limits.remaining_requests == 0 and self._log.calls < 0.9 * self._requests.limit
        if spent or (limits.remaining_tokens == 0 and self._log.tokens < 0.9 * self._tokens.limit):
            self._hold(now + self._window / 60.0)

    def _steady_rate(self) -> float:
        """Sends a second that the quota has room for in the long run; infinity when it is unknown."""
        calls = self._requests.limit
        if self._tokens.limit != math.inf:
            calls = min(calls, self._tokens.limit / max(self._mean_tokens, 1.0))
        return calls / self._window

    def _ramp(self, now: float) -> float:
        """Sends a second: from a first few up to a few times the quota's own pace, or on and on without one."""
        cruise = max(_EASY_RATE, _BURST * self._steady_rate())
        if self._rate < cruise:
            easy = self._rate < _BLIND_RATE or cruise < math.inf
            elapsed = min(max(0.0, now - self._last_grant), 0.25)
            self._rate *= 2.0 ** (elapsed / (_DOUBLING_SECONDS if easy else self._window / 2))
        self._rate = min(self._rate, cruise)
        self._last_grant = now
        return self._rate
