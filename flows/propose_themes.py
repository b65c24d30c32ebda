"""Propose new themes from what customers say more often than before, in a sheet for people to decide; weekly.

python -m flows.propose_themes --start 2026-11-16 --end 2026-11-22
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from prefect import flow, runtime

from flows.wiring.beside_erasures import beside_no_erasure
from flows.wiring.commands import command_line
from flows.wiring.services import open_place, open_warehouse
from flows.wiring.settings import SettingsParameter, load_settings
from flows.wiring.themes import open_themes
from tasks.domain.days import days_between, previous_day
from tasks.reviewing.rules.theme_sheet import FORM, theme_row
from tasks.reviewing.sheets import write_form
from tasks.themes.proposals import find_proposals, store_proposals

_SPAN_DAYS = 7
_REFERENCE_DAYS = 28


@flow(name="propose-themes", flow_run_name="propose-themes")
@beside_no_erasure
async def propose_themes(
    start: date | None = None,
    end: date | None = None,
    output: str = "",
    settings: SettingsParameter | None = None,
) -> dict[str, Any]:
    """发现新主题 · Propose new themes from the tables, without a model call; a person accepts or refuses each.

    Args:
        start: 起始日期 · The first day; left out, a week before the last.
        end: 结束日期 · The last day; left out, the day before the run's scheduled start.
        output: an .xlsx or .csv file, as a path or bos://bucket/name; left out, reviews/… in the warehouse.
        settings: any setting by its name; the warehouse and the taxonomy matter here.
    """
    config = load_settings(settings or {})
    last = end or previous_day(runtime.flow_run.scheduled_start_time, config.zone)
    first = start or last - timedelta(days=_SPAN_DAYS - 1)
    warehouse = open_warehouse(config)
    assigner = open_themes(config, warehouse)
    proposals = find_proposals(warehouse, first, last, _REFERENCE_DAYS, assigner)

    made: dict[str, Any] = {
        "start": first.isoformat(),
        "end": last.isoformat(),
        "proposals": [
            {
                "number": proposal.number,
                "field": proposal.field,
                "name": proposal.proposal.name,
                "size": proposal.proposal.conversations,
            }
            for proposal in proposals
        ],
        "sheet": "",
    }
    if proposals:
        store, key = open_place(output, config) if output else (warehouse, f"reviews/themes-{first}-{last}.xlsx")
        rows = [theme_row(proposed, assigner.taxonomy) for proposed in proposals]
        sheet = write_form(FORM, rows, key)
        store_proposals(warehouse, proposals)
        store.write_path(key, sheet)
        made["sheet"] = store.uri_of(key)
    return made


def main(arguments: Sequence[str]) -> int:
    """The command line of this flow."""
    parser = command_line.parser("flows.propose_themes", __doc__)
    parser.add_argument("--start", type=command_line.day_argument, default=None, help="the first day (default: a week)")
    parser.add_argument("--end", type=command_line.day_argument, default=None, help="the last day (default: yesterday)")
    parser.add_argument("--output", default="", help="an .xlsx or .csv file (default: reviews/… in the warehouse)")
    args = parser.parse_args(arguments)
    settings = command_line.chosen_settings(args)

    return command_line.run(
        settings | {"summarizer": "offline"},  # no endpoint is asked, so none has to be named
        lambda: propose_themes(args.start, args.end, args.output, settings),
        _format_result,
        check=lambda config: days_between(args.start, args.end) if args.start and args.end else None,
        as_json=args.json,
    )


def _format_result(made: dict[str, Any]) -> str:
    lines = [
        f"{proposal['size']} conversations ({proposal['field']}): {proposal['name']}" for proposal in made["proposals"]
    ]
    return "\n".join([*lines, f"sheet: {made['sheet']}"] if lines else ["No new theme: nothing rose enough."])


if __name__ == "__main__":
    command_line.main(main)
