import math
import random
import sys
from types import FrameType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.calling.rules.pacing.limits import Limits
from tasks.calling.rules.pacing.pacer import Pacer
from tasks.calling.rules.pacing.quota_limit import AdaptiveLimit
from tasks.calling.rules.pacing.windows.sliding_window import SLACK_SECONDS, SlidingLog
from tasks.domain.records import QuotaHeaders
from tests.builders.quota_simulation import Outcome, Service, simulate

SEEDS = range(2)


def mixed_lengths(rng: random.Random) -> tuple[int, int]:
    used = int(min(4000, max(80, rng.lognormvariate(math.log(400), 0.6))))
    return int(used * rng.uniform(0.8, 1.4)), used


def exact_lengths(rng: random.Random) -> tuple[int, int]:
    used = rng.randint(10, 400)
    return used, used


# Strict at the quota


@pytest.mark.parametrize("seed", SEEDS)
def test_pacer_fills_every_window_and_is_never_refused(seed):
    service = Service(requests=500)
    outcome = simulate(service, Limits(3000, None, 256, 10.0), 2750, seed)
    assert outcome.done == 2750
    assert service.refused == []
    assert min(service.fills(500)) >= 0.99
    # The floor is 50 s and the latency of the last calls.
    last = service.arrivals[-1][0]
    assert last - service.arrivals[0][0] <= 53.2
    assert service.peak_running <= 256


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    requests=st.integers(1, 400) | st.none(),
    tokens=st.integers(5_000, 200_000) | st.none(),
    window=st.sampled_from([1.0, 5.0, 10.0, 60.0]),
    concurrency=st.integers(1, 300),
    latency=st.sampled_from([0.01, 0.3, 1.2, 8.0]),
    headers=st.booleans(),
    faults=st.sampled_from([0.0, 0.1]),
)
def test_pacer_never_exceeds_the_quota_it_was_told(
    seed, requests, tokens, window, concurrency, latency, headers, faults
):
    service = Service(window, requests or 0, tokens or 0, latency_median=latency, headers=headers, faults=faults)
    share = 60.0 / window
    limits = Limits(requests and requests * share, tokens and tokens * share, concurrency, window)
    # Estimates are the truth here: what they may be wrong by is another test's matter.
    outcome = simulate(service, limits, 400, seed, tokens=exact_lengths)
    assert outcome.done == 400
    assert service.refused == []
    assert service.peak_running <= concurrency


@pytest.mark.parametrize("seed", SEEDS)
def test_pacer_fills_a_token_quota_with_estimates_that_are_wrong(seed):
    service = Service(60.0, tokens=300_000)
    outcome = simulate(service, Limits(None, 300_000, 256), 3000, seed, tokens=mixed_lengths)
    assert outcome.done == 3000
    assert len(service.refused) <= 0.002 * 3000
    assert min(service.fills(300_000, tokens=True)) >= 0.97


@pytest.mark.parametrize("seed", SEEDS)
def test_pacer_ends_a_token_bound_night_near_its_floor(seed):
    service = Service(60.0, tokens=300_000)
    outcome = simulate(service, Limits(None, 300_000, 256), 600, seed, tokens=lambda r: (r.randint(450, 650), 510))
    assert outcome.seconds <= 1.08 * 61.2
    assert len(service.refused) <= 1


def test_pacer_lets_a_call_larger_than_the_quota_go_alone():
    pacer = Pacer(Limits(None, 1000, 8))
    assert pacer.ready_at(0.0, 5000) <= 0.0


# Finding the quota


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("headers", [True, False])
@pytest.mark.parametrize("configured", [3000, None])
def test_pacer_finds_a_quota_that_is_not_as_configured(seed, headers, configured):
    service = Service(30.0, requests=1000, headers=headers)
    simulate(service, Limits(configured, None, 256, 30.0), 10**5, seed, seconds=130)
    assert len([at for at, _ in service.refused if at < 30]) <= (0 if headers else 5 if configured else 7)
    assert len(service.refused) <= (0 if headers else 15)
    assert min(service.fills(1000)) >= 0.98


@pytest.mark.parametrize("seed", SEEDS)
def test_pacer_finds_a_token_quota_that_is_not_configured(seed):
    service = Service(60.0, tokens=200_000)
    simulate(service, Limits(None, None, 256), 4000, seed, tokens=mixed_lengths, seconds=250)
    assert len([at for at, _ in service.refused if at < 60]) <= 5
    assert min(service.fills(200_000, tokens=True)) >= 0.97


def halve(service: Service) -> None:
    service.requests //= 2


def double(service: Service) -> None:
    service.requests *= 2


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("headers", "configured"), [(True, None), (False, 6000)])
@pytest.mark.parametrize(("change", "after"), [(halve, 375), (double, 1500)])
def test_pacer_finds_a_changed_quota_within_two_windows(seed, headers, configured, change, after):
    service = Service(15.0, requests=750, headers=headers)
    limits = Limits(configured, None, 512, 15.0)
    simulate(service, limits, 10**5, seed, changes=((50.0, change),), seconds=140)
    fills = service.fills(after, since=80.0)
    assert len(fills) >= 2
    assert min(fills) >= 0.98
    assert len([at for at, _ in service.refused if 50 <= at < 80]) <= 20


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    ("limit", "worst_fill"), [({"queries": 20}, 0.90), ({"queries": 60}, 0.99), ({"concurrency": 30}, 0.9)]
)
def test_pacer_finds_an_unknown_limit_without_a_storm(seed, limit, worst_fill):
    service = Service(60.0, requests=3000, **limit)
    outcome = simulate(service, Limits(3000, None, 256), 4000, seed)
    possible = min(3000, 60 * limit.get("queries", 999), 60 / 1.36 * limit.get("concurrency", 999))
    assert len([at for at, _ in service.refused if at < 5]) <= 5
    assert len(service.refused) <= 0.005 * 4000
    assert outcome.done == 4000
    assert min(service.fills(round(possible))) >= worst_fill


# Weather


@pytest.mark.parametrize("seed", SEEDS)
def test_pacer_is_not_slowed_by_calls_that_fail_after_their_work(seed):
    service = Service(60.0, requests=3000, overloaded=0.03)
    simulate(service, Limits(3000, None, 256), 10**5, seed, seconds=130)
    assert min(service.fills(3000)) >= 0.97
    assert len(service.refused) <= 3


@pytest.mark.parametrize("seed", SEEDS)
def test_pacer_spares_an_endpoint_that_refuses_everything_and_comes_back(seed):
    service = Service(60.0, requests=3000)

    def down(service: Service) -> None:
        service.overloaded = 1.0

    def up(service: Service) -> None:
        service.overloaded = 0.0

    changes = ((100.0, down), (160.0, up))
    simulate(service, Limits(3000, None, 256), 10**5, seed, changes=changes, seconds=310)
    during = [at for at, _ in service.arrivals if 105 < at < 160]
    assert len(during) <= 250  # of 2,750
    assert min(service.fills(3000, since=210.0)) >= 0.98


@pytest.mark.parametrize("seed", SEEDS)
def test_pacer_puts_more_in_flight_where_answers_are_slow(seed):
    service = Service(60.0, requests=3000, latency_median=8.0)
    simulate(service, Limits(3000, None, 600), 10**5, seed, seconds=130)
    assert 400 <= service.peak_running <= 600
    assert min(service.fills(3000)) >= 0.99


# One rule at a time


def sent_call(pacer: Pacer, now: float, tokens: int = 10):
    assert pacer.ready_at(now, tokens) <= now
    entry = pacer.grant(now, tokens)
    pacer.sent(entry, now)
    return entry


def test_pacer_obeys_a_retry_after_as_the_earliest_next_send():
    pacer = Pacer(Limits(600))
    pacer.refused(sent_call(pacer, 0.0), 0.05, "requests", 7.0, None)
    assert pacer.ready_at(1.0, 10) == 7.05


def test_pacer_takes_the_lower_of_header_and_configuration():
    pacer = Pacer(Limits(600, 50_000))
    pacer.answered(sent_call(pacer, 0.0), 1.0, 10, QuotaHeaders(300, 90_000, 299, 89_000), 1.0)
    stand = pacer.snapshot(1.0)
    assert (stand.limit_requests, stand.limit_tokens) == (300, 50_000)


def test_pacer_takes_a_header_where_nothing_is_configured():
    pacer = Pacer(Limits())
    pacer.answered(sent_call(pacer, 0.0), 1.0, 10, QuotaHeaders(300, 90_000, 299, 89_000), 1.0)
    stand = pacer.snapshot(1.0)
    assert (stand.limit_requests, stand.limit_tokens) == (300, 90_000)


def test_snapshot_names_the_fill_of_the_fuller_window():
    pacer = Pacer(Limits(600, 50_000))
    pacer.answered(sent_call(pacer, 0.0), 1.0, 10_000, None, 1.0)
    assert pacer.snapshot(1.0).fill == pytest.approx(0.2)
    assert Pacer(Limits()).snapshot(1.0).fill is None


def test_pacer_ignores_headers_of_a_call_that_was_overtaken():
    pacer = Pacer(Limits())
    first, second = sent_call(pacer, 0.0), sent_call(pacer, 0.1)
    pacer.answered(second, 1.0, 10, QuotaHeaders(300), 1.0)
    pacer.answered(first, 1.1, 10, QuotaHeaders(900), 1.0)
    assert pacer.snapshot(1.1).limit_requests == 300


def test_pacer_waits_when_the_header_says_that_others_used_it_up():
    pacer = Pacer(Limits(600))
    pacer.answered(sent_call(pacer, 0.0), 1.0, 10, QuotaHeaders(600, None, 0, None), 1.0)
    assert pacer.ready_at(1.0, 10) == 2.0


def test_pacer_counts_a_call_that_is_not_yet_stamped():
    pacer = Pacer(Limits(1))
    entry = pacer.grant(0.0, 10)
    assert pacer.ready_at(30.0, 10) == math.inf
    pacer.sent(entry, 50.0)
    assert pacer.ready_at(100.0, 10) == pytest.approx(110.0 + SLACK_SECONDS)


def test_pacer_gives_back_what_was_refused_or_never_sent():
    pacer = Pacer(Limits(2))
    pacer.refused(sent_call(pacer, 0.0), 0.02, "queries_per_second", None, None)
    pacer.failed(pacer.grant(1.0, 10), 1.1, maybe_counted=False)
    stand = pacer.snapshot(2.0)
    assert (stand.in_flight, stand.sent_last_window, stand.tokens_last_window) == (0, 0, 0)


def test_pacer_keeps_what_the_service_may_have_counted():
    pacer = Pacer(Limits(2))
    pacer.failed(sent_call(pacer, 0.0), 30.0, maybe_counted=True)
    assert pacer.snapshot(30.0).sent_last_window == 1


def test_pacer_ends_a_call_only_once():
    pacer = Pacer(Limits(60))
    entry = sent_call(pacer, 0.0)
    pacer.answered(entry, 1.0, 10, None, 1.0)
    pacer.failed(entry, 1.0, maybe_counted=False)
    pacer.refused(entry, 1.0, "requests", None, None)
    stand = pacer.snapshot(1.0)
    assert (stand.in_flight, stand.sent_last_window, stand.refusals) == (0, 1, 0)


def test_bound_takes_a_burst_of_refusals_for_one_event():
    bound = AdaptiveLimit(100.0, 10.0, 10.0)
    assert bound.refused(51, 54, inside=50, least=1, now=1.0)
    assert not any(bound.refused(n, 54, inside=n, least=1, now=1.0) for n in (52, 53, 54))
    assert (bound.limit, bound.refused_events) == (50, 1)


def test_bound_does_not_fall_below_what_was_lately_proven():
    bound = AdaptiveLimit(100.0, 10.0, 10.0)
    bound.accepted(100, reached=100, lump=0, now=1.0)
    bound.refused(150, 150, inside=98, least=1, now=1.1)
    assert bound.limit == 100


def probed_bound() -> AdaptiveLimit:
    """Twenty were taken for a while, and one more is tried now."""
    bound = AdaptiveLimit(math.inf, 10.0, 160.0, start=20.0)
    bound.refused(21, 21, inside=20, least=1, now=1.0)
    bound.accepted(22, reached=20, lump=0, now=2.0)
    assert bound.at(20.0) == 21
    return bound


@given(overtaken=st.integers(0, 2), more=st.integers(0, 3))
def test_bound_falls_no_lower_than_where_it_was_for_a_probe_that_is_refused(overtaken, more):
    """Calls overtake each other, so that the service held more than was sent before the refused one."""
    bound = probed_bound()
    for number in range(more + 1):
        bound.refused(40 + number, 40 + more, inside=20 - overtaken, least=1, now=20.1)
    assert bound.limit == 20


def test_bound_falls_where_a_probe_shows_that_there_is_much_less_now():
    bound = probed_bound()
    bound.refused(40, 41, inside=10, least=1, now=20.1)
    assert bound.limit == 10


def test_bound_falls_where_it_is_refused_again_after_the_probe():
    bound = probed_bound()
    bound.refused(40, 41, inside=19, least=1, now=20.1)
    bound.refused(43, 43, inside=19, least=1, now=20.3)
    assert bound.limit == 19


@given(steps=st.lists(st.integers(-30, 30), max_size=20))
def test_bound_never_exceeds_what_was_promised(steps):
    bound = AdaptiveLimit(100.0, 10.0, 10.0)
    bound.refused(50, 50, inside=90, least=1, now=1.0)
    for step in steps:
        bound.correct(1, step)
        assert bound.limit <= 100


@given(st.data())
def test_sliding_log_agrees_with_counting(data):
    slack = 0.5
    logs = calls, tokens_log = SlidingLog(10.0, slack), SlidingLog(10.0, slack, by_tokens=True)
    pacer = Pacer(Limits())
    known: list[list[Any]] = []
    now = 0.0
    for _ in range(data.draw(st.integers(1, 60))):
        now += data.draw(st.sampled_from([0.0, 0.1, 0.5, 3.0, 9.9]))
        for log in logs:
            log.advance(now)
        step = data.draw(st.sampled_from(["add", "remove", "correct"]))
        if step == "add" or not known:
            entry = pacer.grant(now, data.draw(st.integers(1, 50)))
            entry.sent_at = now
            for log in logs:
                log.add(entry, now)
            known.append([now, entry.tokens, entry])
        else:
            item = data.draw(st.sampled_from(known))
            at, tokens, entry = item
            if step == "remove":
                calls.change(at, -1, now)
                tokens_log.change(at, -tokens, now)
                entry.counts = False
                known.remove(item)
            else:
                tokens_log.change(at, 7, now)
                entry.tokens = item[1] = tokens + 7
        for log in logs:
            log.advance(now)
        inside = [tokens for at, tokens, _ in known if at + 10.0 > now]
        held = [tokens for at, tokens, _ in known if at + 10.0 + slack > now]
        assert (calls.held, tokens_log.held) == (len(held), sum(held))
        assert (calls.inside, tokens_log.inside) == (len(inside), sum(inside))


def test_pacer_takes_no_more_steps_however_many_calls_are_in_the_log():
    def steps(calls: int) -> int:
        """Lines of Python for one round of calls, in a log that holds so many."""
        pacer = Pacer(Limits(60_000_000, 60_000_000_000, 64))
        now, taken = 0.0, 0

        def one() -> None:
            nonlocal now
            now += 0.001
            entry = pacer.grant(now, 500)
            pacer.sent(entry, now)
            pacer.answered(entry, now, 510, None, 0.1)
            pacer.ready_at(now, 500)

        def count(frame: FrameType, event: str, arg: Any) -> Any:
            nonlocal taken
            taken += 1
            return count

        for _ in range(calls):
            one()
        tracing = sys.gettrace()
        sys.settrace(count)
        try:
            for _ in range(100):
                one()
        finally:
            sys.settrace(tracing)
        return taken

    assert steps(50_000) < 2 * steps(500)


def test_simulate_is_strict():
    """The oracle itself: a pacer that is told too much is refused."""
    service = Service(requests=100)
    outcome: Outcome = simulate(service, Limits(6000, None, 256, 10.0), 400, 0)
    assert service.refused
    assert outcome.done == 400
