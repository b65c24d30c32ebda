"""Rebuild each day's report and one over the whole range from the tables, without a model call.

python -m flows.build_report --start 2026-11-16 --end 2026-11-22
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from prefect import flow, runtime

from flows.wiring.beside_erasures import beside_no_erasure
from flows.wiring.commands import command_line
from flows.wiring.report_cards import reports_url_of
from flows.wiring.reviewed import reviewed_by_people
from flows.wiring.services import open_warehouse
from flows.wiring.settings import SettingsParameter, load_settings
from tasks.domain.days import days_between
from tasks.reporting.report import aggregate_published, look_around, publish_reports, show_report
from tasks.reporting.rules.stories.texts import story_json


@flow(name="build-report", flow_run_name="report-{start}-{end}")
@beside_no_erasure
async def build_report(start: date, end: date, settings: SettingsParameter | None = None) -> dict[str, Any]:
    """Rebuild the reports of a range of days from its tables.

    Args:
        start: the first day.
        end: the last day, itself included.
        settings: any setting by its name; the warehouse and the time zone matter here.
    """
    config = load_settings(settings or {})
    warehouse = open_warehouse(config)
    published = aggregate_published(warehouse, days_between(start, end), config.zone, config.attributes)
    context = look_around(warehouse, start, end, published.whole, config.themes, reviews=reviewed_by_people)
    context = replace(context, days=published.figures if start < end else ())
    address = publish_reports(
        warehouse, published, context, str(runtime.flow_run.id), config.themes, reviewed_by_people
    )
    await show_report(f"{start}-{end}", published.whole, context, address, reports_url_of(config))
    return {
        "start": start.isoformat(),
        "end": end.isoformat(),
        "days": len(published.runs),
        "conversations": published.whole.conversations,
        "report": address,
        "stories": [story_json(story) for story in context.stories.told],
    }


def main(arguments: Sequence[str]) -> int:
    """The command line of this flow."""
    parser = command_line.parser("flows.build_report", __doc__)
    parser.add_argument("--start", type=command_line.day_argument, required=True, help="the first day")
    parser.add_argument("--end", type=command_line.day_argument, required=True, help="the last day, itself included")
    args = parser.parse_args(arguments)
    settings = command_line.chosen_settings(args)

    return command_line.run(
        settings,
        lambda: build_report(args.start, args.end, settings),
        _format_result,
        check=lambda config: days_between(args.start, args.end),
        as_json=args.json,
    )


def _format_result(made: dict[str, Any]) -> str:
    days = "1 day" if made["days"] == 1 else f"{made['days']} days"
    return f"{days}, {made['conversations']:,} conversations\nreport: {made['report']}"


if __name__ == "__main__":
    command_line.main(main)
