"""Signals: SIGTERM (a drained worker, a cancelled run) and Ctrl-C end work in good order."""

import asyncio
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from tasks.domain.errors import RunStopped

# SIGHUP: the terminal or the connection is gone; under nohup it is ignored, and stays so.
_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


# The innermost block that listens gets the signal; when it ends, the one around it listens again.
_listening: list[Callable[[str], None]] = []


@contextmanager
def on_signals(stop: Callable[[str], None]) -> Iterator[None]:
    """Call `stop` with the signal's name for each that arrives during the block; nothing else happens then."""
    loop = asyncio.get_running_loop()
    heard = [number for number in _SIGNALS if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN]
    before = {number: signal.getsignal(number) for number in heard}
    try:
        _listen(loop, stop, heard)
    except (RuntimeError, ValueError, NotImplementedError):
        yield  # not the main thread: whoever runs us stops us by cancelling
        return
    _listening.append(stop)
    try:
        yield
    finally:
        _listening.remove(stop)
        if _listening:
            _listen(loop, _listening[-1], heard)
        else:
            for number, handler in before.items():
                loop.remove_signal_handler(number)
                signal.signal(number, handler)


def _listen(loop: asyncio.AbstractEventLoop, stop: Callable[[str], None], numbers: Sequence[signal.Signals]) -> None:
    for number in numbers:
        loop.add_signal_handler(number, stop, signal.Signals(number).name)


@contextmanager
def cancel_on_signals(what: str) -> Iterator[Callable[[str], None]]:
    """End the block at once when a signal arrives; for waits, which leave nothing half done.

    Yields what ends the block when it is called with a reason, as a signal does.

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
            yield end
    except asyncio.CancelledError:
        if not signals:
            raise
        for _ in signals:
            task.uncancel()
        raise RunStopped(f"Stopped by {signals[0]} while it {what}; start it again to go on from here.") from None
