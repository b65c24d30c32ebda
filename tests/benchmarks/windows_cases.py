"""Services for the benchmark of windows: what each counts, what its clients are told, and what it would allow."""

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tasks.calling.rules.pacing.limits import Learned, Limits

CALLS = 50  # a second

MEAN_TOKENS = 506.0

_MEAN_LATENCY = 1.2 * math.exp(0.5**2 / 2) + 0.023  # the wire holds a place for a moment longer

Lengths = Callable[[random.Random], tuple[int, int]]


def exact(rng: random.Random) -> tuple[int, int]:
    """Estimate and true size of a call, the same."""
    size = max(60, int(rng.lognormvariate(6.1, 0.5)))
    return size, size


def uncertain(rng: random.Random) -> tuple[int, int]:
    """Estimate and true size of a call, 12 % apart."""
    size = max(60, int(rng.lognormvariate(6.1, 0.5)))
    return size, max(20, int(size * rng.gauss(1.0, 0.12)))


@dataclass(frozen=True, slots=True)
class Case:
    """A service, what is told of it, and what it allows a second."""

    title: str
    service: dict[str, Any]
    limits: Limits
    per_second: float
    by_tokens: bool = False
    lengths: Lengths = exact
    is_extra: bool = field(default=False, kw_only=True)

    @property
    def seconds(self) -> float:
        """The time to simulate: three of the longest windows."""
        return max(90.0, 3.05 * float(self.service.get("window_seconds", 60.0)))

    @property
    def all_told(self) -> Limits:
        """The limits of a client that knows all the service counts, but not the true sizes of its calls."""
        window, told = float(self.service["window_seconds"]), self.limits
        requests, tokens = (self.service.get(name, 0) * 60 / window for name in ("requests", "tokens"))
        return Limits(
            min(requests, told.requests_per_minute or math.inf) or None,
            min(tokens, told.tokens_per_minute or math.inf) or None,
            self.service.get("concurrency", told.concurrency),
            queries_per_second=self.service.get("queries"),
            learned=Learned(window * (requests > 0), window * (tokens > 0)),
        )


def requests(title: str, window: float, told: float | None = CALLS, part: float = 1.0, **more: Any) -> Case:
    """`part` times 50 calls a second, counted in a window."""
    learned, extra = more.pop("learned", 0.0), more.pop("is_extra", False)
    limits = Limits(told and told * 60, None, 256, learned=Learned(requests_seconds=learned))
    quota = max(1, round(CALLS * part * window))
    allowed = min(quota / window, told or math.inf)
    return Case(title, {"window_seconds": window, "requests": quota, **more}, limits, allowed, is_extra=extra)


def tokens(
    title: str, window: float, calls: float, lengths: Lengths = uncertain, part: float = 1.0, **more: Any
) -> Case:
    """Tokens of so many calls of mean size in a window; the service holds `part` of it."""
    learned, extra = more.pop("learned", 0.0), more.pop("is_extra", False)
    told = MEAN_TOKENS * calls
    limits = Limits(None, told * 60 / window, 512, learned=Learned(tokens_seconds=learned))
    quota = round(told * part)
    allowed = min(quota, told) / window
    service = {"window_seconds": window, "tokens": quota, **more}
    return Case(title, service, limits, allowed, True, lengths, is_extra=extra)


_TOKEN_WINDOWS = {1.0: 50, 2.0: 40, 5.0: 100, 10.0: 100, 20.0: 200, 60.0: 600}


def windows() -> Iterator[Case]:
    """Any window, as told."""
    for window in (1.0, 2.0, 5.0, 10.0, 20.0, 60.0):
        yield requests(f"calls, {window:.0f} s sliding", window)
        yield requests(f"calls, {window:.0f} s sliding, headers", window, headers=True, is_extra=True)
    for window in (1.0, 10.0, 60.0):
        yield requests(f"calls, {window:.0f} s of the clock", window, style="fixed")
    for depth in (10, 100):
        yield requests(f"calls, bucket of {depth}", depth / CALLS, style="bucket")
    yield Case("one call a second", {"window_seconds": 1.0, "requests": 1}, Limits(60, None, 64), 1.0)
    for name, lengths in (("exact", exact), ("uncertain", uncertain)):
        for window, calls in _TOKEN_WINDOWS.items():
            yield tokens(f"tokens, {name}, {window:.0f} s sliding", window, calls, lengths)
            yield tokens(
                f"tokens, {name}, {window:.0f} s sliding, headers", window, calls, lengths, headers=True, is_extra=True
            )
        for window in (1.0, 10.0, 60.0):
            yield tokens(
                f"tokens, {name}, {window:.0f} s of the clock", window, _TOKEN_WINDOWS[window], lengths, style="fixed"
            )
        for depth in (10, 100):
            yield tokens(f"tokens, {name}, bucket of {depth} calls", depth / 50, depth, lengths, style="bucket")
        yield tokens(f"tokens, {name}, 1 s sliding, 10 calls", 1.0, 10, lengths)


def mistold() -> Iterator[Case]:
    """More or less than told."""
    for window in (1.0, 10.0, 60.0):
        yield requests(f"calls, {window:.0f} s, 2,000 of 3,000", window, part=2 / 3)
        yield requests(f"calls, {window:.0f} s, 4,000 of 3,000", window, part=4 / 3)
        yield requests(f"calls, {window:.0f} s, none told", window, told=None)
    for window in (1.0, 5.0, 10.0, 60.0):
        yield tokens(f"tokens, {window:.0f} s, 67 % of told", window, _TOKEN_WINDOWS[window], part=0.672)
        yield tokens(f"tokens, {window:.0f} s, 133 % of told", window, _TOKEN_WINDOWS[window], part=4 / 3)
    # So near to what was told that refusals look like calls that weigh more by chance.
    yield tokens("tokens, 5 s, 98 % of told", 5.0, _TOKEN_WINDOWS[5.0], part=0.98)


def learned_before() -> Iterator[Case]:
    """Windows that another night learned, right and wrong now."""
    for window in (1.0, 2.0, 5.0, 10.0):
        for quota in (50_600, 45_000, 40_000, 34_000, 28_000):
            yield tokens(
                f"tokens, learned {window:.0f} s, {quota / 506:.0f} % of told",
                window,
                100 * window / 5 if window < 5 else 100,
                part=quota / 50_600,
                learned=window,
                is_extra=quota in (40_000, 34_000),
            )
    for before, window, style in (
        (1.0, 10.0, "sliding"),
        (1.0, 60.0, "sliding"),
        (10.0, 1.0, "sliding"),
        (5.0, 1.0, "sliding"),
        (2.0, 1.0, "fixed"),
        (5.0, 1.0, "fixed"),
        (5.0, 10.0, "fixed"),
        (10.0, 2.0, "bucket"),
    ):
        counted = f"{window:.0f} s {style}"
        yield requests(f"calls, learned {before:.0f} s, {counted}", window, learned=before, style=style)
        calls = _TOKEN_WINDOWS[window]
        yield tokens(f"tokens, learned {before:.0f} s, {counted}", window, calls, learned=before, style=style)


def many() -> Iterator[Case]:
    """Several quotas at once, and rises that may not be steep."""
    told, queries = Limits(3000, None, 256), Limits(3000, None, 256, queries_per_second=20.0)
    place = 1 / _MEAN_LATENCY
    yield Case("20 QPS, 3,000 RPM, told", {"window_seconds": 60.0, "requests": 3000, "queries": 20}, queries, 20.0)
    yield Case("20 QPS, 3,000 RPM, QPS untold", {"window_seconds": 60.0, "requests": 3000, "queries": 20}, told, 20.0)
    both = {"window_seconds": 60.0, "requests": 3000, "tokens": round(20 * 60 * MEAN_TOKENS)}
    tpm = Limits(3000, 20 * 60 * MEAN_TOKENS, 256)
    yield Case("3,000 RPM, tokens of 20 a second", both, tpm, 20 * MEAN_TOKENS, True, uncertain)
    short = {"window_seconds": 10.0, "requests": 500, "tokens": round(20 * 10 * MEAN_TOKENS)}
    yield Case("the same in 10 s", short, tpm, 20 * MEAN_TOKENS, True, uncertain)
    yield Case("the same in 10 s, 15 QPS untold", {**short, "queries": 15}, tpm, 15.0, False, uncertain)
    for most in (16, 50):
        name = f"{most} at once untold, 3,000 RPM"
        service = {"window_seconds": 60.0, "requests": 3000, "concurrency": most}
        yield Case(name, service, told, min(50.0, most * place))
    every = {**both, "concurrency": 16, "queries": 20}
    yield Case("16 at once, 20 QPS untold, 3,000 RPM, tokens", every, tpm, 16 * place, False, uncertain)
    every = {**short, "concurrency": 40, "queries": 20}
    yield Case("40 at once, 20 QPS untold, calls and tokens in 10 s", every, tpm, 20 * MEAN_TOKENS, True, uncertain)
    for steepest in (1.5, 2.0):
        service = {"window_seconds": 60.0, "requests": 3000, "steepest_rise": steepest}
        yield Case(f"rises of {steepest} at most", service, told, 50.0)


GROUPS: dict[str, Callable[[], Iterator[Case]]] = {
    "windows": windows,
    "mistold": mistold,
    "learned": learned_before,
    "many": many,
}
