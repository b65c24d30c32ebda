"""A range of days, oldest first; a day that fails does not stop the others.

python -m flows.backfill_days --start 2026-11-01 --end 2026-11-22
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

import orjson
from prefect import flow, get_run_logger, runtime, tags
from prefect.artifacts import acreate_table_artifact

from flows import command_line
from flows.settings import load_settings, open_warehouse
from flows.summarize_day import summarize_day
from tasks.domain.days import DayTally, days_between
from tasks.domain.errors import DaysFailed, KefuError, RunStopped, TooManyRejects
from tasks.publish import is_complete


@flow(name="backfill-days", flow_run_name="backfill-{start}-{end}")
async def backfill_days(start: date, end: date, settings: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    """Summarize every day of a range that is not complete yet.

    Args:
        start: the first day.
        end: the last day, itself included.
        settings: any setting by its name, as for summarize_day; with {"overwrite": true} complete days too.
    """
    chosen = load_settings(settings or {})
    days = days_between(start, end)
    warehouse = open_warehouse(chosen)
    outcomes: list[dict[str, Any]] = []
    for day in days:
        if not chosen.overwrite and is_complete(warehouse, day):
            outcomes.append({"day": day.isoformat(), "status": "complete already"})
            continue
        outcomes.append(await _outcome(day, settings))
    await acreate_table_artifact(
        outcomes, key=f"backfill-{start}-{end}", description="回填结果 · days of this backfill"
    )

    failed = [f"{outcome['day']} ({outcome['why']})" for outcome in outcomes if outcome["status"] == "failed"]
    if failed:
        raise DaysFailed(
            f"{len(failed)} of {len(days)} days failed: {'; '.join(failed)} Run the same again to do only those.",
            outcomes,
        )
    return outcomes


async def _outcome(day: date, settings: dict[str, Any] | None) -> dict[str, Any]:
    try:
        with tags(*runtime.flow_run.tags):  # so that what watches over this run watches over its days, too
            tally: DayTally = await summarize_day(day, settings)
    except TooManyRejects as error:
        assert isinstance(error.tally, DayTally)  # noqa: PT017  not a test
        return error.tally.as_json()
    except RunStopped:
        raise
    except KefuError as error:
        get_run_logger().error("%s failed: %s", day, error)
        return {"day": day.isoformat(), "status": "failed", "why": str(error)}
    return tally.as_json()


def main(arguments: Sequence[str]) -> int:
    """The command line of this flow."""
    parser = command_line.parser("flows.backfill_days", "Summarize every day of a range that is not complete yet.")
    parser.add_argument("--start", type=command_line.day_argument, required=True, help="the first day")
    parser.add_argument("--end", type=command_line.day_argument, required=True, help="the last day, itself included")
    parser.add_argument("--json", action="store_true", default=False, help="the last line on stdout is one JSON array")
    given = parser.parse_args(arguments)
    settings = command_line.chosen_settings(given)

    def tell(outcomes: list[dict[str, Any]]) -> str:
        return orjson.dumps(outcomes).decode() if given.json else "\n".join(map(_in_words, outcomes))

    return command_line.run(settings, lambda: backfill_days(given.start, given.end, settings), tell)


def _in_words(outcome: dict[str, Any]) -> str:
    if "conversations" not in outcome:
        return f"{outcome['day']}: {outcome['status']}"
    return (
        f"{outcome['day']}: {outcome['conversations']} conversations = {outcome['summarized']} summarized + "
        f"{outcome['rejected']} rejected; report: {outcome['report']}"
    )


if __name__ == "__main__":
    command_line.main(main)
