"""Worker processes: the pure work of a large day on the machine's other cores.

A job is a function of some module. It goes to a process through a pipe, and its result comes back the same way. Nothing
depends on a process: what one can't do, because it died or because the job failed, is done in this process instead, so
an error is raised where it can be handled. A process ends when its pipe does, however this one ended.
"""

import asyncio
import os
import pickle
import subprocess
import sys
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Generic, Self, TypeVar, TypeVarTuple

T = TypeVar("T")
Tools = TypeVar("Tools")
Arguments = TypeVarTuple("Arguments")

_ROOT: Final = Path(__file__).parents[2]

# Keys and passwords lie in this process's environment: a worker gets none of it.
_ENVIRONMENT: Final = {"PYTHONPATH": str(_ROOT), "PYTHONUTF8": "1"}

_DEATHS: Final = (OSError, EOFError, pickle.UnpicklingError)

_MOST: Final = 2

# A process takes a second of CPU to begin, which is the work of two thousand conversations: so many are done before it
# is worth it, and so many more before the second one is.
_CONVERSATIONS_BEFORE: Final = 2000

# Logs of so many bytes hold more than that, or take longer to read.
_LARGE_LOGS_BYTES: Final = 64 << 20


def conversations_before(log_bytes: int) -> int:
    """Return how many conversations of logs are prepared here before processes begin; 0: they are worth it at once."""
    return 0 if log_bytes >= _LARGE_LOGS_BYTES else _CONVERSATIONS_BEFORE


def worthwhile_workers(quota_file: Path = Path("/sys/fs/cgroup/cpu.max")) -> int:
    """Return how many worker processes use the cores there are: two at most, since this process feeds no more.

    Args:
        quota_file: the container's share of cores, as microseconds in a period of so many, or `max`.
    """
    cores = float(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
    with suppress(OSError, ValueError):
        allowed, period = map(float, quota_file.read_text().split())
        cores = min(cores, allowed / period)
    return min(_MOST, int(cores)) if cores >= 2 else 0


class Workers(Generic[Tools]):
    """Runs jobs, each in a process of its own or in a thread of this one.

    Args:
        number: of processes; 0 has every job done here.
        tools: the first argument of every job; a process gets them once.
        notify: gets a sentence about a process that died.
        jobs_before: how many jobs are done here before the first process begins, and how many more before each of the
            others does; with 0 all begin at once.
    """

    def __init__(self, number: int, tools: Tools, notify: Callable[[str], object], jobs_before: int) -> None:
        self.number = number
        self._tools = tools
        self._notify = notify
        self._jobs_before = jobs_before
        self._jobs = 0
        self._is_closed = False
        self._processes: list[_Process] = []
        self._idle: set[_Process] = set()
        self._waiting: deque[tuple[_Process | None, asyncio.Future[_Process]]] = deque()
        self._place_of: dict[object, _Process] = {}
        self._places_here: set[object] = set()

    def __enter__(self) -> Self:
        if self._jobs_before <= 0:
            self._begin(self.number)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_closed = True
        for process in self._processes:
            process.end()

    async def run(self, job: Callable[[Tools, *Arguments], T], *arguments: *Arguments, place: object = None) -> T:
        """Return what the job returns for the tools and these arguments, all of which can be pickled.

        Args:
            job: a function of some module.
            arguments: of the job.
            place: two jobs with the same one are done in the same process (or both here), so that the first can leave
                the second something; unless that process died, whose jobs are done here.

        Raises:
            Exception: whatever the job raises.
        """
        self._jobs += 1
        wanted = self._place_of.pop(place, None)
        is_early = self._jobs <= self._jobs_before
        if wanted is None and (not self.number or is_early or place in self._places_here):
            if place is not None:
                self._places_here ^= {place}
            return await asyncio.to_thread(job, self._tools, *arguments)
        if len(self._processes) < self.number:
            self._begin((self._jobs - 1) // self._jobs_before)
        process = await self._free(wanted)
        if place is not None and wanted is None:
            self._place_of[place] = process
        return await asyncio.shield(self._start(process, job, *arguments))

    def _begin(self, number: int) -> None:
        """Begin processes until there are so many, or as many as there may be."""
        while len(self._processes) < min(number, self.number):
            process = _Process(pickle.dumps(self._tools))
            self._processes.append(process)
            # The tools make it import what they are made of, which takes a second that reading can use.
            self._start(process, _take_tools)

    def _start(self, process: "_Process", job: Callable[..., T], *arguments: object) -> asyncio.Future[T]:
        doing = asyncio.get_running_loop().run_in_executor(None, self._do, process, job, arguments)
        doing.add_done_callback(lambda done: self._is_idle(process, done))
        return doing

    async def _free(self, wanted: "_Process | None") -> "_Process":
        """Wait for a process that has nothing to do: a certain one, or any."""
        if wanted is None and self._idle:
            return self._idle.pop()
        if wanted in self._idle:
            self._idle.discard(wanted)
            return wanted
        turn: asyncio.Future[_Process] = asyncio.get_running_loop().create_future()
        self._waiting.append((wanted, turn))
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._give(turn.result())
            raise

    def _is_idle(self, process: "_Process", done: "asyncio.Future[Any] | Future[Any]") -> None:
        self._give(process)
        if not done.cancelled():
            done.exception()  # retrieved, should nobody wait for it any more

    def _give(self, process: "_Process") -> None:
        for waiting in self._waiting:
            wanted, turn = waiting
            if wanted in {None, process} and not turn.done():
                self._waiting.remove(waiting)
                turn.set_result(process)
                return
        self._idle.add(process)

    def _do(self, process: "_Process", job: Callable[..., T], arguments: tuple[object, ...]) -> T:
        if process.is_there:
            try:
                is_done, result = process.do(job, arguments)
                if is_done:
                    return result  # type: ignore[no-any-return]
            except _DEATHS:
                if self._is_closed:
                    raise
                code = process.end(patience=1.0)
                self._notify(
                    f"A worker process died (exit code {code}). Its work is done in the run's own process from now "
                    "on; nothing is lost. If the machine is short of memory, give it more."
                )
        return job(self._tools, *arguments)


def _take_tools(tools: object) -> None:
    """Do nothing with the tools: a process has them now."""


class _Process:
    """One process of `tasks.running.worker`, and its pipes."""

    def __init__(self, tools: bytes) -> None:
        self.is_there = True
        self._began_with: bytes | None = tools
        # In a session of its own: a Ctrl-C is for the run, which ends its processes when it has no more use for them.
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-P", *["-B"] * sys.dont_write_bytecode, "-m", "tasks.running.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=_ENVIRONMENT,
            start_new_session=True,
        )

    def do(self, job: Callable[..., Any], arguments: tuple[object, ...]) -> tuple[bool, Any]:
        """Have a job done; return true and its result, or false where it failed. Blocking.

        Raises:
            OSError, EOFError, UnpicklingError: the process died.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        if self._began_with is not None:
            self._process.stdin.write(self._began_with)
            self._began_with = None
        self._process.stdin.write(pickle.dumps((job, arguments), pickle.HIGHEST_PROTOCOL))
        self._process.stdin.flush()
        reply: tuple[bool, Any] = pickle.load(self._process.stdout)  # noqa: S301 - from our own code
        return reply

    def end(self, patience: float = 0.0) -> int:
        """End the process, which holds nothing of value, and return its exit code.

        Args:
            patience: seconds in which it may end by itself.
        """
        self.is_there = False
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(patience)
        self._process.kill()
        code = self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(OSError):  # what it was never sent
                pipe.close()  # type: ignore[union-attr]
        return code
