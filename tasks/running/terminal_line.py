"""Terminal line: one line at the bottom of a person's terminal, written over again and again."""

import shutil
import sys
from typing import Final, TextIO

_CLEAR: Final = "\r\x1b[K"


class TerminalLine:
    """Shows a text on a terminal; on anything else nothing.

    Args:
        stream: the terminal.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self.is_shown = bool(self._stream) and self._stream.isatty()

    def show(self, text: str) -> None:
        """Put a text in place of the one before, cut to the terminal's width."""
        if self.is_shown:
            width = shutil.get_terminal_size().columns - 1
            self._write(_CLEAR + text[:width])

    def clear(self) -> None:
        """Take the line away."""
        if self.is_shown:
            self._write(_CLEAR)

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError):  # the terminal is gone; the run is not
            self.is_shown = False
