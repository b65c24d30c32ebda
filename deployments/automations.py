"""Prefect automations as data."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from prefect.events.schemas.automations import AutomationCore

from tasks.running.pausing import AWAITING

TAG: Final = "kefu"

NIGHTLY_TAG: Final = "nightly"

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
