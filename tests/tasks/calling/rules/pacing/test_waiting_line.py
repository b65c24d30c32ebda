"""The next of those that wait: the first, or where only its size is in the way one that fits."""

from tasks.calling.rules.pacing.limits import Limits
from tasks.calling.rules.pacing.pacer import Pacer
from tasks.calling.rules.pacing.waiting_line import WaitingLine

NOW = 100.0
LONG_AGO = 40.0


def line_of(*estimates: int) -> WaitingLine[str]:
    line = WaitingLine[str](lambda call: call.startswith("gone"))
    for number, estimate in enumerate(estimates):
        line.append(f"call {number}", estimate)
    return line


def pacer_with_room(tokens: int) -> Pacer:
    """A pacer of 10,000 tokens a minute with room for so many now, by estimates that replies have confirmed."""
    pacer = Pacer(Limits(None, 10_000, 64))
    at = LONG_AGO
    for _ in range(400):
        entry = pacer.grant(at - 200, 10)
        pacer.sent(entry, at - 200)
        pacer.answered(entry, at - 200, 10, None, 1.0)
    entry = pacer.grant(NOW - 30, 10_000 - tokens)
    pacer.sent(entry, NOW - 30)
    pacer.answered(entry, NOW - 30, 10_000 - tokens, None, 1.0)
    return pacer


def taken(line: WaitingLine[str], pacer: Pacer) -> str | None:
    found = line.next_ready(pacer, NOW)
    if found is None or found[1] > NOW:
        return None
    return line.take(found[0])[0]


def test_the_first_goes_where_it_fits():
    assert taken(line_of(400, 500, 100), pacer_with_room(600)) == "call 0"


def test_the_largest_that_fits_goes_where_the_first_does_not():
    line = line_of(700, 100, 500, 800)
    assert taken(line, pacer_with_room(600)) == "call 2"
    assert len(line) == 3


def test_nobody_goes_where_nobody_fits():
    line = line_of(700, 900)
    found = line.next_ready(pacer_with_room(600), NOW)
    assert found is not None
    assert found[0] == 0
    assert found[1] > NOW


def test_who_does_not_wait_any_more_neither_goes_nor_holds_up():
    line = WaitingLine[str](lambda call: call.startswith("gone"))
    line.append("gone 0", 700)
    line.append("call 1", 700)
    line.append("gone 2", 500)
    line.append("call 3", 100)
    assert taken(line, pacer_with_room(600)) == "call 3"
    assert line.clear() == ["call 1", "gone 2"]
    assert line.next_ready(pacer_with_room(600), NOW) is None


def test_the_first_is_not_passed_by_for_ever():
    line = line_of(700, *[1] * 100)
    pacer = pacer_with_room(600)
    passed = 0
    while taken(line, pacer):
        passed += 1
    assert passed == 24


def test_only_size_lets_others_pass():
    pacer = pacer_with_room(600)
    pacer.refused(pacer.grant(NOW, 10), NOW, "requests", retry_after_seconds=5.0, limits=None)
    assert taken(line_of(700, 100), pacer) is None
