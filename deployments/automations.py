"""Prefect automations as data.

There is one: what died, is late or must be told is the business of `deployments/watch.py`. Prefect's own watches over
runs forget what they watched when its server is started again, and their notifications are sent once or never.
"""

from typing import Final

from prefect.events.schemas.automations import AutomationCore

from tasks.running.automations import STOP_CANCELLED_TUNINGS

TAG: Final = "kefu"

NIGHTLY_TAG: Final = "nightly"

# Of earlier versions; they would tell and end things a second time.
REPLACED: Final = (
    "kefu: crash runs without a heartbeat",
    "kefu: crash runs that were taken and never began",
    "kefu: tell of a failed run",
    "kefu: tell of a nightly not done by 06:00",
)


def cancelled_tunings() -> AutomationCore:
    """Stops the jobs of a tuning that was cancelled while it waited: then no process is there to do it."""
    return AutomationCore.model_validate(
        {
            "name": STOP_CANCELLED_TUNINGS,
            "description": "A tuning between two looks is only a scheduled run; cancelling that alone stops nothing.",
            "trigger": {
                "type": "event",
                "posture": "Reactive",
                "match": {"prefect.resource.id": "prefect.flow-run.*"},
                "match_related": {"prefect.resource.role": "flow", "prefect.resource.name": "fine-tune-model"},
                "expect": ["prefect.flow-run.Cancelled"],
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
