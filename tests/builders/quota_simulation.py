"""A strict service and its clients in simulated time: nothing sleeps, every run of a seed is the same."""

import heapq
import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice

from tasks.calling.rules.pacing.limits import Limits
from tasks.calling.rules.pacing.pacer import Pacer
from tasks.calling.rules.pacing.waiting_line import WaitingLine
from tasks.calling.rules.pacing.windows.sliding_window import Entry
from tasks.domain.records import QuotaHeaders
from tests.builders.quotas import Quota, Style


@dataclass
class Service:
    """Counts arrivals; what it refuses is free. Quotas are per window, 0 for none.

    `steepest_rise`: refuses a second that holds more than so many times the mean of the ten before it (and 10 calls).
    """

    window_seconds: float = 10.0
    requests: int = 0
    tokens: int = 0
    queries: int = 0
    concurrency: int = 0
    headers: bool = False
    latency_median: float = 1.2
    latency_sigma: float = 0.5
    overloaded: float = 0.0  # the share of calls that fail with an overload after their work
    faults: float = 0.0
    whims: float = 0.0  # the share of calls that are refused for no reason
    style: Style = "sliding"
    steepest_rise: float = 0.0
    arrivals: list[tuple[float, int]] = field(default_factory=list)
    refused: list[tuple[float, str]] = field(default_factory=list)
    running: int = 0
    peak_running: int = 0

    def __post_init__(self) -> None:
        self._requests = Quota(self.requests, self.window_seconds, self.style, offset=0.37 * self.window_seconds)
        self._tokens = Quota(self.tokens, self.window_seconds, self.style, offset=0.37 * self.window_seconds)
        self._queries = Quota(self.queries, 1.0)
        self._last_second = Quota(0, 1.0)
        self._ten_seconds = Quota(0, 10.0)
        self._whim = random.Random(7)

    def arrive(self, now: float, tokens: int) -> str:
        """Return the reason why this arrival is refused, or an empty string."""
        self._requests.size, self._tokens.size, self._queries.size = self.requests, self.tokens, self.queries
        if self.steepest_rise:
            self._last_second.advance(now)
            self._ten_seconds.advance(now)
        why = ""
        if self.concurrency and self.running >= self.concurrency:
            why = "overload"
        elif self.steepest_rise and self._last_second.held >= max(
            10.0, self.steepest_rise * self._ten_seconds.held / 10
        ):
            why = "rate_increase"
        elif self._queries.is_full(now, 1):
            why = "queries_per_second"
        elif self._requests.is_full(now, 1):
            why = "requests"
        elif self._tokens.is_full(now, tokens):
            why = "tokens"
        elif self.whims and self._whim.random() < self.whims:
            why = "requests"
        if why:
            self.refused.append((now, why))
            return why
        self._requests.take(now, 1)
        self._tokens.take(now, tokens)
        self._queries.take(now, 1)
        if self.steepest_rise:
            self._last_second.take(now, 1)
            self._ten_seconds.take(now, 1)
        self.arrivals.append((now, tokens))
        self.running += 1
        self.peak_running = max(self.peak_running, self.running)
        return ""

    def told(self) -> QuotaHeaders | None:
        """Return the limits that the headers state, per minute."""
        if not self.headers:
            return None
        share = 60.0 / self.window_seconds
        return QuotaHeaders(
            round(self.requests * share) or None,
            round(self.tokens * share) or None,
            max(0, round(self.requests - self._requests.held)) if self.requests else None,
            max(0, round(self.tokens - self._tokens.held)) if self.tokens else None,
        )

    def steady_use(self, per_second: float, since: float, tokens: bool = False) -> float:
        """The part of a rate that was used in whole windows from `since` on; 0 where there is none."""
        if not self.arrivals:
            return 0.0
        seconds = max(self.window_seconds, 1.0)
        begin, last = self.arrivals[0][0], self.arrivals[-1][0]
        begin += seconds * max(0, math.ceil((since - begin) / seconds))
        windows = math.floor((last - begin) / seconds)
        if windows < 1:
            return 0.0
        end = begin + seconds * windows
        used = sum(weight if tokens else 1 for at, weight in self.arrivals if begin <= at < end)
        return used / (per_second * (end - begin))

    def use(self, per_second: float, since: float, tokens: bool = False) -> float:
        """The part of a rate that was used from `since` to the last arrival."""
        last = self.arrivals[-1][0]
        used = sum(weight if tokens else 1 for at, weight in self.arrivals if since <= at < last)
        return used / (per_second * (last - since))

    def fills(self, quota: int, since: float = 0.0, tokens: bool = False) -> list[float]:
        """Return the fill of each whole window after the first arrival, until the last one."""
        if not self.arrivals:
            return []
        begin = self.arrivals[0][0]
        last = self.arrivals[-1][0]
        fills = []
        while begin + self.window_seconds <= last:
            end = begin + self.window_seconds
            if begin >= since:
                used = sum(weight if tokens else 1 for at, weight in self.arrivals if begin <= at < end)
                fills.append(used / quota)
            begin = end
        return fills


# A pacer's clock counts from the start of its machine: so long before its first call.
_UPTIME = 7_200.0

_QUEUED = 4000  # more than any burst takes: to queue all calls of a run at once costs more than the run


@dataclass
class Outcome:
    """The outcome of a simulated run."""

    seconds: float
    done: int
    failed: int
    pacer: Pacer

    @property
    def used(self) -> float | None:
        """The part of the quota that the pacer says it used."""
        return self.pacer.snapshot(self.seconds + _UPTIME).used


def simulate(  # noqa: PLR0915 (one small function an event, over one state)
    service: Service,
    limits: Limits,
    calls: int,
    seed: int = 0,
    tokens: Callable[[random.Random], tuple[int, int]] = lambda _: (500, 500),
    changes: tuple[tuple[float, Callable[[Service], None]], ...] = (),
    seconds: float = math.inf,
    pacing: Callable[[Limits], Pacer] = Pacer,
) -> Outcome:
    """Send `calls` calls (or as many as fit into `seconds`) through a pacer to the service.

    Args:
        service: who answers.
        limits: what the pacer is told.
        calls: how many conversations there are.
        seed: everything random hangs on it.
        tokens: estimate and true usage of a call.
        changes: what happens to the service at which second.
        seconds: when to stop.
        pacing: makes the pacer of what it is told.
    """
    rng = random.Random(seed)
    pacer = pacing(limits)
    events: list[tuple[float, int, Callable[[], None]]] = []
    order = 0
    now = 0.0
    line = WaitingLine[int]()
    lengths = iter([tokens(rng) for _ in range(calls)])
    done = failed = 0
    due = math.inf

    def at(when: float, what: Callable[[], None]) -> None:
        nonlocal order
        order += 1
        heapq.heappush(events, (when, order, what))

    def wire() -> float:
        return rng.uniform(0.001, 0.020)

    def queue_up() -> None:
        for estimate, used in islice(lengths, _QUEUED - len(line)):
            line.append(used, estimate)

    def clock() -> float:
        return now + _UPTIME

    def look() -> None:
        nonlocal due
        if len(line) < _QUEUED // 2:
            queue_up()
        while (found := line.next_ready(pacer, clock())) is not None:
            place, ready = found[0], found[1] - _UPTIME
            if ready > now:
                if ready < due:
                    due = ready
                    at(max(ready, now + 0.0002) + rng.uniform(0, 0.001), ring)  # timers fire a bit late
                return
            used, estimate = line.take(place)
            entry = pacer.grant(clock(), estimate)
            at(now + rng.uniform(0.0002, 0.003), lambda e=entry, u=used: send(e, u))  # type: ignore[misc]

    def ring() -> None:
        nonlocal due
        due = math.inf
        look()

    def send(entry: Entry, used: int) -> None:
        pacer.sent(entry, clock())
        at(now + wire(), lambda: arrive(entry, used))
        look()

    def arrive(entry: Entry, used: int) -> None:
        why = service.arrive(now, used)
        told = service.told()
        if why:
            at(now + wire(), lambda: refuse(entry, used, why, told))
            return
        latency = rng.lognormvariate(math.log(service.latency_median), service.latency_sigma)
        roll = rng.random()
        if roll < service.overloaded:
            at(now + latency, lambda: leave(lambda: refuse(entry, used, "overload", told)))
        elif roll < service.overloaded + service.faults:
            at(now + latency, lambda: leave(lambda: fail(entry, used)))
        else:
            at(now + latency, lambda: leave(lambda: reply(entry, used, told, latency)))

    def leave(then: Callable[[], None]) -> None:
        service.running -= 1
        at(now + wire(), then)

    def refuse(entry: Entry, used: int, why: str, told: QuotaHeaders | None) -> None:
        pacer.refused(entry, clock(), why, None, told)  # type: ignore[arg-type]
        line.append(used, entry.estimate)
        look()

    def fail(entry: Entry, used: int) -> None:
        nonlocal failed
        failed += 1
        pacer.failed(entry, clock(), maybe_counted=True)
        line.append(used, entry.estimate)
        look()

    def reply(entry: Entry, used: int, told: QuotaHeaders | None, latency: float) -> None:
        nonlocal done
        done += 1
        pacer.answered(entry, clock(), used, told, latency)
        look()

    for when, change in changes:
        at(when, lambda change=change: change(service))  # type: ignore[misc]
    at(0.0, look)
    while events and done < calls:
        when, _, what = heapq.heappop(events)
        if when > seconds:
            break
        now = when
        what()
    return Outcome(now, done, failed, pacer)
