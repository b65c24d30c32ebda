"""Set up a Prefect server for the deployments: work pool, block types, automations, shared quotas.

Run it again whenever it changes: python -m deployments.bootstrap --webhook-url https://example.com/on-call
"""

import argparse
import asyncio
import re
import sys
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from prefect.blocks.webhook import Webhook
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.events.schemas.automations import AutomationCore
from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound
from pydantic import SecretStr

from flows.blocks import BaiduCredentials, BosBucket, SummarizerEndpoint
from tasks.shared_quota import make_shared_quota
from tasks.waiting import AWAITING

WORK_POOL: Final = "kefu"
TAG: Final = "kefu"
NIGHTLY_TAG: Final = "nightly"
WEBHOOK: Final = "kefu-on-call"
# Deployments beat every 30 s (prefect.yaml): three beats missed is a dead worker.
ZOMBIE_AFTER: Final = timedelta(seconds=90)
# From 02:30 to 06:00.
NIGHTLY_PATIENCE: Final = timedelta(hours=3, minutes=30)

# Long enough to bring up a container whose image isn't there yet.
BEGINS_WITHIN: Final = timedelta(minutes=10)


def _states(*names: str) -> list[str]:
    return [f"prefect.flow-run.{name}" for name in names]


_ENDED: Final = _states("Completed", "Failed", "Crashed", "Cancelled")
_WAITS_WITHOUT_A_PROCESS: Final = _states(*AWAITING)
_RUNS: Final = {"prefect.resource.id": "prefect.flow-run.*"}


def zombies() -> AutomationCore:
    """Ends runs whose worker died with them: no heartbeat comes any more, and nobody else would say so."""
    return AutomationCore.model_validate(
        {
            "name": "kefu: crash runs without a heartbeat",
            "description": "A run whose machine is gone would stay Running for ever and keep its slot.",
            "trigger": {
                "type": "event",
                "posture": "Proactive",
                "match": _RUNS,
                "match_related": _tagged(TAG),
                "after": _states("Running", "heartbeat"),
                "expect": [*_states("heartbeat"), *_WAITS_WITHOUT_A_PROCESS, *_ENDED],
                "for_each": ["prefect.resource.id"],
                "threshold": 1,
                "within": ZOMBIE_AFTER,
            },
            "actions": [
                {
                    "type": "change-flow-run-state",
                    "state": "CRASHED",
                    "message": "No heartbeat for 90 s: the worker is gone. Run it again; what was paid for is kept.",
                }
            ],
        }
    )


def never_begun() -> AutomationCore:
    """Ends runs that a worker took and never began, because it died in between: they have no heartbeat to miss."""
    return AutomationCore.model_validate(
        {
            "name": "kefu: crash runs that were taken and never began",
            "description": "A run whose machine is gone before it begins would stay Pending and keep its slot.",
            "trigger": {
                "type": "event",
                "posture": "Proactive",
                "match": _RUNS,
                "match_related": _tagged(TAG),
                "after": _states("Pending", "Submitting", "InfrastructurePending"),
                # A beat says it, too: a plain server on SQLite loses events of states (deployments/sqlite.py).
                "expect": [*_states("Running", "heartbeat", "Scheduled", "Late", "AwaitingConcurrencySlot"), *_ENDED],
                "for_each": ["prefect.resource.id"],
                "threshold": 1,
                "within": BEGINS_WITHIN,
            },
            "actions": [
                {
                    "type": "change-flow-run-state",
                    "state": "CRASHED",
                    "message": "Not begun in 10 minutes: the worker is gone, or can't start it. Run it again.",
                }
            ],
        }
    )


def cancelled_tunings() -> AutomationCore:
    """Stops the jobs of a tuning that was cancelled while it waited: then no process is there to do it."""
    return AutomationCore.model_validate(
        {
            "name": "kefu: stop the jobs of a cancelled tuning",
            "description": "A tuning between two looks is only a scheduled run; cancelling that alone stops nothing.",
            "trigger": {
                "type": "event",
                "posture": "Reactive",
                "match": _RUNS,
                "match_related": {"prefect.resource.role": "flow", "prefect.resource.name": "fine-tune-model"},
                "expect": _states("Cancelled"),
                "for_each": ["prefect.resource.id"],
                "threshold": 1,
                "within": 0,
            },
            "actions": [
                {
                    "type": "run-deployment",
                    "source": "inferred",
                    "parameters": {
                        "name": _filled_in("{{ flow_run.parameters.name }}"),
                        "settings": {
                            "__prefect_kind": "json",
                            "value": _filled_in("{{ (flow_run.parameters.settings or {}) | tojson }}"),
                        },
                        "stop": True,
                    },
                }
            ],
        }
    )


def _filled_in(template: str) -> dict[str, str]:
    return {"__prefect_kind": "jinja", "template": template}


def failures(webhook: UUID) -> AutomationCore:
    """Tells whoever is on call of a run that failed or crashed; too many rejects is a failure too."""
    return AutomationCore.model_validate(
        {
            "name": "kefu: tell of a failed run",
            "description": "Failed (too many rejects included) or crashed: calls the webhook.",
            "trigger": {
                "type": "event",
                "posture": "Reactive",
                "match": _RUNS,
                "match_related": _tagged(TAG),
                "expect": _states("Failed", "Crashed"),
                "for_each": ["prefect.resource.id"],
                "threshold": 1,
                "within": 0,
            },
            "actions": [_call(webhook, "{{ flow_run.state.name | tojson }}")],
        }
    )


def late_nightly(webhook: UUID) -> AutomationCore:
    """Tells whoever is on call at 06:00 of a nightly that is not done, whether it runs, waits or never began."""
    return AutomationCore.model_validate(
        {
            "name": "kefu: tell of a nightly not done by 06:00",
            "description": "3 h 30 min after a nightly was due it has not ended: calls the webhook.",
            "trigger": {
                "type": "event",
                "posture": "Proactive",
                "match": _RUNS,
                "match_related": _tagged(NIGHTLY_TAG),
                "after": _states("Late", "Pending"),
                "expect": _ENDED,
                "for_each": ["prefect.resource.id"],
                "threshold": 1,
                "within": NIGHTLY_PATIENCE,
            },
            "actions": [_call(webhook, '"not done by 06:00"')],
        }
    )


def _tagged(tag: str) -> dict[str, str]:
    return {"prefect.resource.role": "tag", "prefect.resource.id": f"prefect.tag.{tag}"}


def _call(webhook: UUID, what: str) -> dict[str, object]:
    # Prefect fills in the template; tojson keeps quotes and line ends of a message within the JSON.
    payload = (
        '{"run": {{ flow_run.name | tojson }}, "what": WHAT, "why": {{ flow_run.state.message | tojson }}, '
        '"link": {{ flow_run | ui_url | tojson }}}'
    )
    return {"type": "call-webhook", "block_document_id": webhook, "payload": payload.replace("WHAT", what)}


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
