"""The history of an endpoint block: one step back at a time, to what answers; and paid time that runs out."""

import asyncio
import logging
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from flows.deploy_model import deploy_model
from flows.wiring.blocks import SummarizerEndpoint, find_endpoint
from flows.wiring.models.forms import ExaminationForm
from flows.wiring.models.paid_time import watch_paid_time
from flows.wiring.models.promotions import (
    blocks_naming,
    events_of,
    promote,
    roll_back,
    same_endpoint,
    states_of,
    step_back,
)
from flows.wiring.settings import load_settings
from tasks.clients.folder_store import FolderStore
from tasks.domain.errors import UsageError
from tasks.domain.model_platform import ModelReport
from tasks.tuning.rollout import RolloutRecord, find_rollout, rollout_key
from tasks.tuning.rules.experiments import Experiment
from tasks.tuning.rules.rollout_record import ServiceSpec, plan_rollout
from tasks.tuning.rules.tuning_record import Trial
from tests.servers.console import Task
from tests.servers.console_services import EPOCH

pytestmark = pytest.mark.usefixtures("prefect_server", "console_account")

OFFLINE = SummarizerEndpoint(summarizer="offline")
ANSWER = '{"用户问题": "催单", "客服方案": "加急", "是否接受": "是", "是否负面情绪": "否"}'


@pytest.fixture
def block():
    return f"tried-{uuid4().hex[:8]}"


def promoted(block, *names):
    async def run():
        for name in names:
            await promote(block, OFFLINE, f"{name}_endpoint", name=name, by="me", why=f"{name} is better")

    asyncio.run(run())


def back(block, name):
    async def run():
        _, below, _ = await step_back(block, name)
        await roll_back(block, below, name=name, by="me", why="")

    asyncio.run(run())


def named(block):
    found = asyncio.run(find_endpoint(block))
    assert found is not None
    return found.endpoint or found.summarizer


def test_two_steps_back_go_two_states_back(block):
    promoted(block, "one", "two", "two")
    assert named(block) == "two_endpoint"
    back(block, "two")
    assert named(block) == "one_endpoint"
    with pytest.raises(UsageError, match=r"of 'one' on .*, not of 'two'"):
        back(block, "two")
    back(block, "one")
    assert named(block) == "offline"
    with pytest.raises(UsageError, match="Nothing to roll back"):
        back(block, "one")
    events = asyncio.run(events_of(block))
    assert [(event.action, event.name, event.by) for event in events] == [
        ("found", "", ""),
        ("promoted", "one", "me"),
        ("promoted", "two", "me"),
        ("rolled back", "two", "me"),
        ("rolled back", "one", "me"),
    ]
    assert events[2].why == "two is better"
    assert all(event.at for event in events)
    assert len(states_of(events)) == 1


def test_a_change_by_hand_is_a_state_to_come_back_to(block):
    promoted(block, "one")
    asyncio.run(SummarizerEndpoint(endpoint="by_hand").asave(block, overwrite=True))
    with pytest.raises(UsageError, match="somebody changed it by hand"):
        back(block, "one")
    promoted(block, "two")
    back(block, "two")
    assert named(block) == "by_hand"


@pytest.mark.parametrize("action", ["promote", "roll back"])
def test_a_death_between_the_two_writes_is_made_good_by_the_next_run(block, action, monkeypatch):
    promoted(block, "one", "two") if action == "roll back" else promoted(block, "one")

    async def dies(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("flows.wiring.models.promotions._restore", dies)
        with pytest.raises(KeyboardInterrupt):
            promoted(block, "two") if action == "promote" else back(block, "two")
    if action == "promote":
        promoted(block, "two")
        assert named(block) == "two_endpoint"
        assert len(asyncio.run(events_of(block))) == 3
    else:
        with pytest.raises(UsageError, match=r"of 'one' on"):
            back(block, "two")
        assert named(block) == "one_endpoint"  # one step, not two


def test_blocks_naming_finds_every_block_however_the_interface_is_written(block):
    """The guard of --retire compares endpoints, not texts, and knows more than one block."""
    promoted(block, block)
    asyncio.run(SummarizerEndpoint(endpoint=f"v2:{block}_endpoint").asave(f"{block}-other", overwrite=True))
    assert asyncio.run(blocks_naming(f"{block}_endpoint")) == [block, f"{block}-other"]
    assert asyncio.run(blocks_naming("none")) == []
    assert same_endpoint("v2:a", "a")


def test_rollback_goes_only_to_an_endpoint_that_answers(block, qianfan, tmp_path):
    qianfan.answers = lambda endpoint, prompt: ANSWER if endpoint == "two_endpoint" else None
    promoted(block, "one", "two")
    form, settings = ExaminationForm(block=block), {"warehouse": str(tmp_path)}
    with pytest.raises(UsageError, match=r"named one_endpoint, which does not answer .* Nothing was changed"):
        asyncio.run(deploy_model("two", "rollback", examination=form, settings=settings))
    assert named(block) == "two_endpoint"
    qianfan.answers = lambda endpoint, prompt: ANSWER
    done = asyncio.run(
        deploy_model("two", "rollback", why="it was worse at night", examination=form, settings=settings)
    )
    assert (done["before"], done["endpoint"]) == ("two_endpoint", "one_endpoint")
    assert asyncio.run(events_of(block))[-1].why == "it was worse at night"


@pytest.fixture
def serving(console, tmp_path, block):
    """A service that is paid for a month, promoted, on the platform and in the warehouse."""
    console.jobs["job-1"] = {"jobId": "job-1", "name": "kefu-a-1", "description": "", "model": "ERNIE-Speed-8K"}
    console.tasks["task-1"] = Task("task-1", "job-1", "LoRA", {"epoch": 3, "learningRate": 3e-4}, {}, began=-9_999)
    trial = Trial(Experiment(1, "LoRA", 3, 3e-4), "kefu-a-1", "done", "job-1", "task-1")
    plan = plan_rollout("a", trial, ServiceSpec(pay="month"), EPOCH, token="t")
    month = EPOCH + timedelta(days=30)
    rollout = replace(plan, stage="promoted", endpoint="one_endpoint", expires_at=month, model=ModelReport("am", "amv"))
    console.models.sets["am-1"] = {"modelSetId": "am-1", "modelSetName": "kefu-a-1", "modelIds": []}
    calls = console.service_calls.handlers()
    made = console.models.handlers()["/v2/model", "CreateCustomModel"](
        {"modelSetId": "am-1", "sourceType": "Train", "trainMeta": {"taskId": "task-1"}}
    )
    console.advance(1_000)
    paid = {"paymentTiming": "Prepaid", "reservation": {"reservationTimeUnit": "Month", "reservationLength": 1}}
    asked = {"name": "kefu-a-1", "urlSuffix": "ab", "protocolVersion": 2, "billing": paid, **made}
    resource = {"type": "GPU-1-1", "replicasCount": 1}
    service = calls["/v2/service", "CreateService"]({**asked, "resourceConfig": resource})
    record = RolloutRecord(FolderStore(tmp_path), rollout_key("a"), replace(rollout, service_id=service["serviceId"]))
    asyncio.run(record.save(record.value))
    asyncio.run(promote(block, OFFLINE, "one_endpoint", name="a", by="", why=""))
    return {"endpoint_block": block, "warehouse": str(tmp_path)}


@pytest.mark.parametrize(("days", "warned"), [(8, False), (6, True)])
def test_the_nightly_warns_a_week_before_paid_time_runs_out(serving, caplog, days, warned):
    now = EPOCH + timedelta(days=30) - timedelta(days=days)
    config = load_settings(serving)
    with caplog.at_level(logging.WARNING):
        after = asyncio.run(watch_paid_time(config, serving, logging.getLogger("test"), now))
    assert after == config
    assert ("runs out on 2026-12-23" in caplog.text) == warned
    assert ("renew it in the Qianfan console" in caplog.text) == warned


def test_the_nightly_takes_the_platform_s_word_that_somebody_renewed_it(serving, console, caplog, tmp_path):
    for service in console.services.values():
        service.billing["reservation"]["reservationLength"] = 3
    now = EPOCH + timedelta(days=29, hours=20)
    asyncio.run(watch_paid_time(load_settings(serving), serving, logging.getLogger("test"), now))
    assert not caplog.records
    record = find_rollout(FolderStore(tmp_path), "a")
    assert record is not None
    assert record.value.expires_at is not None
    assert record.value.expires_at > EPOCH + timedelta(days=89)


def test_the_nightly_falls_back_in_the_last_hours(serving, block, caplog):
    now = EPOCH + timedelta(days=29, hours=20)
    after = asyncio.run(watch_paid_time(load_settings(serving), serving, logging.getLogger("test"), now))
    assert named(block) != "one_endpoint"
    assert after.endpoint != "one_endpoint"
    last = asyncio.run(events_of(block))[-1]
    assert (last.action, last.by) == ("rolled back", "the nightly")
    assert "again" in caplog.text


def test_the_nightly_does_not_care_when_nothing_can_be_told(serving, console, caplog):
    for _ in range(9):
        console.break_next("DescribeComputeUnits", "refused")
    now = EPOCH + timedelta(days=29, hours=20)
    config = load_settings(serving)
    assert asyncio.run(watch_paid_time(config, serving, logging.getLogger("test"), now)) == config
    assert "can't be looked after" in caplog.text
