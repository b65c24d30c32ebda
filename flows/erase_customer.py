"""Erase a customer or a conversation from everything in the warehouse, and prove it by a scan.

python -m flows.erase_customer --conversation ID            (says what it would touch)
python -m flows.erase_customer --customer ID --confirm
"""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from prefect import flow, get_run_logger, runtime

from flows.wiring.beside_erasures import erasing
from flows.wiring.commands import command_line
from flows.wiring.services import open_warehouse, pseudonyms_of
from flows.wiring.settings import SettingsParameter, load_settings
from tasks.domain.errors import ObjectMissing, RunError, UsageError
from tasks.domain.layout import ERASE_REQUESTS_PREFIX
from tasks.reporting.index import forget_removed
from tasks.running.run_names import name_run
from tasks.warehouse.erase import Erasure, erase, find
from tasks.warehouse.rules.erasure import Wanted

_NO_SETTINGS: dict[str, Any] = {}

_LEFT_ELSEWHERE = (
    "Not in its reach: the source logs (a rerun of the day reads them again), sheets and reports that were copied, "
    "data sets and models on the platform, backups, and Prefect's own database."
)


@flow(name="erase-customer", flow_run_name="erase-customer")
async def erase_customer(
    request: str = "", confirm: bool = False, settings: SettingsParameter = _NO_SETTINGS
) -> dict[str, Any]:
    """删除一位顾客的全部数据 · Erase one customer or conversation from all that the warehouse keeps.

    Prefect stores parameters for good, so the ids are none: they lie in a private file of the warehouse, which goes
    when they have been erased.

    Args:
        request: 名单文件 · The file below _private/erase/ with a line `conversation ID` or `customer ID` for each.
        confirm: 确认删除 · Erase; left out, only what would be touched is said.
        settings: 其他设置（高级） · Any setting by its name; the warehouse matters here.
    """
    config = load_settings(settings)
    warehouse = open_warehouse(config)
    key = f"{ERASE_REQUESTS_PREFIX}{request}"
    try:
        asked = warehouse.read_path(key).decode("utf-8").splitlines()
    except (ObjectMissing, UsageError):
        raise UsageError(f"There is no file {warehouse.uri_of(ERASE_REQUESTS_PREFIX)}{request}.") from None
    pairs = [line.partition(" ") for line in asked if line.strip()]
    if not pairs or {kind for kind, *_ in pairs} - {"conversation", "customer"}:
        raise UsageError(f"{request}: a line is `conversation ID` or `customer ID`.")
    chosen = {kind: [name.strip() for word, _, name in pairs if word == kind] for kind in ("conversation", "customer")}
    wanted = Wanted.of(chosen["conversation"], chosen["customer"], pseudonyms_of(config))

    if confirm:
        async with erasing(warehouse, config):
            wanted, _ = await asyncio.to_thread(find, warehouse, wanted)
            report = await asyncio.to_thread(erase, warehouse, wanted, datetime.now(UTC), str(runtime.flow_run.id))
            warehouse.delete(key)
            await asyncio.to_thread(forget_removed, warehouse)
    else:
        report = (await asyncio.to_thread(find, warehouse, wanted))[1]
    made = _as_json(report, confirm)
    get_run_logger().info(_format_summary(made))
    await name_run(f"erase-customer · {sum(report.touched.values())} objects{'' if confirm else ' (dry run)'}")
    if report.left:
        raise RunError(f"A scan still found it, or could not read: {', '.join(report.left)}. Remove these by hand.")
    return made


def _as_json(report: Erasure, confirmed: bool) -> dict[str, Any]:
    return {
        "confirmed": confirmed,
        "conversations": report.conversations,
        "rows": report.rows,
        "touched": dict(sorted(report.touched.items())),
        "scanned": report.scanned,
        "left": report.left,
    }


def _format_summary(made: dict[str, Any]) -> str:
    places = ", ".join(f"{count} in {place}" for place, count in made["touched"].items()) or "nothing"
    if not made["confirmed"]:
        return f"would touch {made['rows']} rows and pages of {made['conversations']} conversations: {places}. " + (
            "Nothing was changed; add --confirm to erase."
        )
    return (
        f"erased {made['rows']} rows and pages of {made['conversations']} conversations: {places}. A scan of "
        f"{made['scanned']} objects found nothing left. Build reports that went again with flows.build_report.\n"
        f"{_LEFT_ELSEWHERE}"
    )


def main(arguments: Sequence[str]) -> int:
    """The command line of this flow."""
    parser = command_line.parser("flows.erase_customer", __doc__)
    who = parser.add_mutually_exclusive_group(required=True)
    who.add_argument(
        "--conversation", metavar="ID", default=None, help="a conversation's id, as logged or as in tables"
    )
    who.add_argument("--customer", metavar="ID", default=None, help="a customer's id, as the logs' attributes have it")
    parser.add_argument("--confirm", action="store_true", default=False, help="erase; without it nothing is changed")
    args = parser.parse_args(arguments)
    settings = command_line.chosen_settings(args)
    request = f"{uuid4().hex}.txt"

    async def command() -> dict[str, Any]:
        kind, name = ("conversation", args.conversation) if args.conversation else ("customer", args.customer)
        if not name or name.strip() != name or "\n" in name:
            raise UsageError("The id is empty, or has blanks around it or line ends in it.")
        warehouse = open_warehouse(load_settings(settings))
        warehouse.write_path(f"{ERASE_REQUESTS_PREFIX}{request}", f"{kind} {name}\n".encode())
        try:
            return await erase_customer(request, args.confirm, settings)
        finally:
            warehouse.delete(f"{ERASE_REQUESTS_PREFIX}{request}")

    return command_line.run(settings, command, _format_summary, as_json=args.json)


if __name__ == "__main__":
    command_line.main(main)
