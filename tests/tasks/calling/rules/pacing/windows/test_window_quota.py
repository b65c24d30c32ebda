"""The window that a service counts in is found from a refusal or two; nothing is known but the rate."""

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.calling.rules.pacing.limits import Learned, Limits
from tasks.calling.rules.pacing.pacer import Pacer
from tasks.calling.rules.pacing.windows.sent_history import SentCalls, SentHistory
from tasks.calling.rules.pacing.windows.sliding_window import Entry, SlidingLog
from tasks.calling.rules.pacing.windows.window_quota import WindowQuota
from tests.benchmarks.windows_cases import exact, uncertain
from tests.builders.quota_simulation import Service, simulate
from tests.builders.quotas import Quota

SEEDS = range(2)

WAITING = 20_000  # more than any of these services takes in the time


@pytest.mark.parametrize("headers", [True, False])
@pytest.mark.parametrize("window", [1, 2, 5, 10, 15, 20, 30])
def test_pacer_finds_the_window_that_a_service_counts_in(window, headers):
    service = Service(window, requests=50 * window, headers=headers)
    outcome = simulate(service, Limits(3000, None, 256), WAITING, seed=window, seconds=120)
    assert len(service.refused) <= 2
    assert service.use(50, since=30) >= 0.97
    assert outcome.pacer.learned().requests_seconds == window


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("window", [1, 10, 60])
def test_pacer_fills_windows_that_begin_by_the_clock(window, seed):
    service = Service(window, requests=50 * window, style="fixed")
    simulate(service, Limits(3000, None, 256), WAITING, seed, seconds=240)
    assert len(service.refused) <= {1: 20, 10: 2, 60: 0}[window]
    assert service.use(50, since=0) >= 0.97


@pytest.mark.parametrize("depth", [5, 20, 50, 100, 500, 3000])
def test_pacer_keeps_a_token_bucket_flowing(depth):
    service = Service(depth / 50, requests=depth, style="bucket")
    simulate(service, Limits(3000, None, 256), WAITING, seed=depth, seconds=120)
    assert len(service.refused) <= 5
    assert service.use(50, since=30) >= 0.97


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("window", "calls"), [(1, 10), (10, 100)])
def test_pacer_finds_the_window_of_a_token_quota(window, calls, seed):
    service = Service(window, tokens=500 * calls)
    simulate(service, Limits(None, 500 * calls * 60 / window, 256), WAITING, seed, seconds=120)
    assert len(service.refused) <= 5
    assert service.use(500 * calls / window, since=30, tokens=True) >= 0.97


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("configured", [60, 3000, None])
def test_pacer_finds_one_query_a_second(configured, seed):
    service = Service(1, requests=1)
    simulate(service, Limits(configured, None, 64), WAITING, seed, seconds=300)
    assert len(service.refused) <= 15
    assert service.use(1, since=30) >= 0.95


@pytest.mark.parametrize("seed", SEEDS)
def test_pacer_begins_in_the_window_that_another_night_learned(seed):
    service = Service(10, requests=500)
    simulate(service, Limits(3000, None, 256, learned=Learned(requests_seconds=10)), WAITING, seed, seconds=100)
    assert service.refused == []
    assert service.use(50, since=0) >= 0.97


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("steepest", [1.5, 2.0])
def test_pacer_rises_as_gently_as_the_service_wants(steepest, seed):
    service = Service(60, requests=3000, steepest_rise=steepest)
    simulate(service, Limits(3000, None, 256), WAITING, seed, seconds=180)
    assert len(service.refused) <= 8
    assert service.use(50, since=60) >= 0.97


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 10**6),
    per_second=st.integers(5, 100),
    window=st.sampled_from([1, 3, 7, 10, 25, 45]),
    style=st.sampled_from(["sliding", "bucket"]),
    latency=st.sampled_from([0.3, 1.2, 5.0]),
)
def test_pacer_uses_most_of_any_window(seed, per_second, window, style, latency):
    service = Service(window, requests=per_second * window, style=style, latency_median=latency)
    simulate(service, Limits(60 * per_second, None, 1024), WAITING, seed, seconds=120)
    assert len(service.refused) <= 10 + per_second / 10  # what a burst has on its way
    assert service.use(per_second, since=60) >= 0.93


def test_pacer_rises_soon_from_a_limit_that_one_burst_found_several_times():
    service = Service(3, requests=3 * 78, latency_median=5.0)
    simulate(service, Limits(60 * 78, None, 1024), WAITING, 78, seconds=120)
    assert service.use(78, since=60) >= 0.93


@pytest.mark.parametrize("seed", range(3))
def test_pacer_keeps_a_small_bucket_of_tokens_from_running_dry(seed):
    """A long call takes more of its room than a short one, so the next waits longer."""
    service = Service(0.2, tokens=5_060, style="bucket")
    simulate(service, Limits(None, 25_300 * 60, 512), WAITING, seed, uncertain, seconds=75)
    assert service.use(25_300, since=30, tokens=True) >= 0.9


@pytest.mark.parametrize(("window", "calls", "least"), [(1, 10, 0.84), (10, 100, 0.97)])
def test_pacer_fills_windows_of_tokens_with_calls_of_mixed_lengths(window, calls, least):
    """Of ten calls a window, each off by a quarter, a twentieth is doubt, and a fortieth is jitter."""

    def tokens(rng):
        estimate = max(20, int(rng.lognormvariate(math.log(500) - 0.125, 0.5)))
        return estimate, max(1, int(estimate * rng.uniform(0.75, 1.25)))

    used = []
    for seed in range(5):
        service = Service(window, tokens=500 * calls)
        simulate(service, Limits(None, 500 * calls * 60 / window, 256), WAITING, seed, tokens, seconds=120)
        used.append(service.use(500 * calls / window, since=40, tokens=True))
        assert len(service.refused) <= 0.03 * len(service.arrivals)
    assert sum(used) / len(used) >= least


@pytest.mark.parametrize("seed", SEEDS)
def test_pacer_takes_a_window_that_estimates_overfill_for_chance(seed):
    def tokens(rng):
        estimate = max(60, int(rng.lognormvariate(6.1, 0.5)))
        return estimate, max(20, int(estimate * rng.gauss(1.0, 0.12)))

    service = Service(5, tokens=50_600)
    simulate(service, Limits(None, 50_600 * 12, 512), WAITING, seed, tokens, seconds=90)
    assert service.use(50_600 / 5, since=30, tokens=True) >= 0.965
    assert len(service.refused) <= 0.03 * len(service.arrivals)


@pytest.mark.parametrize("seed", SEEDS)
def test_pacer_is_seldom_refused_again_by_a_second_full_of_calls_that_weigh_more_than_was_thought(seed):
    service = Service(1, tokens=25_300)
    simulate(service, Limits(None, 25_300 * 60, 512), WAITING, seed, uncertain, seconds=90)
    assert service.use(25_300, since=30, tokens=True) >= 0.93
    assert sum(at > 30 for at, _ in service.refused) <= 0.008 * sum(at > 30 for at, _ in service.arrivals)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("quota", [45_000, 40_000, 34_000, 28_000])
def test_pacer_uses_a_window_that_holds_less_than_another_night_learned(quota, seed):
    def tokens(rng):
        estimate = max(60, int(rng.lognormvariate(6.1, 0.5)))
        return estimate, max(20, int(estimate * rng.gauss(1.0, 0.12)))

    service = Service(5, tokens=quota)
    told = Limits(None, 50_600 * 12, 512, learned=Learned(tokens_seconds=5))
    simulate(service, told, WAITING, seed, tokens, seconds=90)
    assert service.use(quota / 5, since=30, tokens=True) >= 0.95
    assert sum(at < 30 for at, _ in service.refused) <= 20


@pytest.mark.parametrize(("window", "calls", "seed", "least"), [(1, 50, 3, 0.87), (1, 50, 4, 0.87), (10, 100, 1, 0.97)])
def test_pacer_finds_the_window_of_tokens_before_a_reply_shows_what_its_estimates_are_worth(window, calls, seed, least):
    """The first burst is thought to weigh a third more than it does, which makes a window of 1 s look like 1.4 s."""

    def tokens(rng):
        estimate = int(min(4000, max(60, rng.lognormvariate(6.3, 0.6))))
        return estimate, max(20, int(estimate * rng.uniform(0.75, 1.05)))

    service = Service(window, tokens=650 * calls)
    simulate(service, Limits(None, 650 * calls * 60 / window, 256), 1500 if window > 1 else 4000, seed, tokens)
    assert service.use(650 * calls / window, since=30, tokens=True) >= least


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("lengths", "least"), [(exact, 0.955), (uncertain, 0.93)])
def test_pacer_fills_a_second_of_tokens_that_begins_on_the_clock(lengths, least, seed):
    """A burst over the border of two seconds looks like one of a window of 2 s; an even pace is safe in both."""
    service = Service(1, tokens=25_300, style="fixed")
    simulate(service, Limits(None, 25_300 * 60, 512), WAITING, seed, lengths, seconds=90)
    assert service.use(25_300, since=30, tokens=True) >= least
    assert sum(at > 30 for at, _ in service.refused) <= 20


@pytest.mark.parametrize(("before", "window", "style"), [(10, 1, "sliding"), (5, 1, "fixed"), (5, 10, "fixed")])
def test_pacer_learns_anew_where_another_night_learned_what_is_wrong_now(before, window, style):
    service = Service(window, requests=50 * window, style=style)
    simulate(service, Limits(3000, None, 256, learned=Learned(before)), WAITING, 1, seconds=90)
    assert service.use(50, since=30) >= 0.97
    assert len(service.refused) <= 5
    service = Service(window, tokens=25_300 * window, style=style)
    learned = Learned(tokens_seconds=before)
    simulate(service, Limits(None, 25_300 * 60, 512, learned=learned), WAITING, 1, uncertain, seconds=90)
    assert service.use(25_300, since=30, tokens=True) >= 0.9


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("window", [10, 60])
def test_pacer_tries_a_longer_window_after_a_time_in_peace(window, seed):
    service = Service(window, tokens=5_060 * window)
    learned = Learned(tokens_seconds=1)
    outcome = simulate(service, Limits(None, 5_060 * 60, 512, learned=learned), WAITING, seed, uncertain, seconds=90)
    assert outcome.pacer.learned().tokens_seconds >= 5
    assert service.use(5_060, since=40, tokens=True) >= 0.95
    assert len(service.refused) <= 0.02 * len(service.arrivals)


@pytest.mark.parametrize("seed", SEEDS)
def test_pacer_tries_no_longer_window_before_there_was_peace_for_a_while(seed):
    learned = Learned(tokens_seconds=1)
    limits = Limits(None, 5_060 * 60, 512, learned=learned)
    outcome = simulate(Service(60, tokens=5_060 * 60), limits, WAITING, seed, uncertain, seconds=7)
    assert outcome.done > 20
    assert outcome.pacer.learned().tokens_seconds == 1


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("lengths", "least", "most_refused"), [(exact, 0.95, 5), (uncertain, 0.9, 36)])
def test_pacer_stays_in_a_learned_window_or_soon_goes_back_to_it(lengths, least, most_refused, seed):
    """It tries no longer one where it knows what calls weigh; else it takes that back once it is refused."""
    service = Service(2, tokens=20_240)
    limits = Limits(None, 10_120 * 60, 512, learned=Learned(tokens_seconds=2))
    outcome = simulate(service, limits, WAITING, seed, lengths, seconds=90)
    assert outcome.pacer.learned().tokens_seconds == 2
    assert service.use(10_120, since=30, tokens=True) >= least
    assert len(service.refused) <= most_refused


@settings(max_examples=12, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 10**6),
    before=st.sampled_from([1, 2, 5, 10, 20]),
    window=st.sampled_from([1, 2, 5, 10]),
    part=st.floats(0.5, 1.0),
    by_tokens=st.booleans(),
)
def test_pacer_uses_most_of_less_than_it_was_told_whatever_window_was_learned(seed, before, window, part, by_tokens):
    """The fullest of all windows is never fuller than the service: no wrong guess leaves much of it empty."""
    quota = int(50 * window * part) * (506 if by_tokens else 1)
    told = 3000 * (506 if by_tokens else 1)
    service = Service(window, tokens=quota * by_tokens, requests=quota * (not by_tokens))
    limits = Limits(None if by_tokens else told, told if by_tokens else None, 512, learned=Learned(before, before))
    simulate(service, limits, WAITING, seed, exact, seconds=60)
    assert service.use(quota / window, since=30, tokens=by_tokens) >= 0.8
    assert len(service.refused) <= 0.05 * len(service.arrivals)


def test_pacer_keeps_its_guesses_where_an_earlier_refusal_that_comes_later_explains_nothing():
    pacer, now, sent = Pacer(Limits(3000, None, 256)), 7200.0, []
    for _ in range(60):
        now = max(now, pacer.ready_at(now, 10)) + 0.001
        sent.append(pacer.grant(now, 10))
        pacer.sent(sent[-1], now)
    pacer.refused(sent[55], now, "requests", None, None)
    pacer.refused(sent[0], now + 0.01, "requests", None, None)  # nothing was sent before it
    for _ in range(3):
        now = max(now + 1, pacer.ready_at(now + 1, 10))
        call = pacer.grant(now, 10)
        pacer.sent(call, now)
        pacer.refused(call, now + 0.02, "requests", None, None)
    stand = pacer.snapshot(now)
    assert stand.limit_requests is not None
    assert stand.limit_requests <= 60


@settings(max_examples=50)
@given(taken=st.integers(20, 80), refusals=st.integers(8, 40))
def test_refusals_are_taken_for_chance_only_as_long_as_they_are_few(taken, refusals):
    """One of fifty calls may be refused for ever; of more, three in advance and no more."""
    quota = WindowQuota(60 * 25_000.0, 60.0, by_tokens=True, learned_seconds=1.0)
    sequence = 0
    for _ in range(refusals):
        for refused in [False] * taken + [True]:
            sequence += 1
            now = sequence / 48.5  # the log holds a bit less than the quota
            entry = Entry(500, 500, 1)
            entry.sent_at, entry.sequence, entry.tokens_reached, entry.ended = now, sequence, 24_750, True
            quota.log.advance(now)
            if not refused:
                quota.log.add(entry, now)
                quota.accepted(entry, 24_750, 500, now)
        assert quota.explain(entry, sequence + 1, now + 0.02, doubt=0.12)
    assert quota.seconds == 1
    if taken >= 50:
        assert quota.limit.limit == quota.limit.advertised
    elif refusals * (1 - taken / 50) > 4:
        assert quota.limit.limit < quota.limit.advertised


@given(seed=st.integers(0, 10**6), window=st.sampled_from([1.0, 2.0, 5.0, 10.0]), slack=st.floats(0, 0.02))
def test_the_window_of_a_service_was_full_whenever_it_refused(seed, window, slack):
    """So what a history says the quota is at most is never below it, though calls overtake each other."""
    rng = random.Random(seed)
    quota, log, arrivals, service = 50_000, SlidingLog(60.0, 0.0, True), [], Quota(50_000, window)
    for number in range(400):
        sent_at = number * 0.05
        entry = Entry(tokens := rng.randint(50, 4000), tokens, 1)
        entry.sequence, entry.ended, entry.sent_at = number, True, sent_at
        log.add(entry, sent_at)
        arrivals.append((sent_at + rng.uniform(0, slack), entry))
    refused = []
    for at, entry in sorted(arrivals, key=lambda item: item[0]):
        if service.is_full(at, entry.tokens):
            entry.counts = False
            refused.append(entry)
        else:
            service.take(at, entry.tokens)
    for entry in refused:
        assert SentHistory(SentCalls(log), entry, by_tokens=True).at_most(window, doubt=0.0) >= quota
