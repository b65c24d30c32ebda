"""Import a sheet of decided themes, and assign the accepted ones to published days without a call.

python -m flows.accept_themes --sheet themes.xlsx --restate-from 2026-10-01 --restate-to 2026-11-22
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

from prefect import flow, get_run_logger, runtime

from flows.wiring.beside_erasures import beside_no_erasure
from flows.wiring.commands import command_line
from flows.wiring.reviewed import reviewed_by_people
from flows.wiring.services import open_place, open_warehouse, scratch_parent
from flows.wiring.settings import SettingsParameter, load_settings
from flows.wiring.themes import open_themes
from tasks.domain.days import days_between
from tasks.domain.errors import BucketMissing, ObjectMissing, UsageError
from tasks.reporting.restate import ReportOptions, restate_day
from tasks.reviewing.rules.review_sheet import RowError
from tasks.reviewing.rules.theme_sheet import FORM, NUMBER, decision_of
from tasks.reviewing.sheets import read_sheet
from tasks.running.scratch import scratch_folder
from tasks.themes.proposals import read_proposals, store_decisions


@flow(name="accept-themes", flow_run_name="accept-themes")
@beside_no_erasure
async def accept_themes(
    sheet: str = "",
    restate_from: date | None = None,
    restate_to: date | None = None,
    settings: SettingsParameter | None = None,
) -> dict[str, Any]:
    """采纳新主题 · Keep what people decided about proposed themes, and assign themes anew to published days.

    Args:
        sheet: 填好的表 · The .xlsx or .csv file, as a path or bos://bucket/name; left out, only days are restated.
        restate_from: 重算起始日期 · The first day whose themes are assigned anew; left out, none is.
        restate_to: 重算结束日期 · The last of them.
        settings: any setting by its name; the warehouse, the taxonomy and the time zone matter here.
    """
    config = load_settings(settings or {})
    warehouse = open_warehouse(config)
    decided: dict[str, Any] = _decide(sheet, settings or {}) if sheet else {"accepted": [], "refused": 0, "errors": []}
    restated: list[str] = []
    if restate_from and restate_to:
        run_id = str(runtime.flow_run.id)
        themes = open_themes(config, warehouse)
        options = ReportOptions(config.zone, config.attributes, config.themes, reviewed_by_people)
        with scratch_folder(scratch_parent(config), f"restate-{run_id}") as scratch:
            restated = [
                day.isoformat()
                for day in days_between(restate_from, restate_to)
                if restate_day(warehouse, day, run_id, scratch, themes, options)
            ]
    get_run_logger().info("%d themes accepted, %d days restated.", len(decided["accepted"]), len(restated))
    return decided | {"restated": restated}


def _decide(sheet: str, args: dict[str, Any]) -> dict[str, Any]:
    config = load_settings(args)
    warehouse = open_warehouse(config)
    store, key = open_place(sheet, config)
    try:
        rows = read_sheet(store.read_path(key), key, FORM)
    except (ObjectMissing, BucketMissing):
        raise UsageError(f"There is no sheet {sheet}.") from None
    taxonomy = open_themes(config, warehouse).taxonomy
    proposals = read_proposals(warehouse, [cells[NUMBER].strip() for _, cells in rows])
    found = [decision_of(number, cells, proposals, taxonomy) for number, cells in rows]
    decisions = [decision for decision in found if decision is not None and not isinstance(decision, RowError)]
    if decisions:
        store_decisions(warehouse, decisions)
    return {
        "accepted": [decision.theme.id for decision in decisions if decision.theme is not None],
        "refused": sum(not decision.accepted for decision in decisions),
        "errors": [str(error) for error in found if isinstance(error, RowError)],
    }


def _check(args: Any) -> None:
    if bool(args.restate_from) != bool(args.restate_to):
        raise UsageError("--restate-from and --restate-to go together: name the first and the last day.")
    if args.restate_from:
        days_between(args.restate_from, args.restate_to)
    elif not args.sheet:
        raise UsageError("Name a sheet with --sheet, or days with --restate-from and --restate-to.")


def main(arguments: Sequence[str]) -> int:
    """The command line of this flow."""
    parser = command_line.parser("flows.accept_themes", __doc__)
    parser.add_argument("--sheet", default="", help="the filled-in .xlsx or .csv file")
    parser.add_argument("--restate-from", type=command_line.day_argument, default=None, help="the first day to restate")
    parser.add_argument("--restate-to", type=command_line.day_argument, default=None, help="the last day to restate")
    args = parser.parse_args(arguments)
    settings = command_line.chosen_settings(args)

    return command_line.run(
        settings | {"summarizer": "offline"},  # no endpoint is asked, so none has to be named
        lambda: accept_themes(args.sheet, args.restate_from, args.restate_to, settings),
        _format_result,
        check=lambda config: _check(args),
        as_json=args.json,
    )


def _format_result(made: dict[str, Any]) -> str:
    return "\n".join(
        [
            *(f"refused row: {message}" for message in made["errors"]),
            f"accepted: {', '.join(made['accepted']) or 'none'}; refused: {made['refused']}; "
            f"days restated: {len(made['restated'])}",
        ]
    )


if __name__ == "__main__":
    command_line.main(main)
