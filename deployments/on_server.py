"""Commands for a Prefect server that is there: what is wrong around them is one sentence."""

import asyncio
import sys
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from prefect.settings import PREFECT_API_URL

from flows.wiring.commands.standard_streams import complain
from flows.wiring.commands.surroundings import explain
from tasks.domain.errors import KefuError, RunError, UsageError


def require_server() -> None:
    """Check that a server is named: one that Prefect would bring for this command alone is of no use to anybody.

    Raises:
        UsageError: none is.
    """
    if not PREFECT_API_URL.value():
        raise UsageError(
            "There is no Prefect server: set PREFECT_API_URL to its address, such as http://127.0.0.1:4200/api."
        )


def run_on_server(command: Callable[[], Coroutine[Any, Any, Sequence[str]]]) -> int:
    """Run a command, print its lines, or one sentence on what is wrong; return the exit code."""
    try:
        require_server()
        lines = _run(command)
    except KefuError as error:
        return complain(error)
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


def _run(command: Callable[[], Coroutine[Any, Any, Sequence[str]]]) -> Sequence[str]:
    try:
        return asyncio.run(command())
    except Exception as error:
        sentence = explain(error)
        if sentence is None:
            raise
        raise RunError(sentence) from None
