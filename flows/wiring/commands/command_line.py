"""Flows as commands: flags made from the settings, one clear line for what is wrong, exit codes to trust."""

import asyncio
import atexit
import gc
import logging
import signal
import sys
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from traceback import clear_frames
from typing import Any, NoReturn, TypeVar, cast

import orjson
from prefect.exceptions import TerminationSignal
from pydantic import ValidationError

from flows.wiring.commands.flags import (
    add_label_flags,
    chosen_settings,
    count_argument,
    day_argument,
    limit_of,
    parser,
)
from flows.wiring.commands.importing import collect_from_now_on
from flows.wiring.commands.standard_streams import complain, open_standard_streams, write_result
from flows.wiring.commands.surroundings import surroundings
from flows.wiring.commands.terminal import hush_prefect
from flows.wiring.services import check_settings
from flows.wiring.settings import Settings
from flows.wiring.wrong_values import clause
from tasks.domain.errors import AnswersUseless, CeilingReached, KefuError, RunStopped, TooManyRejects, UsageError
from tasks.domain.money import cost_of_tokens, in_currency
from tasks.warehouse.rules.day_tally import CEILING, DRY_RUN, LIMITED, USELESS, DayTally

T = TypeVar("T")

CEILING_NOTICE = (
    "The ceiling of this run is reached (--max-cost, --max-tokens, --max-calls): what was bought is kept, nothing is "
    "published yet, and the next run goes on from here."
)

DONE, FAILED, TOO_MANY_REJECTS, ANSWERS_USELESS, CEILING_REACHED = 0, 1, 3, 4, 5

__all__ = [
    "add_label_flags",
    "chosen_settings",
    "count_argument",
    "day_argument",
    "limit_of",
    "parser",
]


def wrong_value(error: ValueError) -> UsageError:
    """The complaint about a flag's value, from pydantic's."""
    if isinstance(error, ValidationError):
        problems = [f"--{str(problem['loc'][0]).replace('_', '-')}: {clause(problem)}" for problem in error.errors()]
        return UsageError("; ".join(problems))
    return UsageError(str(error))


def run(
    settings: Mapping[str, Any] | None,
    command: Callable[[], Coroutine[Any, Any, T]],
    format_result: Callable[[T], str],
    check: Callable[[Settings], object] = lambda overrides: None,
    *,
    as_json: bool = False,
) -> int:
    """Run a flow to its exit code; print its result on stdout, as one line of JSON or as `format_result` has it.

    A run that was stopped or has too many rejects prints its counts as well; in JSON, `message` says what to do next.

    Settings are looked at first, and with them whatever else `check` looks at, so that what is wrong is said before a
    Prefect server is started. Settings that are None are for a command that needs none.
    """
    last: KefuError | None = None
    try:
        if settings is not None:
            check(check_settings(settings))
        with surroundings() if settings is not None else nullcontext(), _errors_in_one_line():
            result = asyncio.run(command())
    except TooManyRejects as error:
        result, code, last = cast("T", error.tally), TOO_MANY_REJECTS, error
    except AnswersUseless as error:
        if not as_json:
            return complain(error, ANSWERS_USELESS)
        result, code, last = cast("T", error.tally or {"status": USELESS}), ANSWERS_USELESS, error
    except KefuError as error:
        clear_frames(error.__traceback__)  # as for gc.unfreeze: its locals hold DuckDB's connection
        return complain(error)
    except (KeyboardInterrupt, asyncio.CancelledError, TerminationSignal):  # the last is SIGTERM, as Prefect has it
        return complain(RunStopped("Stopped; start it again to go on from here."))
    else:
        code = CEILING_REACHED if stopped_at_a_ceiling(result) else DONE
    if code == CEILING_REACHED:
        last = CeilingReached(CEILING_NOTICE)
    try:
        write_result(_json_of(result, last) if as_json else format_result(result))
    except KefuError as error:
        return complain(error, code or FAILED)
    return complain(last, code) if last else code


@contextmanager
def _errors_in_one_line() -> Iterator[None]:
    """Drop Prefect's own errors, four of them with tracebacks; the command prints one line at the end."""
    loggers = [logging.getLogger(name) for name in ("prefect.flow_runs", "prefect.task_runs")]
    for logger in loggers:
        logger.addFilter(_is_no_error_of_prefect)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeFilter(_is_no_error_of_prefect)


def _is_no_error_of_prefect(record: logging.LogRecord) -> bool:
    return record.levelno < logging.ERROR or record.module not in {"flow_engine", "task_engine"}


def _json_of(result: object, why: KefuError | None) -> str:
    found = result.as_json() if isinstance(result, DayTally) else result
    if why is not None and isinstance(found, dict):
        found = {**found, "message": str(why)}
    return orjson.dumps(found).decode()


def stopped_at_a_ceiling(result: object) -> bool:
    """Return true where a run, or a day of a backfill, stopped at its ceiling."""
    if isinstance(result, DayTally):
        return result.status == CEILING
    return isinstance(result, list) and any(
        isinstance(outcome, dict) and outcome.get("status") == CEILING for outcome in result
    )


def format_summary(tally: DayTally) -> str:
    """A run's counts, for a person."""
    if tally.status == DRY_RUN:
        at_quota = "" if tally.estimated_minutes is None else f", {tally.estimated_minutes:g} minutes at the quota"
        hidden = f", with {tally.golden_calls} golden conversations," if tally.golden_calls else ""
        cost = cost_of_tokens(tally.estimated_cost or 0, tally.estimated_tokens or 0, tally.currency)
        return (
            f"{tally.day}: {tally.conversations} conversations, {tally.rejected} of them rejects; {tally.reused} are "
            f"answered already. The rest{hidden} takes {cost}{at_quota}. Nothing was called or written."
        )
    if tally.status == CEILING:
        tokens = tally.prompt_tokens + tally.completion_tokens
        return f"{tally.day}: {tally.calls} calls, {tokens} tokens; nothing is published yet"
    cost = f", {in_currency(tally.cost, tally.currency)}" if tally.cost else ""
    cut = " (cut by --limit: the day is not complete)" if tally.status == LIMITED else ""
    unread = f"{tally.day}: {tally.unread}; rejects names what to repair\n" if tally.unread else ""
    return (
        f"{unread}{tally.day}: {tally.conversations} conversations = {tally.summarized} summarized + "
        f"{tally.rejected} rejected; {tally.reused} reused, {tally.calls} calls, {tally.seconds:.1f} s{cost}{cut}\n"
        f"tables: {tally.warehouse}\nreport: {tally.report}"
    )


def main(module_main: Callable[[Sequence[str]], int]) -> NoReturn:
    """Run a module's `main` with the command line."""
    open_standard_streams()
    if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:  # nohup has it ignored
        signal.signal(signal.SIGHUP, signal.default_int_handler)
    if sys.stderr.isatty() and "--verbose" not in sys.argv:
        hush_prefect()
    collect_from_now_on()
    atexit.register(gc.unfreeze)  # DuckDB writes pages about what is still there at the end
    sys.exit(module_main(sys.argv[1:]))
