"""Remove files of dead runs from a warehouse and, on demand, what is older than so many days, by kind.

python -m flows.expire_files --keep-answers-days 90 --keep-reports-days 365
"""

import argparse
import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

from prefect import flow, get_run_logger
from pydantic import Field

from flows.wiring.commands import command_line
from flows.wiring.services import open_warehouse
from flows.wiring.settings import SettingsParameter, load_settings
from tasks.domain.errors import UsageError
from tasks.reporting.index import forget_removed
from tasks.running.run_names import name_run
from tasks.warehouse.expire import expire
from tasks.warehouse.rules.retention import Keep

# Only the form says so: what gets past it is refused in a sentence of our own.
_Days = Annotated[int, Field(json_schema_extra={"minimum": 0})]
_NO_SETTINGS: dict[str, Any] = {}


@flow(name="expire-files", flow_run_name="expire-files")
async def expire_files(
    keep_answers_days: _Days = 0,
    keep_reports_days: _Days = 0,
    keep_staging_days: _Days = 7,
    keep_tables_days: _Days = 0,
    keep_texts_days: _Days = 0,
    settings: SettingsParameter = _NO_SETTINGS,
) -> dict[str, int]:
    """清理过期文件 · Remove leftovers of runs that died, and what is older than it should be, by kind.

    Args:
        keep_answers_days: 原始回答保留天数，0为永久 · For how many days the raw answers of published days are kept;
            0: for ever.
        keep_reports_days: 报告保留天数，0为永久 · For how many days reports are kept, which can be rebuilt; 0: for
            ever.
        keep_staging_days: 中间文件保留天数，0为永久 · For how many days leftovers of dead runs are kept; 0: for ever.
        keep_tables_days: 数据表保留天数，0为永久 · For how many days tables are kept; 0: for ever.
        keep_texts_days: 原文保留天数，0为永久 · For how many days whole dialogues are kept: labels, samples, sheets,
            shadows, evaluations, comparisons; 0: for ever.
        settings: 其他设置（高级） · Any setting by its name; the warehouse and the time zone matter here.
    """
    if min(keep_answers_days, keep_reports_days, keep_staging_days, keep_tables_days, keep_texts_days) < 0:
        raise UsageError("What is kept can't be kept for less than 0 days, which is for ever.")
    config = load_settings(settings)
    warehouse = open_warehouse(config)
    keep = Keep(keep_answers_days, keep_reports_days, keep_staging_days, keep_tables_days, keep_texts_days)

    removed = await asyncio.to_thread(expire, warehouse, keep, datetime.now(config.zone))
    if removed["reports"]:
        await asyncio.to_thread(forget_removed, warehouse)

    get_run_logger().info("Removed from %s: %s", warehouse.uri, _format_summary(removed))
    await name_run(f"expire-files · {_format_summary(removed)}")
    return dict(removed)


def _format_summary(removed: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {kind}" for kind, count in removed.items()) or "nothing"


def main(arguments: Sequence[str]) -> int:
    """The command line of this flow."""
    parser = command_line.parser("flows.expire_files", __doc__)
    for kind, what, days in (
        ("answers", "answers", 0),
        ("reports", "reports", 0),
        ("staging", "leftovers of runs", 7),
        ("tables", "tables", 0),
        ("texts", "whole dialogues", 0),
    ):
        parser.add_argument(
            f"--keep-{kind}-days",
            type=_days,
            default=days,
            metavar="DAYS",
            help=f"for how many days {what} are kept; 0 is for ever (default: {days})",
        )
    args = parser.parse_args(arguments)
    settings = command_line.chosen_settings(args)

    return command_line.run(
        settings,
        lambda: expire_files(
            args.keep_answers_days,
            args.keep_reports_days,
            args.keep_staging_days,
            args.keep_tables_days,
            args.keep_texts_days,
            settings,
        ),
        _format_result,
        as_json=args.json,
    )


def _days(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of days")
    return int(text)


def _format_result(removed: dict[str, int]) -> str:
    return f"removed: {_format_summary(removed)}"


if __name__ == "__main__":
    command_line.main(main)
