"""Pacing of calls: uses a quota in full and never exceeds it. Arithmetic only; time is an argument.

A log of what was sent, each entry stamped as its bytes are written, decides when the next call fits into the window
that the service counts in. What the quota really is comes from the configuration, from reply headers, and from
refusals: after a refusal the service held all there is, or it counts in a shorter window than was assumed
(`windows.window_quota`). A careful probe upward now and then finds out when there is more (`quota_limit`).
"""

import math
from collections import defaultdict
from typing import Final

from tasks.calling.rules.pacing.claim import Claim
from tasks.calling.rules.pacing.limits import Learned, LimiterSnapshot, Limits
from tasks.calling.rules.pacing.noise import Noise
from tasks.calling.rules.pacing.quota_limit import AdaptiveLimit
from tasks.calling.rules.pacing.quota_use import QuotaUse
from tasks.calling.rules.pacing.ramp import FIRST_RATE, CallSizes, Ramp, even, in_bursts, uneven
from tasks.calling.rules.pacing.usage_ratio import UsageRatio
from tasks.calling.rules.pacing.windows.sliding_window import Entry, SlidingLog, slack_of
from tasks.calling.rules.pacing.windows.window_quota import WindowQuota
from tasks.domain.errors import QuotaScope
from tasks.domain.records import QuotaHeaders

# A service that counts queries counts them by the second.
_QUERY_WINDOW_SECONDS: Final = 1.0

_FIRST_FLIGHT: Final = 128.0
_FIRST_LATENCY_SECONDS: Final = 1.0
_PROBE_SECONDS: Final = (10.0, 160.0)

# Limits refuse at once: a call that is not refused by then was taken.
_VERDICT_SECONDS: Final = 0.3

# Where a shorter window would be full, one call goes ahead of the others.
_BORDER_SECONDS: Final = 0.05

_RISE_PAUSE_SECONDS: Final = 1.0


class Pacer:
    """The state of one endpoint's quota as one process sees it.

    A call passes through `ready_at`, `grant`, `sent` and one of `answered`, `refused`, `failed`.

    Args:
        limits: the configured ones.
        shared: whether others use the same quota. A refusal then is no measure of the quota: all
            that can be done is to claim a bit less of it, and more again as time passes without refusals.
    """

    # Kept free for calls that weigh more: in windows of 1 and 2 s, where a refusal costs less, and in longer ones.
    deviations: tuple[float, float] = (1.4, 2.0)

    def __init__(self, limits: Limits, shared: bool = False) -> None:
        learned = limits.learned
        self._shared = shared
        self._claim = Claim()
        self._window = window = limits.window_seconds
        self._requests = WindowQuota(
            limits.requests_per_minute, window, learned_seconds=0.0 if shared else learned.requests_seconds
        )
        self._tokens = WindowQuota(
            limits.tokens_per_minute, window, by_tokens=True, learned_seconds=0.0 if shared else learned.tokens_seconds
        )
        self._quotas = {"requests": self._requests, "tokens": self._tokens}
        self._queries = AdaptiveLimit(
            limits.queries_per_second or math.inf, *_PROBE_SECONDS, start=learned.queries_per_second or math.inf
        )
        self._concurrency = AdaptiveLimit(float(limits.concurrency), *_PROBE_SECONDS, start=_FIRST_FLIGHT)
        self._second = SlidingLog(_QUERY_WINDOW_SECONDS, slack_of(_QUERY_WINDOW_SECONDS))
        self._granted = 0  # let through and not stamped: they count as if sent now
        self._granted_tokens = 0
        self._in_flight = 0
        self._flight_squares = 0
        self._sequence = self._headers_sequence = 0
        self._ramp = Ramp(window / 2)
        self._hold_until = -math.inf
        self._is_even = False
        self._probe: Entry | None = None
        self._use = QuotaUse()
        self._noise = defaultdict[QuotaScope, Noise](Noise)
        self._usage = UsageRatio()
        self._sizes = CallSizes()
        self._latency = _FIRST_LATENCY_SECONDS
        self._refusals = 0

    def ready_at(self, now: float, estimate: int) -> float:
        """Return when a call of that many estimated tokens may go; asked again then, the answer may be later still.

        Returns:
            `now` or earlier: at once. Infinity: not before another call is sent or has ended.
        """
        if self._in_flight >= self._concurrency.at(now):
            return math.inf
        if self._probe is not None:
            at = self._verdict_at(self._probe)
            if at > now:
                return at
            self._passed(self._probe)
        at = max(self._hold_until, self._ramp.next_send)
        if at > now:
            return at
        return self._room_at(now, estimate)

    def is_short_of_tokens(self, now: float) -> bool:
        """Return true where it is a call's size alone that keeps it from going now."""
        return self._tokens.limit.limit < math.inf and self.ready_at(now, 0) <= now

    def grant(self, now: float, estimate: int) -> Entry:
        """Let through a call that `ready_at` found ready."""
        self._in_flight += 1
        tokens = round(estimate * self._usage.ratio)
        entry = Entry(estimate, tokens, self._in_flight)
        self._granted += 1
        self._granted_tokens += tokens
        self._flight_squares += tokens * tokens
        self._sizes.add(tokens)
        weight = tokens / self._sizes.mean if self._tokens.is_narrow and self._sizes.mean else 1.0
        self._ramp.granted(now, *self._pace(), weight)
        if self._requests.crosses_border(self._granted) or self._tokens.crosses_border(self._granted_tokens):
            self._ramp.pause(now + _BORDER_SECONDS)
        if self._is_open() or self._requests.on_trial or self._tokens.on_trial:
            self._probe = entry
        return entry

    def sent(self, entry: Entry, now: float) -> None:
        """The call's bytes are being written. Stamping twice is harmless."""
        if entry.sent_at is not None or entry.ended:
            return
        self._sequence += 1
        requests, tokens, second = self._requests.log, self._tokens.log, self._second
        for log in (requests, tokens, second):
            log.advance(now)
        entry.sent_at = now
        entry.sequence = self._sequence
        entry.calls_inside = requests.inside
        entry.tokens_inside = tokens.inside
        entry.queries_inside = second.inside
        entry.flight_inside = self._in_flight - self._granted
        self._granted -= 1
        self._granted_tokens -= entry.tokens
        for log in (requests, tokens, second):
            log.add(entry, now)
        entry.calls_reached = requests.held
        entry.tokens_reached = tokens.held
        entry.queries_reached = second.held
        self._use.sent(now, self._tightest()[0])

    def answered(
        self, entry: Entry, now: float, tokens_used: int, limits: QuotaHeaders | None, latency_seconds: float
    ) -> None:
        """The call's reply is here in full; 0 tokens used means that it gave no count."""
        if entry.ended:
            return
        self.sent(entry, now)
        if entry is self._probe:
            self._passed(entry)
        self._latency += (latency_seconds - self._latency) * 0.05
        sequence = entry.sequence
        self._requests.accepted(entry, entry.calls_reached, 0.0, now)
        self._tokens.accepted(entry, entry.tokens_reached, entry.tokens, now, self._usage.doubt)
        self._queries.accepted(sequence, entry.queries_reached, 0.0, now)
        self._concurrency.accepted(sequence, entry.flight_reached, 0.0, now)
        for noise in self._noise.values():
            noise.accepted(sequence)
        self._end(entry)
        if tokens_used > 0:
            self._usage.learn(entry.estimate, tokens_used)
            self._tokens.correct(entry, tokens_used - entry.tokens, now)
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
        if retry_after_seconds is not None:
            self._hold(now + retry_after_seconds)
        if scope == "rate_increase":
            self._is_even = True
            self._ramp.rise_more_gently(self._second.inside / _QUERY_WINDOW_SECONDS)
            self._hold(now + _RISE_PAUSE_SECONDS)
        elif not begun and not self._shared and self._is_noise(entry, scope, now):
            return
        elif not self._explained(entry, scope, now):
            self._lower(entry, scope, begun, now)
        else:
            self._hold(now + min(self._limit_of(scope).pause_seconds, self._window / 4))
            if scope == "tokens":
                self._hold(now + self._tokens.rest_seconds(entry))

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
        """The fraction of its part of a shared quota that this process uses, from 0 to 1."""
        return self._claim.at(now)

    def cost_seconds(self, now: float, estimate: int) -> tuple[float, float]:
        """Seconds in which the quota of calls, and that of tokens, recovers from one call; 0 when unknown."""
        claim = self.claim(now)
        calls, tokens = self._requests.advertised_per_second * claim, self._tokens.advertised_per_second * claim
        return 1.0 / calls, estimate * self._usage.ratio / tokens

    def learned(self) -> Learned:
        """The facts that the next run should begin with."""
        queries = self._queries.limit if self._queries.limit < math.inf else 0.0
        return Learned(self._requests.learned_seconds, self._tokens.learned_seconds, queries)

    def snapshot(self, now: float, waiting: int = 0) -> LimiterSnapshot:
        """A snapshot of the pacing; `waiting` counts calls that were not sent yet."""
        requests, tokens = self._requests, self._tokens
        requests.log.advance(now)
        tokens.log.advance(now)
        fills = [quota.log.inside / quota.limit.limit for quota in (requests, tokens) if quota.limit.limit < math.inf]
        return LimiterSnapshot(
            in_flight=self._in_flight,
            waiting=waiting,
            sent_last_window=requests.log.inside,
            tokens_last_window=tokens.log.inside,
            limit_requests=_per_minute(requests.per_second),
            limit_tokens=_per_minute(tokens.per_second),
            refusals=self._refusals,
            fill=max(fills, default=None),
            # Of a shared quota, the rest is no loss of this process.
            used=None if self._shared else self._use.part(self._tightest()[1]),
        )

    def _room_at(self, now: float, estimate: int) -> float:
        requests, tokens, second = self._requests, self._tokens, self._second
        requests.log.advance(now)
        if requests.log.held + self._granted >= requests.limit.at(now):
            return requests.log.next_departure()
        if tokens.limit.limit != math.inf:
            tokens.log.advance(now)
            # Of the calls in flight, those that have left the window are no matter any more.
            inside = min(1.0, tokens.seconds / self._latency)
            margin = (
                self.deviations[tokens.seconds > 2.0] * self._usage.spread * math.sqrt(self._flight_squares * inside)
            )
            if not tokens.has_room(now, self._granted_tokens, estimate * self._usage.ratio + margin):
                return tokens.log.next_departure()
        if self._queries.limit != math.inf:
            second.advance(now)
            if second.held + self._granted >= self._queries.at(now):
                return second.next_departure()
        return now

    def _is_noise(self, entry: Entry, scope: QuotaScope, now: float) -> bool:
        noise = self._noise[scope]
        limit = self._limit_of(scope)
        quota = self._quotas.get(scope)
        known = noise.is_recognized
        provoked = limit.limit == math.inf or limit.is_probing
        provoked |= quota is not None and (not quota.is_tried or quota.is_nearly_full_at(entry))
        is_noise = noise.is_noise(entry.sequence, self._sequence, provoked)
        if noise.is_recognized and not known:
            if quota:
                quota.trust(self._sequence + self._granted + 1, now)
            else:
                limit.trust()
        return is_noise

    def _explained(self, entry: Entry, scope: QuotaScope, now: float) -> bool:
        quota = self._quotas.get(scope)
        if self._shared or quota is None:
            return False
        doubt = self._usage.doubt if scope == "tokens" else 0.0
        return quota.explain(entry, self._sequence + self._granted + 1, now, doubt)

    def _lower(self, entry: Entry, scope: QuotaScope, begun: bool, now: float) -> None:
        limit = self._limit_of(scope)
        inside, least = self._inside_at(scope, entry)
        foreign = self._shared and scope in {"requests", "tokens"}
        if begun or foreign:
            inside = math.inf
        longest_pause = self._window / 4
        if foreign:
            least = math.inf  # our own log may be full of calls that were taken
            longest_pause /= 4
        if not limit.refused(entry.sequence, self._sequence, inside, least, now):
            return
        if foreign and limit.refused_events == 1:
            self._claim.lower(now)
        if limit.refused_events > 1:
            # Until a call is taken again, each one that is sent may only add to the refusals.
            self._ramp.slow_to(max(FIRST_RATE, self._steady_rate() / 2))
        self._hold(now + min(limit.pause_seconds, longest_pause))

    def _limit_of(self, scope: QuotaScope) -> AdaptiveLimit:
        """The limit that a refusal speaks of."""
        quota = self._quotas.get(scope)
        return quota.limit if quota else self._queries if scope == "queries_per_second" else self._concurrency

    def _inside_at(self, scope: QuotaScope, entry: Entry) -> tuple[float, float]:
        """The least that the service held of what it refused a call for, and the least that its limit can be."""
        if quota := self._quotas.get(scope):
            return quota.inside_at(entry), float(entry.tokens) if scope == "tokens" else 1.0
        return entry.queries_inside if scope == "queries_per_second" else entry.flight_inside, 1.0

    def _passed(self, probe: Entry) -> None:
        """A call that tries a window was not refused: it is past its time, or its answer came before that."""
        self._requests.passed(probe)
        self._tokens.passed(probe)
        self._probe = None

    def _is_open(self) -> bool:
        limits = (self._requests.limit, self._tokens.limit, self._queries, self._concurrency)
        return any(limit.is_open for limit in limits)

    def _verdict_at(self, probe: Entry) -> float:
        if self._is_open() or probe.sent_at is None:
            return math.inf  # only an answer closes a breaker again
        return probe.sent_at + _VERDICT_SECONDS

    def _hold(self, until: float) -> None:
        self._hold_until = max(self._hold_until, until)

    def _end(self, entry: Entry) -> None:
        entry.ended = True
        self._in_flight -= 1
        self._flight_squares -= entry.tokens * entry.tokens
        if self._probe is entry:
            self._probe = None

    def _take_out(self, entry: Entry, now: float) -> None:
        if entry.sent_at is None:
            self._granted -= 1
            self._granted_tokens -= entry.tokens
            return
        self._requests.log.change(entry.sent_at, -1, now)
        self._tokens.log.change(entry.sent_at, -entry.tokens - entry.heavier, now)
        self._second.change(entry.sent_at, -1, now)
        self._use.refused()
        entry.counts = False

    def _obey(self, entry: Entry, limits: QuotaHeaders, now: float) -> None:
        if entry.sequence < self._headers_sequence:  # older news than what is known
            return
        self._headers_sequence = entry.sequence
        if limits.limit_requests:
            self._requests.advertise(limits.limit_requests)
        if limits.limit_tokens:
            self._tokens.advertise(limits.limit_tokens)
        left = limits.remaining_requests, limits.remaining_tokens
        if self._requests.is_used_by_others(left[0]) or self._tokens.is_used_by_others(left[1]):
            self._hold(now + self._window / 60.0)

    def _tightest(self) -> tuple[float, float]:
        """Calls a second by the limit that allows the fewest, and the window that it is counted in."""
        tokens = self._tokens.per_second / max(self._sizes.mean, 1.0)
        return min(
            (self._requests.per_second, self._requests.seconds),
            (tokens, self._tokens.seconds),
            (self._queries.limit, _QUERY_WINDOW_SECONDS),
        )

    def _steady_rate(self) -> float:
        """Sends a second that the quota has room for in the long run; infinity when it is unknown."""
        return min(self._requests.per_second, self._tokens.per_second / max(self._sizes.mean, 1.0))

    def _pace(self) -> tuple[float, float]:
        """Sends a second to rise to, and the lateness to catch up on: the quota's own pace where bursts lose."""
        steady = self._steady_rate()
        if self._is_even or self._requests.is_narrow:
            return even(steady)
        if self._tokens.is_narrow:
            return even(steady) if self._tokens.needs_even_pace or not self._sizes.are_mixed else uneven(steady)
        return in_bursts(steady)


def _per_minute(per_second: float) -> float | None:
    return None if per_second == math.inf else per_second * 60.0
