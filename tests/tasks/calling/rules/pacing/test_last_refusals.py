"""A window that was half empty at any refusal of late is not the one that refuses."""

import pytest

from tasks.calling.rules.pacing.last_refusals import LastRefusals
from tasks.calling.rules.pacing.sliding_window import Entry, SlidingLog


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
            refusals.add(sent(10.06, number))
    refusals.add(sent(14.0, 200))
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
