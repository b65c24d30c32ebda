"""Summarize one day's conversations into tables and a report; nightly.

python -m flows.summarize_day --day 2026-11-22
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any, cast

from prefect import flow, get_run_logger, runtime
from prefect.client.schemas.objects import State
from prefect.states import Completed

from flows.shadow_day import shadow_afterwards
from flows.wiring.answer_ahead import answer_ahead
from flows.wiring.commands import command_line
from flows.wiring.commands.flags import as_typed
from flows.wiring.day_runs import dry_run, open_day_run
from flows.wiring.golden import judged
from flows.wiring.models.paid_time import watch_paid_time
from flows.wiring.report_cards import reports_url_of, tell_of_report
from flows.wiring.reviewed import reviewed_by_people
from flows.wiring.services import connect, notices, open_source, open_warehouse
from flows.wiring.settings import Settings, SettingsParameter, load_settings
from flows.wiring.source_names import names_the_day, source_of
from flows.wiring.surveys import survey_place
from tasks.domain.days import previous_day
from tasks.domain.errors import AnswersUseless, CeilingReached, UsageError
from tasks.golden.rules.drift import GoldenCheck
from tasks.reading.log_objects import all_logs, has_logs, list_logs
from tasks.reading.rules.arrival import ArrivedLogs, have_grown
from tasks.reading.rules.survey_text import dry_run_lines
from tasks.reading.wait_for_logs import find_logs, look_again
from tasks.reporting.report import (
    aggregate_day,
    day_files,
    look_around,
    show_rejects,
    show_report,
    with_this_run,
)
from tasks.reporting.rules.golden_lines import change_line
from tasks.running.catch_up import catch_up
from tasks.running.deployed import deployment_id
from tasks.running.hand_on import handed_on_when_stopped
from tasks.running.pausing import AWAITING_LOGS, reschedule
from tasks.running.run_names import name_run
from tasks.running.run_states import ceiling_reached
from tasks.warehouse.day_lease import is_alive
from tasks.warehouse.parquet import read_runs
from tasks.warehouse.publish import assemble_tables, is_complete, publish_day
from tasks.warehouse.rules.day_tally import CEILING, DRY_RUN, USELESS, DayTally


def _run_name() -> str:
    args = runtime.flow_run.parameters
    try:
        return f"summarize-{_day_of_this_run(args['day'], load_settings(args['settings'] or {}))}"
    except UsageError:
        return "summarize-day"  # the run itself says what is wrong


@flow(name="summarize-day", flow_run_name=_run_name)
@handed_on_when_stopped()
async def summarize_day(
    day: date | None = None, settings: SettingsParameter | None = None, catch_up_days: int = 0
) -> DayTally:
    """摘要一天的会话 · Summarize one day of conversations and publish its tables and report.

    Args:
        day: 日期，空则为计划时间的前一天 · The day; left out, it is the day before the run's scheduled start.
        settings: 其他设置（高级） · Any setting by its name, such as {"source": "bos://logs/{day}", "rpm": 3000}; the
            environment and the defaults say the rest.
        catch_up_days: 补做此前缺失的天数 · So many days before are looked at, and asked for if they are missing.
    """
    config = load_settings(settings or {})
    day = _day_of_this_run(day, config)
    for notice in notices(config):
        get_run_logger().warning(notice)
    if config.dry_run:
        return await dry_run(day, config)
    config = await watch_paid_time(config, settings or {}, get_run_logger())
    await _catch_up(day, catch_up_days, settings or {}, config)

    logs = await _find_logs(day, config)
    started_at = datetime.now(UTC)
    ahead = await answer_ahead(day, config)
    async with open_day_run(day, config, logs.objects, ahead, started_at) as run:
        try:
            parts = await run.summarize()
        except CeilingReached as ceiling:
            # Prefect takes the state for the end of the run, and gives its tally to whoever called.
            return ceiling_reached(replace(run.tally(), status=CEILING), str(ceiling))  # type: ignore[return-value]
        except AnswersUseless as useless:
            useless.tally = replace(run.tally(), status=USELESS)
            raise

        services, session = run.services, run.session
        logs = look_again(services.source, services.source_name, logs, get_run_logger())
        tables = assemble_tables(parts, session.scratch)
        tally = replace(run.tally(tables), **logs.facts())
        tally.raise_if_it_lost_most(read_runs(services.warehouse, day), allowed=config.allow_shrink)
        tally = tally.judged(config.max_reject_ratio, config.limit)
        check, golden_files = judged(run.golden, tally, services, config)

        runs = with_this_run(services.warehouse, tally)
        statistics = aggregate_day(day, config.zone, tables.summaries, tables.rejects, runs, config.attributes)
        own = {day: tables.summaries}
        context = look_around(services.warehouse, day, day, statistics, config.themes, own, reviewed_by_people)
        context = replace(context, golden=check or context.golden)
        files = day_files(day, tables, statistics, runs, context, services.themes.taxonomy)
        publish_day(services.warehouse, day, session.lease, [*golden_files, *run.question_files(), *files])

        await tell_of_report(services.warehouse, statistics, context, config)
        await show_report(day, statistics, context, tally.report, reports_url_of(config))
        await show_rejects(day, tables.rejects)

    await name_run(f"summarize-{day} · {tally.conversations} = {tally.summarized} + {tally.rejected}")
    if config.shadow_endpoint:
        await shadow_afterwards(day, settings)
    tally.raise_if_too_many_rejects(config.max_reject_ratio, statistics.rejects)
    if deployment_id() is not None:
        return cast("DayTally", _with_remarks(tally, logs, check))
    return tally


def _with_remarks(tally: DayTally, logs: ArrivedLogs, check: GoldenCheck | None) -> State[DayTally] | DayTally:
    """Return the tally, in a state of another name where people should know more; the watch notifies them of it."""
    remarks = {}
    if check and check.has_changed:
        remarks["AnswersChanged"] = change_line(check).en
    if logs.complete is False:
        remarks["Incomplete"] = (
            f"The logs of {tally.day} were still arriving: {tally.conversations} conversations are in the tables. When "
            "there are more, the next night makes the day again; only what is new is paid for."
        )
    if not remarks:
        return tally
    return Completed(name=next(iter(remarks)), message=" ".join(remarks.values()), data=tally)


def _day_of_this_run(day: date | None, config: Settings) -> date:
    return day or previous_day(runtime.flow_run.scheduled_start_time, config.zone)


async def _catch_up(day: date, number: int, args: Mapping[str, Any], config: Settings) -> None:
    if not number or deployment_id() is None or not names_the_day(config.source):
        return
    warehouse = open_warehouse(config)

    def is_missing(day: date) -> bool:
        source, name = open_source(config, day)
        if not is_complete(warehouse, day):
            return has_logs(source, name)
        made_from = read_runs(warehouse, day)[-1]
        logs = ArrivedLogs(all_logs(source, name))
        return have_grown(logs, made_from["logs_fingerprint"], made_from["log_bytes"])

    await catch_up(
        day,
        number,
        is_missing=is_missing,
        is_held=partial(is_alive, warehouse),
        settings=args,
        zone=config.zone,
        logger=get_run_logger(),
    )


async def _find_logs(day: date, config: Settings) -> ArrivedLogs:
    due = datetime.fromtimestamp(runtime.flow_run.scheduled_start_time.timestamp(), config.zone)
    while True:
        async with connect(config, day) as services:  # what is wrong with the settings shows before any waiting
            found = await find_logs(
                services.source,
                services.source_name,
                day=day,
                due=due,
                wait_seconds=config.logs_wait_seconds,
                quiet_seconds=config.logs_quiet_seconds,
                logger=get_run_logger(),
            )
        if isinstance(found, ArrivedLogs):
            return found
        until = due + timedelta(seconds=config.logs_wait_seconds)
        await reschedule(found, AWAITING_LOGS, f"The logs of {day} are not all there; they have until {until:%H:%M}.")


def _survey(tally: DayTally, settings: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a dry run took the day's logs for. A terminal may show texts, which Prefect's log may not."""
    if tally.status == DRY_RUN:
        config = load_settings(settings)
        survey = survey_place(open_source(config, tally.day), config, tally.day)
        yield from map(as_typed, dry_run_lines(survey, source_of(config.source, tally.day)))
        yield ""


def main(arguments: Sequence[str]) -> int:
    """The command line of this flow."""
    parser = command_line.parser("flows.summarize_day", __doc__)
    parser.add_argument(
        "--day", type=command_line.day_argument, default=None, help="the day, such as 2026-11-22 (default: yesterday)"
    )
    args = parser.parse_args(arguments)
    settings = command_line.chosen_settings(args)

    def format_result(tally: DayTally) -> str:
        return "\n".join([*_survey(tally, settings), command_line.format_summary(tally)])

    def check(config: Settings) -> None:
        # A folder is looked into at once; a bucket, or logs that may still come, when the run begins.
        if args.day and "://" not in config.source and not config.logs_wait_seconds:
            list_logs(*open_source(config, args.day))

    return command_line.run(
        settings, lambda: summarize_day(args.day, settings), format_result, check, as_json=args.json
    )


if __name__ == "__main__":
    command_line.main(main)
