"""A window that was half empty at any refusal of late is not the one that refuses."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.calling.rules.pacing.windows.last_refusals import LastRefusals
from tasks.calling.rules.pacing.windows.sliding_window import Entry, SlidingLog
from tests.builders.quotas import Quota


def sent(at: float, sequence: int) -> Entry:
    entry = Entry(500, 500, 1)
    entry.sent_at, entry.sequence, entry.ended = at, sequence, True
    return entry


def rates_after_a_burst_and_a_stream(memory_seconds: float) -> tuple[dict[float, float], dict[float, float]]:
    """Fifty calls at once and a refusal, then fifty a second for three seconds, and another."""
    log = SlidingLog(1.0, 0.025, True, memory_seconds)
    refusals = LastRefusals(log, memory_seconds, by_tokens=True)
    times = [10 + number / 1000 for number in range(50)] + [11 + number / 50 for number in range(150)]
    for number, at in enumerate(times):
        log.advance(at)
        log.add(sent(at, number), at)
        if number == 49:
            refusals.add(sent(10.06, number), number + 1)
    refusals.add(sent(14.0, 200), 201)
    return refusals.rates((1.0, 2.0), doubt=0.0)


def test_all_refusals_that_are_remembered_count():
    likely, most = rates_after_a_burst_and_a_stream(60.0)
    assert likely[1] == pytest.approx(25_000, rel=0.03)
    assert likely[2] == pytest.approx(12_500, rel=0.03)
    assert most[1] >= likely[1]
    assert most[2] >= likely[2]


def test_a_refusal_tells_nothing_of_a_window_that_the_log_does_not_know_in_full():
    likely, _ = rates_after_a_burst_and_a_stream(5.0)
    assert likely[1] == pytest.approx(25_000, rel=0.03)
    assert likely[2] == pytest.approx(25_000, rel=0.03)


@given(
    seed=st.integers(0, 10**6), window=st.sampled_from([1.0, 2.0, 5.0, 10.0]), thought=st.sampled_from([0.8, 1.0, 1.25])
)
def test_refusals_together_show_a_quota_once_their_calls_are_answered(seed, window, thought):
    rng, now, quota = random.Random(seed), 100.0, Quota(50_000, window)
    log = SlidingLog(window, 0.0, True, 60.0)
    refusals, calls, sequence = LastRefusals(log, 60.0, by_tokens=True), [], 0
    while now < 100 + 2 * window or refusals.in_a_row < 1:
        now += window / 150
        sequence += 1
        used = rng.randint(200, 800)
        entry = Entry(used, round(used * thought), 1)
        entry.sent_at, entry.sequence = now, sequence
        log.advance(now)
        if quota.is_full(now, used):
            refusals.add(entry, sequence + 1)
            entry.tokens = used
        else:
            quota.take(now, used)
            log.add(entry, now)
            calls.append((now, entry, used))
    if thought != 1:
        assert abs(refusals.quota(window, 0.1, now) / 50_000 - 1) > 0.1
    for at, entry, used in calls:
        log.change(at, used - entry.tokens, now)
        entry.tokens, entry.ended = used, True
    assert refusals.quota(window, 0.1, now) == pytest.approx(50_000, rel=0.01)


@given(seed=st.integers(0, 10**6), replies=st.sampled_from([0.0, 0.3, 1.0]), refused=st.integers(1, 4))
def test_calls_before_a_refusal_fill_the_window_until_replies_show_what_they_weigh(seed, replies, refused):
    rng, log = random.Random(seed), SlidingLog(1.0, 0.0, True, 60.0)
    refusals = LastRefusals(log, 60.0, by_tokens=True)
    calls = [sent(10 + number / 60, number) for number in range(50)]
    for call in calls:
        assert call.sent_at is not None
        call.ended = rng.random() < replies
        log.add(call, call.sent_at)
    known = [call for call in calls if call.ended]
    for number in range(refused):
        refusals.add(sent(10.9, 50 + number), 51 + number)
        refusals.weigh(1.0, 26_000, 0.12, 10.92)
    assert all(call.heavier == 0 for call in known)
    assert log.held == 25_000 + sum(call.heavier for call in calls)
    if not known:
        assert 25_500 < log.held <= 25_750 + len(calls)  # the refused one had room for half of itself
    for call in calls:
        assert call.sent_at is not None
        log.change(call.sent_at, 10 - call.heavier, 10.95)
        call.tokens, call.heavier = 510, 0
    assert log.held == 50 * 510
    log.advance(12)
    assert log.held == log.inside == 0


def test_a_window_that_its_calls_fill_already_weighs_no_more():
    log = SlidingLog(1.0, 0.0, True, 60.0)
    call = sent(10.0, 1)
    call.ended = False
    log.add(call, 10.0)
    refusals = LastRefusals(log, 60.0, by_tokens=True)
    refusals.add(sent(10.5, 2), 3)
    refusals.weigh(1.0, 700, 0.12, 10.52)
    assert (call.heavier, log.held) == (0, 500)


def test_refusals_are_in_a_row_where_nothing_was_taken_between_them():
    refusals = LastRefusals(SlidingLog(1.0, 0.025, True, 60.0), 60.0, by_tokens=True)
    news = []
    for sequence, next_sequence in ((5, 8), (6, 8), (8, 9), (9, 10), (12, 13)):
        refusals.add(sent(10.0 + sequence, sequence), next_sequence)
        news.append((refusals.is_news, refusals.in_a_row))
    assert news == [(True, 1), (False, 1), (True, 2), (True, 3), (True, 1)]
