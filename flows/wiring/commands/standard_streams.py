"""A command's input and output, which may be closed, full, or in a locale without Chinese. Imports nothing slow."""

import errno
import os
import sys

from tasks.domain.errors import KefuError, RunError, UsageError
from tasks.domain.printable import printable


def open_standard_streams() -> None:
    """Give a process that was started without one an input, an output and a place for errors, which lead nowhere.

    Otherwise the next file that is opened takes the number of the output, and gets what was meant for that.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # for the server that a command brings, too
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 (as long as the process)
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a locale that knows no Chinese


def complain(error: KefuError, code: int | None = None) -> int:
    """Print the error to stderr, and nothing in it that steers a terminal.

    Returns:
        The exit code: the one that is given, or 2 for a command that was misused and 1 for all else.
    """
    sys.stderr.write(f"kefu-digest: {printable(str(error), keep=chr(10))}\n")
    return code if code is not None else 2 if isinstance(error, UsageError) else 1


def write_result(text: str) -> None:
    """Write a command's result to its output.

    Raises:
        RunError: it is full, or nobody reads it.
    """
    try:
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()
    except OSError as error:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 (Python would complain again at its end)
        why = "nobody reads it" if error.errno == errno.EPIPE else error.strerror
        raise RunError(f"The result could not be written to the output: {why}. What the command did is done.") from None
