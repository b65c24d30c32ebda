"""Flows as commands: flags made from the settings, one clear line for what is wrong, exit codes that scripts can trust."""

import argparse
import asyncio
import sys
from collections.abc import Callable, Coroutine, Sequence
from datetime import date
from typing import Any, NoReturn

import orjson
from prefect.settings import PREFECT_API_URL

from flows.settings import flags
from tasks.domain.errors import KefuError, UsageError

DONE, FAILED, MISUSED, TOO_MANY_REJECTS = 0, 1, 2, 3


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One line on stderr, without the usage that hides it."""
        print(f"{self.prog}: {message} (--help explains every flag)", file=sys.stderr)
        sys.exit(MISUSED)


def parser(module: str, summary: str) -> argparse.ArgumentParser:
    """A parser with a flag for every setting; what was not given is absent from its result."""
    made = _Parser(
        prog=f"python -m {module}",
        description=summary,
        epilog="A flag beats the environment (KEFU_…), which beats .env. Exit codes: 0 done, 1 the run failed, "
        "2 wrong use, 3 too many rejects (the tables are published).",
        argument_default=argparse.SUPPRESS,
        allow_abbrev=False,
    )
    for name, field in flags().items():
        shown = "" if field.default in (None, "", False) else f" (default: {field.default})"
        help_text = f"{field.description}{shown}".replace("%", "%%")
        flag = f"--{name.replace('_', '-')}"
        if field.annotation is bool:
            made.add_argument(flag, action=argparse.BooleanOptionalAction, help=help_text)
        else:
            made.add_argument(flag, metavar=name.upper(), help=help_text)
    return made


def day_argument(text: str) -> date:
    """A day as written on a command line."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a day such as 2026-11-22") from None


def chosen_settings(arguments: argparse.Namespace) -> dict[str, Any]:
    """Of the arguments given, those that are settings."""
    return {name: value for name, value in vars(arguments).items() if name in flags()}


def run(command: Callable[[], Coroutine[Any, Any, dict[str, Any]]], *, as_json: bool, tell: Callable[[dict[str, Any]], str]) -> int:
    """Run a flow to its exit code; its result is the last line on stdout.

    Args:
        command: makes the flow's coroutine; its result has a `status`.
        as_json: the result as one JSON object instead of sentences.
        tell: the result in sentences.
    """
    try:
        result = asyncio.run(command())
    except UsageError as error:
        print(f"{_name(error)}: {error}", file=sys.stderr)
        return MISUSED
    except KefuError as error:
        print(f"{_name(error)}: {error}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return FAILED
    print(orjson.dumps(result).decode() if as_json else tell(result), flush=True)
    return TOO_MANY_REJECTS if result["status"] == "too_many_rejects" else DONE


def main(module_main: Callable[[Sequence[str]], int]) -> NoReturn:
    """Run a module's `main` with the command line."""
    sys.exit(module_main(sys.argv[1:]))


def uses_embedded_server() -> bool:
    """Whether flows run on Prefect's own embedded server, for want of another."""
    return not PREFECT_API_URL.value()


def _name(error: KefuError) -> str:
    return "kefu-digest"
