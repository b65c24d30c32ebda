"""Summarize a range of days, oldest first; a day that fails does not stop the others.

python -m flows.backfill_days --start 2026-11-01 --end 2026-11-22
"""

import argparse
import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date, datetime
from functools import partial
from typing import Annotated, Any, Final

from prefect import flow, get_run_logger, runtime, tags
from prefect.client.schemas.objects import FlowRun
from pydantic import Field

from flows.build_report import build_report
from flows.summarize_day import summarize_day
from flows.wiring.commands import command_line
from flows.wiring.services import open_source, open_warehouse
from flows.wiring.settings import Settings, SettingsParameter, load_settings
from flows.wiring.shared_ceiling import SharedCeiling
from flows.wiring.source_names import names_the_day
from flows.wiring.steps import days_in_logs, divides_by_time, span_of_logs
from tasks.domain.errors import AnswersUseless, KefuError, RunStopped, StoreError, TooManyRejects, UsageError
from tasks.domain.layout import partition_key
from tasks.domain.ports import ObjectStore
from tasks.reading.log_objects import has_logs
from tasks.running.artifacts import show_table
from tasks.running.backfill_runs import BackfillRuns, cancel_days, cancel_days_of, read_deployment
from tasks.running.deployed import deployment_id
from tasks.running.hand_on import handed_on_when_stopped, stopped_when_cancelled, was_cancelled
from tasks.running.rules.backfill_lines import format_outcomes
from tasks.running.rules.backfills import (
    MOST_PARALLEL_DAYS,
    NOT_BEGUN,
    REBUILT,
    SKIPPED,
    WITHOUT_TABLES,
    Outcome,
    counts,
    days_asked_for,
    failed,
    outcome,
    published,
    raise_if_any_failed,
    table,
    why_of,
)
from tasks.running.run_names import name_run
from tasks.running.run_states import CEILING_REACHED
from tasks.running.signals import cancel_on_signals
from tasks.warehouse.parquet import count_rejects, read_runs
from tasks.warehouse.publish import is_complete, is_published
from tasks.warehouse.rules.day_tally import CEILING, TOO_MANY_REJECTS, DayTally, name_reasons

DAY_DEPLOYMENT: Final = "summarize-day/one-day"

_NO_SETTINGS: dict[str, Any] = {}
# Only the form says so: what gets past it is refused in a sentence of our own.
_ParallelDays = Annotated[int, Field(json_schema_extra={"minimum": 1, "maximum": MOST_PARALLEL_DAYS})]


@flow(name="backfill-days", flow_run_name="backfill-{start}-{end}", on_cancellation=[cancel_days])
@handed_on_when_stopped()
async def backfill_days(
    start: date,
    end: date,
    overwrite: bool = False,
    report_only: bool = False,
    source: str = "",
    endpoint: str = "",
    max_parallel_days: _ParallelDays = 2,
    confirm_long_span: bool = False,
    retry: str = "",
    settings: SettingsParameter = _NO_SETTINGS,
) -> list[Outcome]:
    """补做或重做一段日期 · Summarize the days of a range that are not complete yet, oldest first.

    Args:
        start: 第一天 · The first day.
        end: 最后一天（含） · The last day, itself included.
        overwrite: 已完成的日期也重做 · Do complete days too, and summarize anew what another model or prompt
            version summarized before.
        report_only: 只重建报告，不调用模型 · Only rebuild the reports from the tables: no logs are read, no model
            is called.
        source: 日志地址，空则用默认 · Where the logs are, such as bos://bucket/{day} or block://NAME/{day}; empty:
            where the worker's settings say.
        endpoint: 摘要服务配置块的名称，空则用默认 · The name of a Summarizer Endpoint block (see Blocks); empty:
            what the worker's settings say.
        max_parallel_days: 同时处理的天数，1至16 · How many days are worked on at once, 1 to 16; they share the quota.
        confirm_long_span: 确认超过31天 · Needed for more than 31 days.
        retry: 再问一次这些原因的拒绝，如 unparseable,refused · Ask once more about rejects of these reasons, also on
            complete days.
        settings: 其他设置（高级） · Any other setting by its name, such as {"rpm": 3000}.
    """
    days = days_asked_for(
        start,
        end,
        long_span_confirmed=confirm_long_span,
        overwrite=overwrite,
        report_only=report_only,
        max_parallel_days=max_parallel_days,
    )
    wanted = {**settings, **_filled_in(overwrite=overwrite, source=source, endpoint_block=endpoint, retry=retry)}
    config = load_settings(wanted)
    if not report_only:
        _check_source(config, start, end)
        if divides_by_time(config) and len(days) > 1:
            days = await asyncio.to_thread(days_in_logs, config, days)

    warehouse = open_warehouse(config)
    show = partial(_show_outcomes, f"backfill-{start}-{end}", days)
    if report_only:
        await build_report(start, end, wanted)
        outcomes = [outcome(day, REBUILT if is_published(warehouse, day) else WITHOUT_TABLES) for day in days]
    else:
        again = config.overwrite or bool(config.retry)
        complete = [] if again else [day for day in days if is_complete(warehouse, day)]
        skipped = [outcome(day, SKIPPED) for day in complete]
        missing = [day for day in days if day not in complete]
        outcomes = await _do(missing, skipped, warehouse, wanted, max_parallel_days, show)

    await show(outcomes)
    return raise_if_any_failed(outcomes)


async def _do(
    days: Sequence[date],
    outcomes: list[Outcome],
    warehouse: ObjectStore,
    settings: dict[str, Any],
    at_once: int,
    show: Callable[[list[Outcome]], Awaitable[None]],
) -> list[Outcome]:
    """Days as runs of their own where this run is a deployment's, and otherwise one after the other in this process.

    A ceiling is that of all of them together: each day may spend what is left, and so they go one after the other.
    """
    ceiling = SharedCeiling(load_settings(settings), warehouse)

    async def limits() -> dict[str, Any] | None:
        return None if any(outcome["status"] == CEILING for outcome in outcomes) else await ceiling.left()

    async def here(day: date) -> Outcome:
        left = await limits()
        return outcome(day, NOT_BEGUN) if left is None else await _summarized(day, {**settings, **left})

    if deployment_id() is None:
        for day in days:
            outcomes.append(await here(day))  # noqa: PERF401  what a day may spend hangs on those before
        return outcomes
    runs = BackfillRuns(
        await read_deployment(DAY_DEPLOYMENT),
        settings,
        1 if ceiling.is_set else at_once,
        ended=partial(_ended, warehouse),
        here=here,
        logger=get_run_logger(),
        limits=limits,
    )
    try:
        with cancel_on_signals("watched over its days") as end:
            async with stopped_when_cancelled(end):
                async for ended in runs.of(days):
                    outcomes.append(ended)
                    await show(outcomes)
    except RunStopped:
        if await was_cancelled():
            await cancel_days_of(runtime.flow_run.id, runtime.flow_run.name)
        raise
    return outcomes


async def _show_outcomes(name: str, days: Sequence[date], outcomes: list[Outcome]) -> None:
    outcomes.sort(key=lambda outcome: str(outcome["day"]))
    counted = counts(outcomes) if len(outcomes) == len(days) else f"{len(outcomes)} of {len(days)} days"
    await name_run(f"{name} · {counted}")
    await show_table(table(days, outcomes), key=name, description="回填结果 · days of this backfill")


async def _ended(warehouse: ObjectStore, day: date, run: FlowRun) -> Outcome:
    """Return the outcome of a day: from the row that its run wrote into the table `runs`, else from the run's state."""
    assert run.state is not None
    if run.state.name == CEILING_REACHED:
        return outcome(day, CEILING)
    why = why_of(run.state.message or run.state.name or "")
    try:
        row = next((row for row in read_runs(warehouse, day) if row["run_id"] == str(run.id)), None)
    except StoreError as error:
        return failed(day, f"{why} {error}")
    if row is None:
        return failed(day, why)
    report = warehouse.uri_of(partition_key("reports", day, "report.html"))
    return published(day, row, warehouse.uri, report, _reasons(warehouse, day, row["status"]))


def _reasons(warehouse: ObjectStore, day: date, status: str) -> str:
    return name_reasons(count_rejects(warehouse, day)) if status == TOO_MANY_REJECTS else ""


def _filled_in(**fields: object) -> dict[str, Any]:
    """Return the fields that are filled in; an empty field leaves the setting to the worker."""
    return {name: value for name, value in fields.items() if value}


def _check_source(config: Settings, start: date, end: date) -> None:
    if start != end and not names_the_day(config.source) and not divides_by_time(config):
        raise UsageError(
            f"The source {config.source} does not name the day, so that every day would get the same logs: "
            "write {day} into it, ask for a single day, or divide the logs with --day-from messages."
        )
    source, name = open_source(config, end)
    today = datetime.now(config.zone).date()
    if end > today and not has_logs(source, name):
        raise UsageError(f"{end} lies in the future (in {config.timezone} it is {today}) and has no logs.")


async def _summarized(day: date, settings: Mapping[str, Any]) -> Outcome:
    try:
        with tags(*runtime.flow_run.tags):  # so that what watches over this run watches over its days, too
            tally: DayTally = await summarize_day(day, dict(settings))
    except TooManyRejects as error:
        assert isinstance(error.tally, DayTally)  # noqa: PT017  not a test
        why = _reasons(open_warehouse(load_settings(dict(settings))), day, error.tally.status)
        return {**error.tally.as_json(), "why": why}
    except (RunStopped, AnswersUseless):  # the next day's answers would be as useless
        raise
    except KefuError as error:
        get_run_logger().error("%s failed: %s", day, error)
        return failed(day, str(error))
    return tally.as_json()


def main(arguments: Sequence[str]) -> int:
    """The command line of this flow."""
    parser = command_line.parser("flows.backfill_days", __doc__)
    parser.add_argument("--start", type=command_line.day_argument, help="the first day")
    parser.add_argument("--end", type=command_line.day_argument, help="the last day, itself included")
    parser.add_argument(
        "--all-days", action="store_true", default=False, help="every day that the logs in --source are of, instead"
    )
    parser.add_argument("--report-only", action="store_true", default=False, help="only rebuild the reports")
    parser.add_argument("--confirm-long-span", action="store_true", default=False, help="needed for more than 31 days")
    args = parser.parse_args(arguments, argparse.Namespace(start=None, end=None))
    settings = command_line.chosen_settings(args)
    if args.all_days == (args.start is not None or args.end is not None) or (args.start is None) != (args.end is None):
        parser.error("give --start and --end, or --all-days")

    return command_line.run(
        settings,
        lambda: backfill_days(
            args.start,
            args.end,
            report_only=args.report_only,
            confirm_long_span=args.confirm_long_span,
            settings=settings,
        ),
        format_outcomes,
        check=lambda config: _check_command(config, args, settings),
        as_json=args.json,
    )


def _check_command(config: Settings, args: argparse.Namespace, settings: Mapping[str, Any]) -> None:
    if args.all_days:
        args.start, args.end = span_of_logs(config)
    days_asked_for(
        args.start,
        args.end,
        long_span_confirmed=args.confirm_long_span,
        overwrite=bool(settings.get("overwrite")),
        report_only=args.report_only,
    )


if __name__ == "__main__":
    command_line.main(main)
