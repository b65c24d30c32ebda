"""An event loop whose time passes only while everything waits, and then at once: minutes in a blink, always the same."""

import asyncio
import functools
import selectors
from collections.abc import Callable, Coroutine
from typing import Any


class _Leap(selectors.DefaultSelector):
    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        assert timeout is not None, "everything waits for something that will never happen"
        self.now += max(0.0, timeout)
        return super().select(0)


class SimulatedLoop(asyncio.SelectorEventLoop):
    """For coroutines that wait for timers and for each other, not for the network or for threads."""

    def __init__(self) -> None:
        self._leap = _Leap()
        super().__init__(self._leap)

    def time(self) -> float:
        """Seconds since the loop was made."""
        return self._leap.now


def in_simulated_time(test: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    """A test that is a coroutine function, as one that pytest can run."""

    @functools.wraps(test)
    def run() -> None:
        with asyncio.Runner(loop_factory=SimulatedLoop) as runner:
            runner.run(test())

    return run
