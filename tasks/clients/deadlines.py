"""Deadlines of calls: one timer for all that are under way, since a timer of each call's own takes as long as parsing.

Nothing here knows HTTP.
"""

import asyncio
from types import TracebackType
from typing import Self


class Deadlines:
    """Ends what takes longer than so many seconds. Belongs to one event loop.

    Args:
        seconds: that each may take.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._loop = asyncio.get_running_loop()
        self._running: dict[Deadline, None] = {}  # in the order they began, which is that of their ends
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> "Deadline":
        """Return a block's deadline, which begins now."""
        task = asyncio.current_task()
        assert task is not None, "a deadline outside of a task"
        deadline = Deadline(self, task, self._loop.time() + self._seconds)
        self._running[deadline] = None
        if self._timer is None:
            self._timer = self._loop.call_at(deadline.at, self._look)
        return deadline

    def end(self, deadline: "Deadline") -> None:
        """Forget a block that has ended."""
        self._running.pop(deadline, None)
        if not self._running and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        self._timer = None
        for deadline in list(self._running):
            if deadline.at > self._loop.time():
                self._timer = self._loop.call_at(deadline.at, self._look)
                return
            del self._running[deadline]
            deadline.pass_by()


class Deadline:
    """A block that ends with TimeoutError where it lasts too long, as in `asyncio.timeout`."""

    __slots__ = ("_all", "_asked_before", "_is_past", "_task", "at")

    def __init__(self, all_of_them: Deadlines, task: "asyncio.Task[object]", at: float) -> None:
        self.at = at
        self._all = all_of_them
        self._task = task
        self._asked_before = task.cancelling()
        self._is_past = False

    def pass_by(self) -> None:
        """Cancel the block."""
        self._is_past = True
        self._task.cancel()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._all.end(self)
        # Whoever else cancelled the task meanwhile has the last word.
        if self._is_past and self._task.uncancel() <= self._asked_before and kind is asyncio.CancelledError:
            raise TimeoutError from error
