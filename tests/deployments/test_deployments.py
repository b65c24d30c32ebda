"""The deployments of `prefect deploy --all` can be run, their parameters fit, and nothing in them changes unseen."""

from importlib import import_module
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest
import yaml  # type: ignore[import-untyped]
from prefect import Flow
from prefect.cli.deploy._models import PrefectYamlModel
from prefect.client.schemas.objects import ConcurrencyLimitStrategy
from prefect.client.schemas.schedules import CronSchedule

from deployments.automations import NIGHTLY_TAG, TAG
from deployments.bootstrap import QUEUES, WORK_POOL
from tasks.running.rules.repair import SILENT_SECONDS
from tests.conftest import ROOT

CONTENT: dict[str, Any] = yaml.safe_load((ROOT / "deployments" / "prefect.yaml").read_text(encoding="utf-8"))
STANZAS: list[dict[str, Any]] = CONTENT["deployments"]

# Name -> its schedule. A change here is a change of what runs at night: make it on purpose.
DEPLOYED = {
    "summarize-day/nightly": ["30 2 * * * Asia/Shanghai"],
    "summarize-day/one-day": [],
    "summarize-shard/shard": [],
    "backfill-days/backfill": [],
    "check-setup/check-setup": [],
    "build-report/rebuild-reports": [],
    "publish-edition/weekly-report": ["0 8 * * 1 Asia/Shanghai"],
    "publish-edition/monthly-report": ["15 8 1 * * Asia/Shanghai"],
    "shadow-day/shadow-day": [],
    "evaluate-model/evaluate-model": [],
    "compare-prompts/compare-prompts": [],
    "fine-tune-model/fine-tune-model": [],
    "deploy-model/deploy-model": [],
    "try-model/try-model": [],
    "sample-for-review/sample-for-review": [],
    "import-reviews/import-reviews": [],
    "ask-questions/ask-questions": [],
    "propose-themes/propose-themes": ["0 10 * * 1 Asia/Shanghai"],
    "accept-themes/accept-themes": [],
    "assign-themes/assign-themes": [],
    "erase-customer/erase-customer": [],
    "expire-files/weekly-cleanup": ["0 12 * * 0 Asia/Shanghai"],
}
FILLED_IN_BY_A_PERSON = {
    "start": "2026-11-22",
    "end": "2026-11-22",
    "base": "2026-11-22",
    "sheet": "2026-11-22",
    "name": "a",
}
FILLED_IN_BY_A_RUN = {"day": "2026-11-22", "number": 0, "of": 3, "run_id": "run", "settings": {}}
STARTED_BY_RUNS = {"shard"}


def flow_of(stanza: dict[str, Any]) -> Flow[..., Any]:
    module, _, name = stanza["entrypoint"].rpartition(".")
    return cast("Flow[..., Any]", getattr(import_module(module), name))


def stanza_name(stanza: dict[str, Any]) -> str:
    return f"{stanza['entrypoint'].rpartition('.')[2].replace('_', '-')}/{stanza['name']}"


@pytest.fixture(params=STANZAS, ids=stanza_name)
def stanza(request: pytest.FixtureRequest) -> dict[str, Any]:
    return cast("dict[str, Any]", request.param)


def test_prefect_reads_the_file():
    PrefectYamlModel.model_validate(CONTENT)


def test_set_of_deployments_is_the_known_one():
    found = {
        f"{flow_of(stanza).name}/{stanza['name']}": [
            f"{schedule['cron']} {schedule['timezone']}" for schedule in stanza.get("schedules", [])
        ]
        for stanza in STANZAS
    }
    assert found == DEPLOYED


def test_entrypoint_is_a_flow_in_a_module(stanza):
    assert ":" not in stanza["entrypoint"]
    assert isinstance(flow_of(stanza), Flow)


def test_parameters_exist_and_validate(stanza):
    flow, given = flow_of(stanza), stanza.get("parameters", {})
    assert set(given) <= set(flow.parameters.properties)
    missing = set(flow.parameters.required) - set(given)
    if stanza.get("schedules"):
        assert not missing, "nobody fills in a form at night"
    filled_in = FILLED_IN_BY_A_RUN if stanza["name"] in STARTED_BY_RUNS else FILLED_IN_BY_A_PERSON
    flow.validate_parameters({**{name: filled_in[name] for name in missing}, **given})


def test_schedules_have_a_timezone_and_show_it(stanza):
    for schedule in stanza.get("schedules", []):
        CronSchedule(cron=schedule["cron"], timezone=schedule["timezone"])
        ZoneInfo(schedule["timezone"])
        assert schedule["timezone"].lower().replace("/", "-") in schedule["slug"]


def test_runs_over_the_limit_wait(stanza):
    if stanza_name(stanza) == "summarize-day/one-day":
        assert "concurrency_limit" not in stanza, "a backfill says how many at once, a day's lease holds doubles back"
        return
    if stanza["name"] in STARTED_BY_RUNS:
        assert "concurrency_limit" not in stanza, "as many at once as there are workers"
        return
    if stanza_name(stanza) in {"summarize-day/nightly", "backfill-days/backfill"}:
        assert "concurrency_limit" not in stanza, "a lease at the server, whose loss would end the night"
        _, at_once = QUEUES[stanza["work_pool"]["work_queue_name"]]
        assert at_once == 1
        return
    limit = stanza["concurrency_limit"]
    assert limit["limit"] == 1
    assert limit["collision_strategy"] == ConcurrencyLimitStrategy.ENQUEUE.value


def test_every_deployment_says_what_it_is_and_where_it_runs(stanza):
    assert stanza["description"]
    assert (TAG in stanza["tags"]) == (stanza["name"] not in STARTED_BY_RUNS)
    assert stanza["work_pool"]["name"] == WORK_POOL
    (step,) = stanza["pull"]
    assert step == {"prefect.deployments.steps.set_working_directory": {"directory": "{{ $KEFU_HOME }}"}}


def test_queues_are_those_that_the_bootstrap_makes():
    named = {stanza["work_pool"].get("work_queue_name") for stanza in STANZAS} - {None}
    assert named == set(QUEUES)


def test_nightly_carries_the_tag_that_the_watch_looks_for():
    assert [stanza["name"] for stanza in STANZAS if NIGHTLY_TAG in stanza["tags"]] == ["nightly"]


def test_runs_beat_often_enough_for_the_watch(stanza):
    beat = int(stanza["work_pool"]["job_variables"]["env"]["PREFECT_FLOWS_HEARTBEAT_FREQUENCY"])
    assert beat * 4 <= SILENT_SECONDS
