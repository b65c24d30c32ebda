"""SIGTERM and Ctrl-C end work in good order: a worker is drained, a run is cancelled, somebody presses Ctrl-C."""

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tasks.domain.errors import RunStopped


@contextmanager
def on_signals(stop: Callable[[str], None]) -> Iterator[None]:
    """Call `stop` with the signal's name for each that arrives during the block; nothing else happens then."""
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        for number in before:
            loop.add_signal_handler(number, stop, signal.Signals(number).name)
    except (RuntimeError, ValueError, NotImplementedError):
        yield  # not the main thread: whoever runs us stops us by cancelling
        return
    try:
        yield
    finally:
        for number, handler in before.items():
            loop.remove_signal_handler(number)
            signal.signal(number, handler)


@contextmanager
def cancel_on_signals(what: str) -> Iterator[None]:
    """End the block at once when a signal arrives; for waits, which leave nothing half done.

    Args:
        what: the block does, for "Stopped while it …".

    Raises:
        RunStopped: a signal arrived.
    """
    task = asyncio.current_task()
    assert task is not None
    signals: list[str] = []

    def end(name: str) -> None:
        signals.append(name)
        task.cancel()

    try:
        with on_signals(end):
            yield
    except asyncio.CancelledError:
        if not signals:
            raise
        for _ in signals:
            task.uncancel()
        raise RunStopped(f"Stopped by {signals[0]} while it {what}; start it again to go on from here.") from None
