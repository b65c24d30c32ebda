"""Deadlines end blocks as `asyncio.timeout` does, and nothing else."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.clients.deadlines import Deadlines
from tests.builders.simulated_time import in_simulated_time


async def forever() -> None:
    await asyncio.get_running_loop().create_future()


@given(lasting=st.lists(st.booleans(), min_size=1, max_size=12), pause=st.integers(0, 2))
@settings(max_examples=25, deadline=None)
def test_each_block_that_lasts_is_ended_and_no_other(lasting: list[bool], pause: int):
    """Blocks begin some turns of the loop after one another; those that do not last end only when all that do have."""

    async def run() -> list[str]:
        deadlines, long = Deadlines(0.02), Deadlines(1000.0)
        all_ended = asyncio.Event()
        left = lasting.count(True)

        async def block(lasts: bool) -> str:
            nonlocal left
            try:
                with (deadlines if lasts else long).begin():
                    await (forever() if lasts else all_ended.wait())
            except TimeoutError:
                left -= 1
                if not left:
                    all_ended.set()
                return "ended"
            return "through"

        if not left:
            all_ended.set()
        tasks = []
        for lasts in lasting:
            tasks.append(asyncio.create_task(block(lasts)))
            for _ in range(pause):
                await asyncio.sleep(0)
        return await asyncio.gather(*tasks)

    assert asyncio.run(run()) == ["ended" if lasts else "through" for lasts in lasting]


@in_simulated_time
async def test_blocks_that_begin_later_end_later():
    deadlines, now = Deadlines(30.0), asyncio.get_running_loop().time
    began, ends = now(), list[int]()

    async def block() -> None:
        try:
            with deadlines.begin():
                await asyncio.sleep(1000.0)
        except TimeoutError:
            ends.append(round(now() - began))

    tasks = []
    for _ in range(3):
        tasks.append(asyncio.create_task(block()))
        await asyncio.sleep(10.0)
    await asyncio.gather(*tasks)
    assert ends == [30, 40, 50]


def test_a_block_that_ends_in_time_leaves_the_others_theirs():
    async def block(deadlines: Deadlines, lasts: bool) -> None:
        with deadlines.begin():
            if lasts:
                await forever()

    async def run() -> list[BaseException | None]:
        deadlines = Deadlines(0.0)
        return await asyncio.gather(
            *(block(deadlines, lasts) for lasts in (False, True, False, True, True)), return_exceptions=True
        )

    assert [type(end) for end in asyncio.run(run())] == [type(None), TimeoutError, type(None)] + [TimeoutError] * 2


@pytest.mark.parametrize("is_past", [False, True])
def test_who_cancels_the_task_has_the_last_word(is_past):
    async def block(deadlines: Deadlines) -> None:
        with deadlines.begin() as deadline:
            if is_past:
                deadline.pass_by()
            await forever()

    async def run() -> asyncio.Task[None]:
        task = asyncio.create_task(block(Deadlines(1000.0)))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        return task

    assert asyncio.run(run()).cancelled()


def test_another_error_of_a_block_that_is_past_stays():
    async def run() -> None:
        with Deadlines(1000.0).begin() as deadline:
            deadline.pass_by()
            raise KeyError("its own")

    with pytest.raises(KeyError):
        asyncio.run(run())


def test_a_block_in_a_block_is_ended_by_the_one_whose_time_it_is():
    async def run() -> str:
        try:
            with Deadlines(0.0).begin(), Deadlines(1000.0).begin():
                await forever()
        except TimeoutError:
            await asyncio.sleep(0)  # nobody is cancelled any more
            return "outer"
        return "none"

    assert asyncio.run(run()) == "outer"
