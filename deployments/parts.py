"""Processes that belong together: started in order, restarted when they die, stopped in reverse."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tasks.domain.errors import RunError

START_SECONDS: Final = 300.0
STOP_SECONDS: Final = 20.0
LONGEST_PAUSE_SECONDS: Final = 30.0
_LOG_BYTES: Final = 20_000_000


def tether(signal_name: str = "TERM") -> tuple[str, ...]:
    """The beginning of a command that gets a signal when the process that starts it is killed outright (Linux)."""
    return ("setpriv", "--pdeathsig", signal_name, "--") if shutil.which("setpriv") else ()


def end_with_parent() -> None:
    """End when the process that started this one is gone, also where it made this one stand still: by its SIGCONT."""
    parent = os.getppid()

    def look(*_: object) -> None:
        if os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGTERM)

    signal.signal(signal.SIGCONT, look)


class PartFailed(RunError):
    """A part did not start; the message ends with what it wrote last."""


def announce(line: str) -> None:
    """One line for the person at the terminal, with the time. What would steer the terminal is left out.

    A terminal that is gone, or a full disk, stops nothing that runs beside it.
    """
    shown = "".join(sign if sign.isprintable() else " " for sign in line)
    with suppress(OSError, ValueError):
        sys.stdout.write(f"{time.strftime('%H:%M:%S')}  {shown}\n")
        sys.stdout.flush()


@dataclass
class Service:
    """A process that should be running.

    Args:
        name: what people call it.
        command: what starts it, in the foreground.
        environment: its whole environment.
        log: the file that takes what it writes.
        is_ready: given what it wrote since its start, whether it does its work now.
        options: more for `subprocess.Popen`.
        stop_signal: what ends it gently.
        stop_seconds: how long that may take.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    is_ready: Callable[[str], bool]
    options: Mapping[str, Any] = field(default_factory=dict)
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = STOP_SECONDS
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    _log_start: int = field(default=0, init=False)
    _started_at: float = field(default=0.0, init=False)
    _restart_at: float | None = field(default=None, init=False)
    _pause: float = field(default=1.0, init=False)

    def start(self) -> None:
        """Start it; it may not be ready yet."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self._rotate()
        with self.log.open("ab") as log:
            self._log_start = log.tell()
            self._process = subprocess.Popen(  # noqa: S603
                [*tether(), *self.command],
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # A session of its own: Ctrl-C is for this process, which stops the parts in order.
                start_new_session=True,
                **self.options,
            )
        self._started_at, self._restart_at = time.monotonic(), None

    def wait_until_ready(self) -> None:
        """Return when it does its work.

        Raises:
            PartFailed: it ended, or was not ready in five minutes.
        """
        assert self._process is not None
        until = self._started_at + START_SECONDS
        while time.monotonic() < until and self._process.poll() is None:
            if self.is_ready(self._written()):
                return
            time.sleep(0.2)
        last = "\n".join(self._written().strip().splitlines()[-15:])
        raise PartFailed(f"{self.name} did not start. It wrote last ({self.log}):\n{last}")

    def revive(self) -> None:
        """Restart it if it ended: at once the first time, later and later while it keeps ending. Keep its log short."""
        self._rotate()
        if self._process is None or self._process.poll() is None:
            return
        now = time.monotonic()
        if self._restart_at is None:
            if now - self._started_at > 2 * LONGEST_PAUSE_SECONDS:
                self._pause = 1.0
            self._restart_at = now + self._pause
            announce(
                f"{self.name}: ended ({_how(self._process.returncode)}); again in {self._pause:.0f} s, log: {self.log}"
            )
            self._pause = min(2 * self._pause, LONGEST_PAUSE_SECONDS)
        elif now >= self._restart_at:
            self.start()
            announce(f"{self.name}: started again")

    def stop(self) -> None:
        """End it and all it started: gently, and what is left after `stop_seconds` not gently."""
        if self._process is None:
            return
        for number in (self.stop_signal, signal.SIGKILL):
            until = time.monotonic() + self.stop_seconds
            try:
                os.killpg(self._process.pid, number)
                while time.monotonic() < until:
                    self._process.poll()
                    os.killpg(self._process.pid, 0)
                    time.sleep(0.1)
            except ProcessLookupError:
                return

    def _rotate(self) -> None:
        """Move a long log aside; the process goes on at the beginning of the same file."""
        if self.log.exists() and self.log.stat().st_size > _LOG_BYTES:
            shutil.copyfile(self.log, self.log.with_suffix(".old.log"))
            os.truncate(self.log, 0)
            self._log_start = 0

    def _written(self) -> str:
        with self.log.open("rb") as log:
            log.seek(self._log_start)
            return log.read().decode(errors="replace")


def _how(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"
