import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from tasks.calling.rules.budget import Prices
from tasks.calling.rules.pacing.limits import Limits
from tasks.domain.records import Conversation, Reason, Reject, Request
from tasks.reading.batches import Batch, closing_batches
from tasks.summarizing.dry_run import count_day, first_conversations


def request(number: int) -> Request:
    return Request(Conversation(f"c{number}", (), "a", number), (), "", "p", False, f"c{number}", f"r{number}", 228)


REJECT = Reject("x", Reason.EMPTY, "", "a", 9)


async def batches() -> AsyncIterator[Batch]:
    yield Batch(0, [request(1), request(2), request(2)], [REJECT])
    yield Batch(1, [request(3), request(4)], [REJECT, REJECT])


def test_count_day_adds_up_what_has_to_be_asked_once():
    found = asyncio.run(count_day(batches(), lambda request: None if request.request_hash == "r4" else request))
    assert (found.requests, found.rejects, found.known) == (5, 3, 1)
    estimate = found.to_ask.total(Prices(prompt=1.0, completion=10.0), Limits(2, None))
    assert (estimate.calls, estimate.tokens, estimate.minutes) == (3, 3 * 228, 1.5)
    assert estimate.cost == pytest.approx(3 * (100 * 1.0 + 128 * 10.0) / 1000)
    assert found.to_ask.total(Prices(), Limits()).minutes is None


def test_count_day_counts_apart_what_goes_to_the_second_model():
    def to_send(request: Request) -> Request:
        return (
            replace(request, request_hash="second", estimated_tokens=328) if request.request_hash == "r4" else request
        )

    found = asyncio.run(count_day(batches(), to_send))
    first = found.to_ask.total(Prices(prompt=1.0), Limits(2, None))
    both = first.beside(found.to_ask_the_second.total(Prices(prompt=10.0), Limits(None, 82)))
    assert (both.calls, both.tokens, both.minutes) == (4, 3 * 228 + 328, 4.0)
    assert both.cost == pytest.approx((3 * 100 * 1.0 + 200 * 10.0) / 1000)
    assert found.known == 0


@pytest.mark.parametrize(
    ("number", "counts"), [(1, [(1, 0)]), (4, [(3, 1)]), (5, [(3, 1), (1, 0)]), (99, [(3, 1), (2, 2)])]
)
def test_first_conversations_are_no_more_than_asked_for(number, counts):
    async def collected() -> list[tuple[int, int]]:
        return [
            (len(conversation.requests), len(conversation.rejects))
            async for conversation in first_conversations(batches(), number)
        ]

    assert asyncio.run(collected()) == counts


def test_batches_that_are_left_unread_are_closed_through_whatever_hands_them_on():
    closed = []

    async def read() -> AsyncIterator[Batch]:
        try:
            for number in range(3):
                yield Batch(number, [request(number)], [])
        finally:
            closed.append(True)

    async def fail_at_the_first() -> None:
        async with closing_batches(first_conversations(first_conversations(read(), 3), 2)) as handed_on:
            async for _ in handed_on:
                raise LookupError

    async def failing_in_a_loop() -> None:
        with pytest.raises(LookupError):
            await fail_at_the_first()
        assert closed == [True]

    asyncio.run(failing_in_a_loop())
