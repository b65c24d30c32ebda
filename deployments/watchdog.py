"""Watchdog: ends a process that hangs, so that whoever supervises it starts it again.

A supervisor, Docker and systemd see only that a process has ended. One that is there and does nothing would stay so.
"""

import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from typing import Final

LOOK_SECONDS: Final = 30.0

# Five minutes: longer than a machine is ever so busy that nothing answers.
PATIENCE: Final = 10

# Half an hour for what has never lived: a server's first start brings its database up to date.
START_PATIENCE: Final = 60

_ANSWER_SECONDS: Final = 20.0


class Watchdog(threading.Thread):
    """Looks at intervals, in a thread of its own, until what did its work has failed so many times in a row.

    Args:
        name: of what is watched, for people.
        lives: returns true where it does its work; blocking.
        end: ends it.
        look_seconds: between two looks.
    """

    def __init__(
        self, name: str, lives: Callable[[], bool], end: Callable[[], object], look_seconds: float = LOOK_SECONDS
    ) -> None:
        super().__init__(name=f"watchdog-{name}", daemon=True)
        self._what, self._lives, self._end, self._look_seconds = name, lives, end, look_seconds
        self._stopped = threading.Event()

    def run(self) -> None:
        """Look until `stop`, or until the end."""
        failed, has_lived = 0, False
        while failed < (PATIENCE if has_lived else START_PATIENCE):
            if self._stopped.wait(self._look_seconds):
                return
            lives = self._lives()
            has_lived = has_lived or lives
            failed = 0 if lives else failed + 1
        with suppress(OSError, ValueError):
            sys.stderr.write(f"{self._what}: hangs since {failed * self._look_seconds:.0f} s; it is ended\n")
            sys.stderr.flush()
        self._end()

    def stop(self) -> None:
        """Look no more."""
        self._stopped.set()


def answers(url: str) -> bool:
    """Return true where a server of this machine, or one nearby, answers a GET with success in 20 s."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=_ANSWER_SECONDS) as answer:
            return bool(answer.status < 300)
    except (urllib.error.URLError, OSError, ValueError):
        return False
