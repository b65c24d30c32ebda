"""A service that refuses some calls for no reason keeps its rate; a limit stays a limit."""

import pytest

from tasks.calling.rules.pacing.limits import Limits
from tasks.calling.rules.pacing.noise import Noise
from tests.builders.quota_simulation import Service, simulate


def taken(noise, first, calls):
    for sequence in range(first, first + calls):
        noise.accepted(sequence)


def test_single_refusals_that_nothing_provoked_are_recognized():
    noise = Noise()
    found = []
    for event in range(6):
        taken(noise, 50 * event + 1, 49)
        found.append(noise.is_noise(50 * event + 50, 50 * event + 50, provoked=False))
    assert found == [False, False, False, True, True, True]


def test_refusals_of_a_limit_that_is_probed_are_no_noise():
    noise = Noise()
    for event in range(100):
        taken(noise, 50 * event + 1, 49)
        assert not noise.is_noise(50 * event + 50, 50 * event + 50, provoked=True)


def test_seldom_refusals_are_forgotten():
    noise = Noise()
    for event in range(100):
        taken(noise, 600 * event + 1, 599)
        assert not noise.is_noise(600 * event + 600, 600 * event + 600, provoked=False)


def test_many_refusals_at_once_are_a_limit_whatever_came_before():
    noise = Noise()
    for event in range(4):
        taken(noise, 50 * event + 1, 49)
        noise.is_noise(50 * event + 50, 50 * event + 50, provoked=False)
    assert noise.is_recognized
    found = [noise.is_noise(sequence, sequence, provoked=False) for sequence in range(200, 220)]
    assert found[0]
    assert not any(found[10:])


@pytest.mark.parametrize(
    ("told", "share", "latency"),
    [(3000, 0.02, 1.2), (3000, 0.02, 0.1), (3000, 0.05, 1.2), (None, 0.02, 0.3), (None, 0.005, 1.2)],
)
def test_pacer_keeps_its_rate_where_some_calls_are_refused_for_no_reason(told, share, latency):
    service = Service(60, requests=3000 if told else 0, whims=share, latency_median=latency, latency_sigma=0.1)
    simulate(service, Limits(told, None, 64), 10**5, 1, seconds=250)
    most = min(50.0, 64 / latency) if told else 64 / (latency + 0.05)
    assert service.use(most, since=150) >= 0.85


@pytest.mark.parametrize("told", [3000, None])
def test_pacer_finds_a_limit_among_refusals_for_no_reason(told):
    """The service takes half of what it did, and refuses the rest."""
    service = Service(10, requests=500, whims=0.02)
    fall = (150.0, lambda service: setattr(service, "requests", 250))
    simulate(service, Limits(told, None, 64, 10), 10**5, 1, seconds=300, changes=(fall,))
    late = [at for at, _ in service.refused if at > 200]
    assert service.use(25, since=200) >= 0.85
    assert len(late) <= 0.15 * sum(at > 200 for at, _ in service.arrivals)


@pytest.mark.parametrize("seed", range(3))
def test_pacer_finds_no_limit_where_answers_are_quick_and_one_of_twenty_is_refused(seed):
    """A call that tries a window and is answered at once has passed: its window is not tried any more."""
    service = Service(60, whims=0.05, latency_median=0.1, latency_sigma=0.1)
    simulate(service, Limits(None, None, 8), 10**5, seed, seconds=100)
    assert service.use(8 / 0.15, since=60) >= 0.6
