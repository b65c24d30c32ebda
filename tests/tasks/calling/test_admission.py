"""The order in which calls are let in, and the end of it."""

import asyncio

import pytest

from tasks.calling.admission import Admission
from tasks.calling.rules.budget import Ceiling, Prices, Reservation
from tasks.calling.rules.call_policy import CallPolicy
from tasks.calling.rules.canary import CanaryRule
from tasks.domain.errors import AnswersUseless
from tasks.domain.records import Reason


def asked(tokens: int) -> Reservation:
    return Reservation(tokens, 0, Prices())


def admission(policy: CallPolicy) -> Admission:
    return Admission(policy, "m", lambda: 0.0)


def test_nobody_is_let_in_after_the_canary_stopped_the_run():
    gate = admission(CallPolicy("v", canary=CanaryRule(first=5)))
    for _ in range(5):
        gate.judge(Reason.UNPARSEABLE)
    with pytest.raises(AnswersUseless):
        asyncio.run(gate.enter(asked(1), again=True))


@pytest.mark.parametrize("again", [True, False])
def test_a_small_call_does_not_pass_a_large_one_that_waits_for_room(again):
    gate = admission(CallPolicy("v", ceiling=Ceiling(tokens=100)))

    async def enter_three() -> list[str]:
        let_in = []

        async def call(name: str, tokens: int, again: bool) -> None:
            with await gate.enter(asked(tokens), again):
                let_in.append(name)

        with await gate.enter(asked(60), again=False):
            large = asyncio.ensure_future(call("large", 80, again))
            await asyncio.sleep(0)
            small = asyncio.ensure_future(call("small", 10, again))
            await asyncio.sleep(0)
            assert let_in == []
        await asyncio.gather(large, small)
        return let_in

    assert asyncio.run(enter_three()) == ["large", "small"]
