"""A limit of CPU time, for work that has to grow no faster than its input: a busy machine does not shorten it."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def cpu_limit(seconds: float) -> Iterator[None]:
    """Let the block use so many seconds of CPU; in the main thread.

    Raises:
        AssertionError: it used more. A regular expression, too, is stopped while it searches.
    """

    def too_much(*_: object) -> None:
        raise AssertionError(f"This takes more than {seconds} s of CPU.")

    before = signal.signal(signal.SIGVTALRM, too_much)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
