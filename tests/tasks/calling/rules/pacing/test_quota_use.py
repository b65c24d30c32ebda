"""The part of a quota that was used, beside what a service would have allowed."""

import math

import pytest

from tasks.calling.rules.pacing.limits import Limits
from tasks.calling.rules.pacing.pacer import Pacer
from tasks.calling.rules.pacing.quota_use import QuotaUse
from tests.builders.quota_simulation import Service, simulate


def used(times, rate, window, refused=0):
    use = QuotaUse()
    for now in times:
        use.sent(now, rate)
    for _ in range(refused):
        use.refused()
    return use.part(window)


@pytest.mark.parametrize(
    ("times", "window", "expected"),
    [
        ([0.0] * 60, 60, 1.0),  # all that one window takes, at once
        ([0.0] * 60 + [60.0] * 60, 60, 1.0),
        (range(61), 60, 61 / 120),  # a second window has begun, and would have taken 60 more
        (range(61), 1, 1.0),
        (range(0, 61, 2), 1, 31 / 61),
    ],
)
def test_part_is_of_all_windows_that_began(times, window, expected):
    assert used(times, 1.0, window) == pytest.approx(expected)


def test_part_does_not_count_what_was_refused():
    assert used([0.0] * 60, 1.0, 60, refused=30) == 0.5


def test_part_is_not_known_without_a_limit():
    assert used([1.0, 2.0, 3.0], float("inf"), 60) is None
    assert QuotaUse().part(60) is None


def allowed(service, seconds):
    """The number that it would have taken in as many windows as began."""
    return service.requests * (math.floor(seconds / service.window_seconds) + 1)


@pytest.mark.parametrize("window", [1, 10, 60])
def test_snapshot_says_what_a_service_would_have_allowed(window):
    """A run that uses all of a quota reads as one, however short its windows are."""
    service = Service(window, requests=50 * window)
    outcome = simulate(service, Limits(3000, None, 256), 10**5, 0, seconds=119)
    part = len(service.arrivals) / allowed(service, outcome.seconds)
    assert outcome.used == pytest.approx(part, abs=0.02)


def test_snapshot_leaves_out_calls_that_the_service_did_not_count():
    pacer = Pacer(Limits(60))
    entries = [pacer.grant(0.0, 10) for _ in range(60)]
    for entry in entries:
        pacer.sent(entry, 0.0)
    for entry in entries[:30]:
        pacer.failed(entry, 0.1, maybe_counted=False)
    assert pacer.snapshot(1.0).used == 0.5


def test_snapshot_goes_by_the_limit_that_was_found():
    """Told 3,000 a minute, of which the service takes half."""
    service = Service(10, requests=250)
    outcome = simulate(service, Limits(3000, None, 256, 10), 10**5, 0, seconds=119)
    part = len(service.arrivals) / allowed(service, outcome.seconds)
    assert outcome.used == pytest.approx(part, abs=0.1)
