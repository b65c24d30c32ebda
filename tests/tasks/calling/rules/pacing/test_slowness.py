import heapq

import pytest

from tasks.calling.rules.pacing.slowness import InFlightLimit


def test_the_limit_is_none_until_a_call_gets_no_reply():
    limit = InFlightLimit(30.0)
    for at in range(1000):
        limit.answered(float(at))
    assert limit.limit == float("inf")


def test_one_lot_of_calls_lowers_it_once():
    limit = InFlightLimit(30.0)
    limit.answered(20.0)
    limit.answered(21.0)
    limit.timed_out(0.0, in_flight=100, now=30.0)
    assert limit.limit == 1
    limit.answered(31.0)
    assert limit.limit == 2
    limit.timed_out(5.0, in_flight=90, now=35.0)
    assert limit.limit == 2


@pytest.mark.parametrize(("slots", "seconds"), [(2, 1.5), (1, 5.0), (8, 2.0)])
def test_a_server_with_few_slots_loses_few_calls(slots, seconds):
    """Simulated: calls are served in the order in which they came, and given up after 30 s."""
    limit, now, free, waiting, lost, served = InFlightLimit(30.0), 0.0, [0.0] * slots, 200, 0, 0
    events: list[tuple[float, int, float]] = []
    in_flight = 0
    while served < 200:
        while waiting and in_flight < min(128, limit.limit):
            start = max(now, heapq.heappop(free))
            # A server does not know that nobody waits any more.
            heapq.heappush(free, start + seconds)
            end = start + seconds
            heapq.heappush(events, (min(end, now + 30.0), int(end > now + 30.0), now))
            waiting, in_flight = waiting - 1, in_flight + 1
        now, failed, began = heapq.heappop(events)
        if failed:
            limit.timed_out(began, in_flight, now)
            lost, waiting = lost + 1, waiting + 1
        else:
            limit.answered(now)
            served += 1
        in_flight -= 1
    # The first lot, and what waited behind it while the server still worked on what nobody waited for.
    assert lost <= 128 + 80
