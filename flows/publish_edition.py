"""Publish the report of the last whole week or month from the tables, and send its card.

python -m flows.publish_edition --period week
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from typing import Any, Final, Literal

from prefect import flow, runtime
from prefect.client.orchestration import get_client

from flows.wiring.beside_erasures import texts_held
from flows.wiring.commands import command_line
from flows.wiring.report_cards import reports_url_of, tell_of_report
from flows.wiring.reviewed import reviewed_by_people
from flows.wiring.services import open_warehouse
from flows.wiring.settings import Settings, SettingsParameter, load_settings
from tasks.domain.days import days_between, span_before
from tasks.domain.ports import ObjectStore
from tasks.reporting.report import aggregate_published, look_around, publish_span, show_report
from tasks.reporting.rules.stories.texts import story_json
from tasks.running.catch_up import days_coming
from tasks.running.deployed import deployment_id
from tasks.running.pausing import AWAITING_DAYS, reschedule
from tasks.warehouse.day_lease import is_alive
from tasks.warehouse.publish import is_complete

Period = Literal["week", "month"]

_NO_SETTINGS: dict[str, Any] = {}

_LOOK_SECONDS: Final = 600.0
_LOOKS_AT_MOST: Final = 36


@flow(name="publish-edition", flow_run_name="edition-{period}")
async def publish_edition(
    period: Period = "week", day: date | None = None, settings: SettingsParameter = _NO_SETTINGS
) -> dict[str, Any]:
    """发布周报或月报 · Publish the report of the last whole week or month, and send its card.

    Args:
        period: 周报 week 或月报 month · Whether it is the week's or the month's.
        day: 截至哪天之前，空则为计划时间 · The period is the last whole one before this day; left out, before the
            run's scheduled start.
        settings: 其他设置（高级） · Any setting by its name; warehouse, time zone and receivers matter here.
    """
    config = load_settings(settings)
    warehouse = open_warehouse(config)
    today = day or runtime.flow_run.scheduled_start_time.in_timezone(config.timezone).date()
    first, last = span_before(today, period)
    days = days_between(first, last)
    await _wait_for(days, warehouse, config)
    async with texts_held(config):
        published = aggregate_published(warehouse, days, config.zone, config.attributes, each_day=False)
        context = look_around(warehouse, first, last, published.whole, config.themes, reviews=reviewed_by_people)
        context = replace(context, days=published.figures)
        address = publish_span(warehouse, published.whole, context)
        await tell_of_report(warehouse, published.whole, context, config)
        await show_report(f"{first}-{last}", published.whole, context, address, reports_url_of(config))
    return {
        "start": first.isoformat(),
        "end": last.isoformat(),
        "days": len(published.runs),
        "conversations": published.whole.conversations,
        "report": address,
        "stories": [story_json(story) for story in context.stories.told],
    }


async def _wait_for(days: Sequence[date], warehouse: ObjectStore, config: Settings) -> None:
    """Come back later while days are under way: after an outage the night before is as late as this run."""
    if deployment_id() is None or runtime.flow_run.run_count > _LOOKS_AT_MOST:
        return
    missing = {str(day) for day in days if not await asyncio.to_thread(is_complete, warehouse, day)}
    if not missing:
        return
    async with get_client() as client:
        coming = missing & await days_coming(client, "summarize-day", config.zone, partial(is_alive, warehouse))
    if coming:
        await reschedule(_LOOK_SECONDS, AWAITING_DAYS, f"Not done yet: {', '.join(sorted(coming))}.")


def main(arguments: Sequence[str]) -> int:
    """The command line of this flow."""
    parser = command_line.parser("flows.publish_edition", __doc__)
    parser.add_argument("--period", choices=("week", "month"), default="week", help="which edition (default: week)")
    parser.add_argument(
        "--before", type=command_line.day_argument, default=None, help="the day it is published on (default: today)"
    )
    args = parser.parse_args(arguments)
    settings = command_line.chosen_settings(args)

    return command_line.run(
        settings, lambda: publish_edition(args.period, args.before, settings), _format_result, as_json=args.json
    )


def _format_result(made: dict[str, Any]) -> str:
    return f"{made['start']} to {made['end']}: {made['conversations']} conversations\nreport: {made['report']}"


if __name__ == "__main__":
    command_line.main(main)
