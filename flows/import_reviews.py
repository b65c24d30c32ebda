"""Import a filled-in review sheet as labels.

python -m flows.import_reviews --sheet review.xlsx
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from prefect import flow

from flows.wiring.beside_erasures import beside_no_erasure
from flows.wiring.blocks import BLOCK_SCHEME
from flows.wiring.commands import command_line
from flows.wiring.services import open_place, open_warehouse
from flows.wiring.settings import Settings, SettingsParameter, load_settings
from tasks.domain.errors import BucketMissing, ObjectMissing, UsageError
from tasks.reviewing.reviews import store_reviews
from tasks.reviewing.sheets import Cells, read_sheet
from tasks.running.artifacts import show_table


@flow(name="import-reviews", flow_run_name="import-reviews")
@beside_no_erasure
async def import_reviews(sheet: str, settings: SettingsParameter | None = None) -> dict[str, Any]:
    """Read a filled-in review sheet back as labels; rows that do not fit are refused, each with its reason.

    Args:
        sheet: the .xlsx or .csv file, as a path or bos://bucket/name.
        settings: any setting by its name; the warehouse matters here.
    """
    config = load_settings(settings or {})
    rows, name = _read(sheet, config)
    imported = store_reviews(open_warehouse(config), rows, datetime.now(UTC))
    if imported.refusals:
        await show_table(
            [{"row": refusal.row, "column": refusal.column, "why": refusal.message} for refusal in imported.refusals],
            key="refused-reviews",
            description=f"未采纳的行 · rows of {name} that do not fit",
        )
    return {
        "sheet": sheet,
        "reviewed": imported.reviewed,
        "changed": imported.changed,
        "not_reviewed": imported.not_reviewed,
        "refused": [str(refusal) for refusal in imported.refusals],
    }


def _read(sheet: str, config: Settings) -> tuple[list[tuple[int, Cells]], str]:
    """The rows of a sheet, and its name where it lies."""
    store, key = open_place(sheet, config)
    try:
        return read_sheet(store.read_path(key), key), key
    except (ObjectMissing, BucketMissing):
        raise UsageError(f"There is no sheet {sheet}.") from None


def main(arguments: Sequence[str]) -> int:
    """The command line of this flow."""
    parser = command_line.parser("flows.import_reviews", __doc__)
    parser.add_argument("--sheet", required=True, help="the .xlsx or .csv file")
    args = parser.parse_args(arguments)
    settings = command_line.chosen_settings(args)

    refused: list[str] = []

    async def imported() -> dict[str, Any]:
        made: dict[str, Any] = await import_reviews(args.sheet, settings)
        refused.extend(made["refused"])
        return made

    # No endpoint is asked, so none has to be named.
    code = command_line.run(
        settings | {"summarizer": "offline"},
        imported,
        _format_result,
        lambda config: None if args.sheet.startswith(BLOCK_SCHEME) else _read(args.sheet, config),
        as_json=args.json,
    )
    return command_line.TOO_MANY_REJECTS if refused and code == command_line.DONE else code


def _format_result(made: dict[str, Any]) -> str:
    return "\n".join(
        [
            *(f"未采纳：{message}" for message in made["refused"]),
            f"{made['reviewed']} reviewed ({made['changed']} new or changed), {made['not_reviewed']} not reviewed "
            f"yet, {len(made['refused'])} refused",
        ]
    )


if __name__ == "__main__":
    command_line.main(main)
