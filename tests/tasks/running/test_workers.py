"""Worker processes: their results, the cost of their death, and the secrets that they are not given."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tasks.running.workers import Workers, conversations_before, worthwhile_workers


def add(tools: int, number: int) -> tuple[int, int]:
    return os.getpid(), tools + number


def fail(tools: int, number: int) -> int:
    raise KeyError(tools, number)


def die_once(tools: int, mark: Path) -> str:
    try:
        mark.touch(exist_ok=False)
    except FileExistsError:
        return "done"
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def print_something(tools: int) -> int:
    print("printed by some library", flush=True)
    return tools


def process_of_a_moment(tools: int) -> int:
    time.sleep(0.01)
    return os.getpid()


def environment(tools: int) -> dict[str, str]:
    return dict(os.environ)


def session(tools: int) -> int:
    return os.getsid(0)


def begin_and_wait(tools: int, begun: Path) -> None:
    begun.write_bytes(b"begun")
    time.sleep(60)


def with_workers(work, number=1, jobs_before=0):
    """The result of the work, and the sentences that people are notified of."""
    said: list[str] = []

    async def run():
        with Workers(number, 10, said.append, jobs_before) as workers:
            return await work(workers)

    return asyncio.run(run()), said


def test_jobs_are_done_in_processes_once_there_are_enough_of_them():
    async def work(workers):
        return [await workers.run(add, number) for number in range(4)]

    found, said = with_workers(work, jobs_before=2)
    assert [result for _, result in found] == [10, 11, 12, 13]
    assert [process == os.getpid() for process, _ in found] == [True, True, False, False]
    assert said == []


def test_a_second_process_begins_after_as_many_jobs_more():
    async def work(workers):
        alone = [(await workers.run(add, number))[0] for number in range(6)]
        later = set[int]()
        while len(later) < 2:  # it takes its time to begin
            later |= set(await asyncio.gather(*(workers.run(process_of_a_moment) for _ in range(4))))
        return alone, later

    (alone, later), _ = with_workers(work, number=2, jobs_before=3)
    assert alone[:3] == [os.getpid()] * 3
    assert len(set(alone[3:])) == 1
    assert set(alone[3:]) < later
    assert os.getpid() not in later


def test_processes_begin_at_once_where_the_logs_are_large():
    assert conversations_before(64 << 20) == 0
    assert conversations_before((64 << 20) - 1) == 2000


def taken(begun: Path) -> str:
    begun.write_bytes(b"taken")
    return "tools"


class ToolsThatTell:
    """Tools that write into a pipe when a process takes them."""

    def __init__(self, begun: Path) -> None:
        self.begun = begun

    def __reduce__(self) -> tuple[object, ...]:
        return taken, (self.begun,)


def name(tools: object) -> object:
    return tools


def test_processes_take_their_tools_before_the_first_job_where_none_is_done_here(tmp_path):
    begun = tmp_path / "begun"
    os.mkfifo(begun)

    async def run():
        with Workers(1, ToolsThatTell(begun), pytest.fail, jobs_before=0) as workers:
            there = await asyncio.to_thread(begun.read_bytes)
            return there, await workers.run(name)

    assert asyncio.run(run()) == (b"taken", "tools")


def leave(tools: dict[int, int], number: int) -> int:
    tools[number] = os.getpid()
    return os.getpid()


def find(tools: dict[int, int], number: int) -> int | None:
    return tools.pop(number, None)


def die(tools: dict[int, int]) -> int:
    if os.environ.get("PYTEST_CURRENT_TEST"):  # the run's own process
        return 0
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


@pytest.mark.parametrize("number", [0, 1, 2, 3])
def test_two_jobs_of_one_place_are_done_in_one_process(number):
    async def two(workers, place):
        left = await workers.run(leave, place, place=place)
        await asyncio.sleep(0.001 * (place % 3))
        return left, await workers.run(find, place, place=place)

    async def run():
        nothing: dict[int, int] = {}
        with Workers(number, nothing, pytest.fail, jobs_before=5) as workers:
            return await asyncio.gather(*(two(workers, place) for place in range(30)))

    found = asyncio.run(run())
    assert all(left == there for left, there in found)
    assert len({left for left, _ in found}) > 1 or not number


def test_what_a_process_was_left_dies_with_it():
    said: list[str] = []

    async def run():
        nothing: dict[int, int] = {}
        with Workers(1, nothing, said.append, jobs_before=0) as workers:
            await workers.run(leave, 1, place=1)
            await workers.run(die)
            return await workers.run(find, 1, place=1), await workers.run(leave, 2, place=2), await workers.run(find, 2)

    assert asyncio.run(run()) == (None, os.getpid(), os.getpid())


def test_a_job_that_is_cancelled_while_it_waits_keeps_no_process():
    async def run():
        with Workers(1, 10, pytest.fail, jobs_before=0) as workers:
            jobs = [asyncio.create_task(workers.run(add, number)) for number in range(5)]
            await asyncio.sleep(0)
            jobs[2].cancel()
            await asyncio.wait(jobs)
            return await workers.run(add, 7), jobs[2].cancelled()

    (_, result), cancelled = asyncio.run(run())
    assert (result, cancelled) == (17, True)


def test_no_workers_do_every_job_here():
    async def work(workers):
        return await asyncio.gather(*(workers.run(add, number) for number in range(3)))

    assert with_workers(work, number=0) == ([(os.getpid(), 10), (os.getpid(), 11), (os.getpid(), 12)], [])


def test_a_job_that_fails_raises_its_own_error_here():
    async def work(workers):
        with pytest.raises(KeyError) as error:
            await workers.run(fail, 3)
        return error.value.args, await workers.run(add, 1)

    (arguments, (process, result)), said = with_workers(work)
    assert (arguments, result, said) == ((10, 3), 11, [])
    assert process != os.getpid()


def test_a_process_that_dies_costs_nothing_and_is_named_once(tmp_path):
    async def work(workers):
        return await workers.run(die_once, tmp_path / "mark"), await workers.run(add, 1)

    (first, (process, result)), said = with_workers(work)
    assert (first, process, result) == ("done", os.getpid(), 11)
    (sentence,) = said
    assert "exit code -9" in sentence
    assert "nothing is lost" in sentence


def test_what_a_job_prints_does_not_disturb_its_result(capfd):
    assert with_workers(lambda workers: workers.run(print_something)) == (10, [])
    assert "printed by some library" in capfd.readouterr().err


def test_a_process_gets_no_key_of_the_environment(monkeypatch):
    for name in ("QIANFAN_SECRET_KEY", "OPENAI_API_KEY", "KEFU_PSEUDONYM_KEY", "PREFECT_API_AUTH_STRING"):
        monkeypatch.setenv(name, "a secret")
    found, _ = with_workers(lambda workers: workers.run(environment))
    assert "a secret" not in found.values()


def test_a_process_hears_no_interrupt_that_is_meant_for_the_run():
    found, _ = with_workers(lambda workers: workers.run(session))
    assert found != os.getsid(0)


def test_a_run_that_is_cancelled_leaves_no_process(tmp_path):
    begun = tmp_path / "begun"
    os.mkfifo(begun)

    async def run():
        with Workers(2, 10, notify=pytest.fail, jobs_before=0) as workers:
            waiting = asyncio.create_task(workers.run(begin_and_wait, begun))
            await asyncio.to_thread(begun.read_bytes)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
        return workers

    workers = asyncio.run(run())
    assert all(process._process.returncode == -signal.SIGKILL for process in workers._processes)


def test_a_process_ends_with_the_one_that_began_it():
    begin = (
        "import asyncio, os, signal\n"
        "from tests.tasks.running.test_workers import add\n"
        "from tasks.running.workers import Workers\n"
        "async def run():\n"
        "    with Workers(1, 10, print, 0) as workers:\n"
        "        print((await workers.run(add, 1))[0], flush=True)\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "asyncio.run(run())\n"
    )
    # The worker has the pipe of standard error, too: this returns when both processes are gone.
    done = subprocess.run([sys.executable, "-c", begin], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == -signal.SIGKILL
    assert int(done.stdout)


@pytest.mark.parametrize(("quota", "most"), [("max 100000", 2), ("100000 100000", 0), ("150000 100000", 0)])
def test_a_container_with_few_cores_gets_no_workers(tmp_path, monkeypatch, quota, most):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(8), raising=False)
    (tmp_path / "cpu.max").write_text(quota)
    assert worthwhile_workers(tmp_path / "cpu.max") == most
    assert worthwhile_workers(tmp_path / "there is none") == 2
