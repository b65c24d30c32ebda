"""Measure how much of a quota is used, whatever window a service counts in, in simulated time.

Run `python -m tests.benchmarks.windows [--group NAME …] [--match WORDS] [--seeds 3] [--full]`. Each case is a strict
service (`tests/builders/quota_simulation.py`) with calls waiting without end. *Used* is the part of what it allows in
whole windows from the 30th second on, *to learn* the refusals before that, *a thousand* those after it, each of the
worst seed. Beside ours stands what it uses where it is told the windows and limits that the service has, so that there is
nothing to learn, and a client that spaces its calls evenly at the rate it was told. Every run of a seed is the same on
every machine.

`--frontier` shows what can be had of a quota of tokens by one who knows its window and its limit for certain, but not
what a call weighs before its answer (`Knowing`): he has to leave room or be refused. Of n calls whose sizes differ by c
and are known to e, a window's sum is known to e √((1 + c²) / n): 1.9 % of 50 calls, 4.3 % of 10, with c = .53 and
e = 12 %. Whoever keeps k of these deviations free and learns nothing from refusals is refused Φ(-k) of his calls: 97 %
of 50 calls cost 60 in a thousand, if none overtook another. Overtaking adds a call's weight or so at the border of the
window; a refusal that says how heavy the calls before it were takes some of it back. Each line is a bargain between use
and refusals, the mean of the seeds, that no other one of the grid beats in both.
"""

import argparse
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import accumulate

from tasks.calling.rules.pacing.limits import Limits
from tasks.calling.rules.pacing.pacer import Pacer
from tasks.calling.rules.pacing.windows.last_refusals import LastRefusals
from tasks.calling.rules.pacing.windows.longer_bet import LongerBet
from tasks.calling.rules.pacing.windows.sliding_window import Entry
from tasks.domain.errors import QuotaScope
from tasks.domain.records import QuotaHeaders
from tests.benchmarks.windows_cases import GROUPS, Case
from tests.builders.quota_simulation import Service, simulate

LEARNED_AFTER_SECONDS = 30.0

_KEPT_FREE = (0.35, 0.7, 1.0, 1.4, 2.0)

_SLACKS = (0.012, 0.025)

_WAITING = 20_000  # more than any of these services takes in the time


class EvenPacer(Pacer):
    """A client that spaces its calls evenly at the rate it was told, and tries again what is refused."""

    def __init__(self, limits: Limits) -> None:
        super().__init__(limits)
        self._at = 0.0
        self._told = limits

    def ready_at(self, now: float, estimate: int) -> float:
        """The end of the last call's turn."""
        return math.inf if self._in_flight >= self._told.concurrency else self._at

    def is_short_of_tokens(self, now: float) -> bool:
        """No call goes out of turn."""
        return False

    def grant(self, now: float, estimate: int) -> Entry:
        """Keep the quota's own pace."""
        calls = (self._told.requests_per_minute or math.inf) / 60
        tokens = (self._told.tokens_per_minute or math.inf) / 60
        queries = self._told.queries_per_second or math.inf
        self._at = now + max(1 / calls, estimate / tokens, 1 / queries)
        return super().grant(now, estimate)

    def refused(
        self,
        entry: Entry,
        now: float,
        scope: QuotaScope,
        retry_after_seconds: float | None,
        limits: QuotaHeaders | None,
    ) -> None:
        """Learn nothing."""
        self.failed(entry, now, maybe_counted=False)


class _NoBet(LongerBet):
    """One who knows the window tries no longer one."""

    def is_due(self, now: float) -> bool:
        """Never."""
        return False


class Knowing(Pacer):
    """One who knows the window and the limit of tokens: a refusal shows what calls weigh, and nothing else.

    Args:
        limits: as the service has them.
        kept_free: deviations of what the calls in flight may weigh more than they are thought to.
        slack: seconds that a call counts longer than its window, since others may overtake it.
    """

    def __init__(self, limits: Limits, kept_free: float, slack: float) -> None:
        super().__init__(limits)
        self.deviations = (kept_free, kept_free)
        self._tokens.log.resize(self._tokens.seconds, slack, 0.0)
        self._tokens._bet = _NoBet()
        self._refusals_of_tokens = LastRefusals(self._tokens.log, limits.window_seconds, by_tokens=True)

    def refused(
        self,
        entry: Entry,
        now: float,
        scope: QuotaScope,
        retry_after_seconds: float | None,
        limits: QuotaHeaders | None,
    ) -> None:
        """Learn what the calls before this one weigh."""
        self.failed(entry, now, maybe_counted=False)
        quota = self._tokens
        self._refusals_of_tokens.add(entry, self._sequence + 1)
        self._refusals_of_tokens.weigh(quota.seconds, quota.limit.limit, self._usage.doubt, now)


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of a run."""

    used: float
    to_learn: int
    a_thousand: float

    @staticmethod
    def mean(runs: "Sequence[Figures]") -> "Figures":
        """The mean of several seeds."""
        count = len(runs)
        return Figures(sum(run.used for run in runs) / count, 0, sum(run.a_thousand for run in runs) / count)

    @staticmethod
    def worst(runs: "Sequence[Figures]") -> "Figures":
        """The worst of several seeds, each figure by itself."""
        return Figures(
            min(run.used for run in runs), max(run.to_learn for run in runs), max(run.a_thousand for run in runs)
        )


def measure(case: Case, seed: int, pacing: Callable[[Limits], Pacer] = Pacer) -> Figures:
    """Run one case with one seed."""
    service = Service(**case.service)
    simulate(service, case.limits, _WAITING, seed, case.lengths, seconds=case.seconds, pacing=pacing)
    late = [at for at, _ in service.refused if at >= LEARNED_AFTER_SECONDS]
    calls = sum(at >= LEARNED_AFTER_SECONDS for at, _ in service.arrivals) + len(late)
    used = service.steady_use(case.per_second, LEARNED_AFTER_SECONDS, case.by_tokens)
    return Figures(used, len(service.refused) - len(late), 1000 * len(late) / max(calls, 1))


def frontier(case: Case, seeds: Sequence[int]) -> list[tuple[Figures, float, float]]:
    """Return the bargains of one who knows the window and the limit, the fewest refusals first.

    Each is the mean of the seeds, with the deviations that are kept free and the slack.
    """
    told, bargains = replace(case, limits=case.all_told), []
    for kept_free in _KEPT_FREE:
        for slack in _SLACKS:
            pacing = partial(Knowing, kept_free=kept_free, slack=slack)
            runs = [measure(told, seed, pacing) for seed in seeds]
            bargains.append((Figures.mean(runs), kept_free, slack))
    bargains.sort(key=lambda bargain: (bargain[0].a_thousand, -bargain[0].used))
    best = accumulate((bargain[0].used for bargain in bargains), max, initial=0.0)
    return [bargain for bargain, before in zip(bargains, best, strict=False) if bargain[0].used > before]


def main() -> None:
    """Print a line a case."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.windows", description=__doc__)
    parser.add_argument("--group", nargs="+", choices=GROUPS, default=list(GROUPS))
    parser.add_argument("--match", default="", help="only cases whose title holds these words")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--full", action="store_true", help="three seeds, and all cases")
    parser.add_argument("--alone", action="store_true", help="without those to compare with")
    parser.add_argument("--frontier", action="store_true", help="only what can be had where all but sizes is known")
    args = parser.parse_args()
    seeds = range(3 if args.full else args.seeds)
    begun = time.process_time()
    print(f"{'':54} {'used':>6} {'to learn':>8} {'a thousand':>10} {'all told':>9} {'a thousand':>10} {'even':>7}")
    for name in args.group:
        for case in GROUPS[name]():
            if args.match not in case.title or (case.is_extra and not args.full):
                continue
            if args.frontier:
                for figures, kept_free, slack in frontier(case, seeds):
                    dials = f"{kept_free:4.2f} kept free, {slack * 1000:2.0f} ms"
                    print(f"{case.title:54} {figures.used:6.1%} {'':8} {figures.a_thousand:10.1f}  {dials}", flush=True)
                continue
            ours = Figures.worst([measure(case, seed) for seed in seeds])
            line = f"{case.title:54} {ours.used:6.1%} {ours.to_learn:8} {ours.a_thousand:10.1f}"
            if not args.alone:
                told = Figures.worst([measure(replace(case, limits=case.all_told), seed) for seed in seeds])
                line += f" {told.used:9.1%} {told.a_thousand:10.1f}"
            if not args.alone and (case.limits.requests_per_minute or case.limits.tokens_per_minute):
                line += f" {Figures.worst([measure(case, seed, EvenPacer) for seed in seeds]).used:7.1%}"
            print(line, flush=True)
    print(f"{time.process_time() - begun:.0f} s of CPU")


if __name__ == "__main__":
    main()
