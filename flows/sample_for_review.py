"""Sample published summaries into a sheet for people to review: some at random, some that are likely wrong.

python -m flows.sample_for_review --start 2026-11-16 --end 2026-11-22 --output review.xlsx
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import date
from typing import Any
from uuid import uuid4

from prefect import flow

from flows.wiring.beside_erasures import beside_no_erasure
from flows.wiring.commands import command_line
from flows.wiring.services import open_place, open_source, open_warehouse, scratch_parent
from flows.wiring.settings import Settings, SettingsParameter, load_settings
from flows.wiring.steps import log_reader, preparing
from tasks.domain.days import days_between
from tasks.domain.errors import NoLogs, UsageError
from tasks.domain.records import Conversation
from tasks.reading.log_objects import list_logs
from tasks.reading.lookup import conversations_of
from tasks.reviewing.reviews import draw_sample, offer_days, store_sample
from tasks.reviewing.rules.sampling import STRATA, Draw
from tasks.reviewing.sheets import write_sheet
from tasks.running.scratch import scratch_folder


@flow(name="sample-for-review", flow_run_name="sample-{start}-{end}")
@beside_no_erasure
async def sample_for_review(
    start: date,
    end: date,
    size: int = 150,
    seed: int = 0,
    output: str = "",
    reviewers: int = 1,
    settings: SettingsParameter | None = None,
) -> dict[str, Any]:
    """Draw a sample of the days' summaries into a sheet; the same tables and seed give the same sheet.

    Args:
        start: the first day.
        end: the last day, itself included.
        size: conversations in the sheet, a third of each kind.
        seed: another number, another sample.
        output: an .xlsx or .csv file, as a path or bos://bucket/name; left out, reviews/… in the warehouse.
        reviewers: 2 makes a sheet each for two people, who then say how far people agree.
        settings: any setting by its name; source, warehouse and the masking matter here.
    """
    config = load_settings(settings or {})
    warehouse = open_warehouse(config)
    draw = offer_days(warehouse, days_between(start, end), size, seed)
    sample = draw_sample(draw, _conversations(draw, config), preparing(config))

    if reviewers not in (1, 2):
        raise UsageError(f"--reviewers {reviewers}: a sample is for one person or for two.")
    store, key = open_place(output, config) if output else (warehouse, f"reviews/{sample.sample_id}.xlsx")
    sheets = {key: ""} if reviewers == 1 else {_numbered(key, reviewer): f"审核人{reviewer}" for reviewer in (1, 2)}
    written = {name: write_sheet(sample.rows, name, reviewer) for name, reviewer in sheets.items()}
    store_sample(warehouse, sample)
    for name, sheet in written.items():
        store.write_path(name, sheet)
    kinds = [row["stratum"] for row in sample.rows]
    return {
        "sample": sample.sample_id,
        "conversations": len(sample.rows),
        **{stratum: kinds.count(stratum) for stratum in STRATA},
        "sheet": store.uri_of(next(iter(sheets))),
        "sheets": [store.uri_of(name) for name in sheets],
    }


def _numbered(key: str, number: int) -> str:
    stem, dot, ending = key.rpartition(".")
    return f"{stem}-{number}{dot}{ending}"


def _conversations(draw: Draw, config: Settings) -> Iterator[tuple[date, str, Conversation]]:
    wanted: dict[date, set[str]] = {}
    for candidate in draw.candidates():
        wanted.setdefault(candidate.day, set()).add(candidate.row["conversation_id"])
    for day, names in sorted(wanted.items()):
        store, name = open_source(config, day)
        with suppress(NoLogs), scratch_folder(scratch_parent(config), f"sample-{uuid4()}") as scratch:
            reader = log_reader(config, scratch, day)
            for found, conversation in conversations_of(names, store, list_logs(store, name), reader):
                yield day, found, conversation


def main(arguments: Sequence[str]) -> int:
    """The command line of this flow."""
    parser = command_line.parser("flows.sample_for_review", __doc__)
    parser.add_argument("--start", type=command_line.day_argument, required=True, help="the first day")
    parser.add_argument("--end", type=command_line.day_argument, required=True, help="the last day, itself included")
    parser.add_argument("--size", type=command_line.count_argument, default=150, help="conversations (default: 150)")
    parser.add_argument("--seed", type=int, default=0, help="another number, another sample (default: 0)")
    parser.add_argument(
        "--reviewers",
        type=command_line.count_argument,
        default=1,
        help="2: a sheet each for two people, to see how far they agree (default: 1)",
    )
    parser.add_argument("--output", default="", help="an .xlsx or .csv file (default: reviews/… in the warehouse)")
    args = parser.parse_args(arguments)
    settings = command_line.chosen_settings(args)

    return command_line.run(
        settings | {"summarizer": "offline"},  # no endpoint is asked, so none has to be named
        lambda: sample_for_review(args.start, args.end, args.size, args.seed, args.output, args.reviewers, settings),
        _format_result,
        check=lambda config: days_between(args.start, args.end),
        as_json=args.json,
    )


def _format_result(made: dict[str, Any]) -> str:
    kinds = ", ".join(f"{made[stratum]} {stratum}" for stratum in STRATA)
    return f"{made['conversations']} conversations: {kinds}\n" + "\n".join(
        f"sheet: {sheet}" for sheet in made["sheets"]
    )


if __name__ == "__main__":
    command_line.main(main)
