"""Set up a Prefect server for the deployments: work pool, block types, automations, shared quotas.

Run it again whenever it changes: python -m deployments.bootstrap --webhook-url https://example.com/on-call
"""

import argparse
import asyncio
import re
import sys
from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

from prefect.blocks.webhook import Webhook
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.events.schemas.automations import AutomationCore
from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound
from pydantic import SecretStr

from deployments.automations import cancelled_tunings, failures, late_nightly, never_begun, zombies
from flows.wiring.blocks import BaiduCredentials, BosBucket, SummarizerEndpoint
from tasks.calling.shared_quota import make_shared_quota

WORK_POOL: Final = "kefu"

WEBHOOK: Final = "kefu-on-call"


async def set_up(
    client: PrefectClient, webhook_url: str = "", shared_quotas: Mapping[str, float] | None = None
) -> list[str]:
    """Make everything that is missing and bring the rest up to date; running it again changes nothing.

    Args:
        client: of the server.
        webhook_url: where notifications go; empty: to where an earlier call said, if one did.
        shared_quotas: the names that runs share a quota by (`--shared-quota` of the flows), and how much of it
            is theirs, from 0 to 1.

    Returns:
        What is there now, a line each.
    """
    told = [await _make_work_pool(client)]
    for kind in (BaiduCredentials, BosBucket, SummarizerEndpoint):
        await kind.aregister_type_and_schema(client=client)
        told.append(f"block type {kind.get_block_type_slug()}: registered")

    for name, part in (shared_quotas or {}).items():
        told.append(f"shared quota {name}, {part:.0%} of it: {await make_shared_quota(client, name, part)}")

    wanted = [zombies(), never_begun(), cancelled_tunings()]
    webhook = await _webhook(client, webhook_url)
    if webhook:
        told.append(f"block webhook/{WEBHOOK}: notifications go there")
        wanted += [failures(webhook), late_nightly(webhook)]
    else:
        told.append("notifications: none; give --webhook-url")
    return told + [f"automation {one.name}: {await _put_automation(client, one)}" for one in wanted]


async def _make_work_pool(client: PrefectClient) -> str:
    try:
        await client.create_work_pool(WorkPoolCreate(name=WORK_POOL, type="process"))
    except ObjectAlreadyExists:
        return f"work pool {WORK_POOL}: there already"
    return f"work pool {WORK_POOL}: made (process)"


async def _webhook(client: PrefectClient, url: str) -> UUID | None:
    if url:
        return UUID(str(await Webhook(url=SecretStr(url)).asave(WEBHOOK, overwrite=True, client=client)))
    try:
        return (await client.read_block_document_by_name(WEBHOOK, "webhook", include_secrets=False)).id
    except ObjectNotFound:
        return None


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


async def _run(webhook_url: str, shared_quotas: Mapping[str, float]) -> list[str]:
    async with get_client() as client:
        return await set_up(client, webhook_url, shared_quotas)


def main(arguments: Sequence[str]) -> int:
    """The command line; the server is the one that PREFECT_API_URL names."""
    parser = argparse.ArgumentParser(prog="python -m deployments.bootstrap", description=__doc__)
    parser.add_argument("--webhook-url", default="", help="notifications are posted there as JSON")
    parser.add_argument(
        "--shared-quota",
        metavar="NAME[=PERCENT]",
        type=_shared_quota,
        nargs="+",
        default=[],
        help="quotas that runs share by this name, and how much of each is theirs (default: all of it)",
    )
    given = parser.parse_args(arguments)
    told = asyncio.run(_run(given.webhook_url, dict(given.shared_quota)))
    sys.stdout.write("\n".join(told) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
