"""Set up a Prefect server for the deployments: work pool and queues, block types, automations, shared quotas.

Run it again whenever it changes: python -m deployments.bootstrap
"""

import argparse
import re
import sys
from collections.abc import Mapping, Sequence
from typing import Final

from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.events.schemas.automations import AutomationCore
from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound

from deployments.automations import REPLACED, cancelled_tunings
from deployments.on_server import run_on_server
from flows.wiring.blocks import BaiduCredentials, BosBucket, SummarizerEndpoint
from flows.wiring.models.promotions import PromotionHistory
from tasks.calling.shared_quota import make_shared_quota

WORK_POOL: Final = "kefu"

# Name -> (priority, runs at once). A queue's limit counts runs; a deployment's would be a lease at the server, whose
# loss ends the run: a server that is away for three minutes would end the night.
QUEUES: Final = {"nightly": (1, 1), "backfills": (20, 1), "days": (30, None)}


async def set_up(client: PrefectClient, shared_quotas: Mapping[str, float] | None = None) -> list[str]:
    """Make everything that is missing and bring the rest up to date; running it again changes nothing.

    Args:
        client: of the server.
        shared_quotas: the names that runs share a quota by (`--shared-quota` of the flows), and how much of it
            is theirs, from 0 to 1.

    Returns:
        What is there now, a line each.
    """
    lines = [await _make_work_pool(client)]
    lines += [await _make_queue(client, name, priority, limit) for name, (priority, limit) in QUEUES.items()]
    for kind in (BaiduCredentials, BosBucket, SummarizerEndpoint, PromotionHistory):
        await kind.aregister_type_and_schema(client=client)
        lines.append(f"block type {kind.get_block_type_slug()}: registered")

    for name, part in (shared_quotas or {}).items():
        lines.append(f"shared quota {name}, {part:.0%} of it: {await make_shared_quota(client, name, part)}")

    automation = cancelled_tunings()
    lines.append(f"automation {automation.name}: {await _put_automation(client, automation)}")
    return lines + [line for name in REPLACED if (line := await _drop_automation(client, name))]


async def _make_work_pool(client: PrefectClient) -> str:
    try:
        await client.create_work_pool(WorkPoolCreate(name=WORK_POOL, type="process"))
    except ObjectAlreadyExists:
        return f"work pool {WORK_POOL}: there already"
    return f"work pool {WORK_POOL}: made (process)"


async def _make_queue(client: PrefectClient, name: str, priority: int, limit: int | None) -> str:
    # What is there already is as somebody wants it: a limit that was changed in the UI stays.
    try:
        found = await client.read_work_queue_by_name(name, WORK_POOL)
    except ObjectNotFound:
        await client.create_work_queue(name, concurrency_limit=limit, priority=priority, work_pool_name=WORK_POOL)
        return f"work queue {name}: made ({limit or 'any number of'} at once)"
    return f"work queue {name}: there already ({found.concurrency_limit or 'any number of'} at once)"


async def _drop_automation(client: PrefectClient, name: str) -> str:
    found = await client.read_automations_by_name(name)
    for automation in found:
        await client.delete_automation(automation.id)
    return f"automation {name}: removed; the watch does it" if found else ""


async def _put_automation(client: PrefectClient, wanted: AutomationCore) -> str:
    # Prefect makes a second automation of the same name without a word.
    found = await client.read_automations_by_name(wanted.name)
    if not found:
        await client.create_automation(wanted)
        return "made"
    for double in found[1:]:
        await client.delete_automation(double.id)
    if AutomationCore.model_validate(found[0].model_dump(exclude={"id"})) == wanted:
        return "there already"
    # The server forgets which runs it was watching, so this is not done without need.
    await client.update_automation(found[0].id, wanted)
    return "brought up to date"


def _shared_quota(text: str) -> tuple[str, float]:
    found = re.fullmatch(r"([A-Za-z0-9._-]+)(?:=([1-9]\d?|100)%?)?", text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not a name such as sft, or a name and a part such as sft=80")
    return found[1], int(found[2] or 100) / 100


async def _run(shared_quotas: Mapping[str, float]) -> list[str]:
    async with get_client() as client:
        return await set_up(client, shared_quotas)


def main(arguments: Sequence[str]) -> int:
    """The command line; the server is the one that PREFECT_API_URL names."""
    parser = argparse.ArgumentParser(prog="python -m deployments.bootstrap", description=__doc__)
    parser.add_argument(
        "--shared-quota",
        metavar="NAME[=PERCENT]",
        type=_shared_quota,
        nargs="+",
        default=[],
        help="quotas that runs share by this name, and how much of each is theirs (default: all of it)",
    )
    given = parser.parse_args(arguments)
    return run_on_server(lambda: _run(dict(given.shared_quota)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
