"""Publishing, deploying and retiring against the console server: restarts, lost replies, late lists, unpaid orders."""

import asyncio
from datetime import timedelta

import pytest

from tasks.clients.folder_store import FolderStore
from tasks.clients.qianfan.credentials import QianfanCredentials
from tasks.clients.qianfan.platform import QianfanConsole
from tasks.domain.errors import ModelFailed, PlatformRefused, UsageError
from tasks.domain.model_platform import Checkpoint, TrainingData
from tasks.tuning.create_once import WaitPolicy
from tasks.tuning.rollout import (
    begin_rollout,
    deploy_service,
    find_rollout,
    publish_model,
    retire_service,
    rollout_of,
)
from tasks.tuning.rules.experiments import Experiment
from tasks.tuning.rules.rollout_record import RUNS_OUT, ServiceSpec
from tasks.tuning.rules.tuning_record import Trial, Tuning
from tests.kills import killed_at_write
from tests.servers.console import PUBLISHED, ConsoleServer, Task
from tests.servers.console_services import EPOCH
from tests.servers.qianfan import ACCESS_KEY, SECRET_KEY

STEPS = (publish_model, deploy_service)
DAY = 24 * 3600


@pytest.fixture
def console():
    with ConsoleServer(chat_url="https://qianfan.example", seconds_per_poll=100) as server:
        server.jobs["job-1"] = {"jobId": "job-1", "name": "kefu-a-5", "description": "", "model": "ERNIE-Speed-8K"}
        server.tasks["task-1"] = Task(
            "task-1", "job-1", "FullFineTuning", {"epoch": 6, "learningRate": 3e-5}, {}, began=-9_999
        )
        yield server


@pytest.fixture
def store(tmp_path):
    return FolderStore(tmp_path / "warehouse")


def tuning(*points, phase="done"):
    trial = Trial(
        Experiment(5, "full", 6, 3e-5),
        "kefu-a-5",
        phase,
        "job-1",
        "task-1",
        metrics=PUBLISHED,
        checkpoints=[Checkpoint(step, 1.0) for step in points],
    )
    return Tuning("a", "ERNIE-Speed-8K", 20, TrainingData("ds-1"), EPOCH, (trial,))


def live(console, store, *, steps=STEPS, rounds=100, hours=10.0, heard=None, step=None, points=(), **spec):
    """Do a process's work: take the rollout up where it is, and go on for so many rounds."""
    policy = WaitPolicy(timedelta(hours=hours), now=lambda: EPOCH + timedelta(seconds=console.world.now))
    wanted = ServiceSpec(**{"replicas": 2, **spec})

    async def run():
        platform = QianfanConsole(QianfanCredentials(ACCESS_KEY, SECRET_KEY), console.url, retry_seconds=0.0)
        try:
            if steps is STEPS:
                record = await begin_rollout(store, tuning(*points), 0, wanted, policy.now(), step)
            else:
                record = rollout_of(store, "a")
            left, notify = rounds, (heard if heard is not None else []).append
            for each in steps:
                while left and not await each(record, platform, policy, notify):
                    left -= 1
            return record.value
        finally:
            await platform.aclose()

    return asyncio.run(run())


def retire(console, store, rounds=100, **options):
    return live(console, store, steps=(retire_service,), rounds=rounds, **options)


@pytest.mark.parametrize(
    ("spec", "billing"),
    [
        ({}, {"paymentTiming": "Postpaid", "chargeType": "ComputingUnit"}),
        ({"pool": "public"}, {"paymentTiming": "Postpaid", "chargeType": "Tokens"}),
        (
            {"pay": "month", "months": 3, "renew": True},
            {
                "paymentTiming": "Prepaid",
                "reservation": {"reservationTimeUnit": "Month", "reservationLength": 3},
                "autoRenew": True,
            },
        ),
    ],
)
def test_deploy_service_serves_the_model_in_every_way_to_pay(console, store, spec, billing):
    """By today's protocol; the address to call is the service's own word, not a part of its URL."""
    done = live(console, store, **spec)
    (service,) = console.services.values()
    assert (done.stage, done.endpoint) == ("serving", service.endpoint)
    assert "completions" not in done.endpoint
    assert console.quality_of(done.endpoint) == 1.0
    assert (service.protocol, service.billing) == (2, billing)
    months = EPOCH + timedelta(seconds=service.began) + timedelta(days=90)
    assert done.expires_at == (months.replace(microsecond=0) if "months" in spec else None)
    if "pool" not in spec:
        assert service.resource == {"type": "GPU-1-2", "replicasCount": 2}


def test_deploy_service_runs_on_units_that_were_bought_before(console, store):
    units = (console.service_calls.add_bought_units(1), console.service_calls.add_bought_units(1))
    assert live(console, store, pay="bought", units=units).stage == "serving"
    assert console.paid_units() == []
    assert retire(console, store).stage == "retired"


@pytest.mark.parametrize("written", [True, False])
@pytest.mark.parametrize("write", range(1, 12))
def test_deploy_service_pays_once_after_a_kill_at_any_write(console, store, write, written):
    with killed_at_write(write, written=written):
        live(console, store)
    assert live(console, store).stage == "serving"
    assert len(console.models.sets) == len(console.versions) == len(console.services) == 1


@pytest.mark.parametrize("listing_seconds", [0, 1_500])
@pytest.mark.parametrize("repeat", [True, False])
@pytest.mark.parametrize("fault", ["http_500", "overloaded", "reset_before", "reset_after", "broken_json", "no_result"])
@pytest.mark.parametrize("action", ["CreateCustomModelSet", "CreateCustomModel", "CreateService", "DescribeService"])
def test_deploy_service_pays_once_when_replies_break_and_lists_lag(
    console, store, action, fault, listing_seconds, repeat
):
    """Also where the platform would take a second service of the same name."""
    console.behavior.listing_seconds = listing_seconds
    console.behavior.names_repeat = repeat
    for _ in range(3):
        console.break_next(action, fault)
    assert live(console, store).stage == "serving"
    assert len(console.models.sets) == len(console.versions) == len(console.services) == 1


def test_deploy_service_goes_on_after_a_restart_in_every_wait(console, store):
    console.behavior.seconds_per_poll = 30
    for _ in range(60):
        if live(console, store, rounds=1).stage == "serving":
            break
    assert live(console, store).stage == "serving"
    assert len(console.versions) == len(console.services) == 1


def test_deploy_service_says_that_an_order_waits_for_its_payment(console, store):
    """New until somebody pays in the console."""
    console.behavior.service_fate = "unpaid"
    heard: list[str] = []
    assert live(console, store, rounds=20, heard=heard).stage == "deploying"
    assert "waits for its order to be paid (NotOpen): pay it in the Qianfan console" in heard[-1]
    console.pay("kefu-a-5")
    assert live(console, store).stage == "serving"


def test_deploy_service_gives_up_what_never_gets_ready_and_retire_gives_it_back(console, store):
    console.behavior.service_fate = "hang"
    with pytest.raises(ModelFailed, match=r"deploying for 1\.\d h.*--retire takes it offline and ends that"):
        live(console, store, hours=1.0)
    assert console.paid_units() == ["kefu-a-5"]
    assert retire(console, store).stage == "retired"
    assert console.paid_units() == []


def test_deploy_service_says_when_it_failed(console, store):
    console.behavior.service_fate = "fail"
    with pytest.raises(ModelFailed, match="failed"):
        live(console, store)
    record = find_rollout(store, "a")
    assert record is not None
    assert record.value.stage == "failed"
    assert record.value.paid_for


def test_deploy_service_takes_the_corrected_command_after_a_refusal(console, store):
    """The console's own words, and nothing that stands in the way of the next try."""
    with pytest.raises(PlatformRefused, match=r"CreateService answered InappropriateJSON: .*resourceConfig\.type"):
        live(console, store, resource="GPU-I-2")
    assert live(console, store, resource="GPU-1-1").stage == "serving"
    assert len(console.versions) == len(console.services) == 1


def test_deploy_service_leaves_alone_what_is_not_its_own(console, store, tmp_path):
    """Another warehouse's service, and another one's model, of the same name."""
    live(console, store)
    with pytest.raises(UsageError, match=r"Service kefu-a-5 \(svco-.*adopt it with --service"):
        live(console, FolderStore(tmp_path / "second"))
    assert len(console.services) == 1
    for version in console.versions.values():
        version.task_id = "task-of-another"
    with pytest.raises(UsageError, match=r"Model kefu-a-5 \(am-.*adopt it with --model amv-"):
        live(console, FolderStore(tmp_path / "third"))


@pytest.mark.parametrize("fate", ["fail", "hang"])
def test_publish_model_says_when_it_fails_or_never_ends(console, store, fate):
    """Failed as well as Fail."""
    console.behavior.publish_fate = fate
    with pytest.raises(ModelFailed, match=r"could not be published|has been publishing"):
        live(console, store, hours=0.5)
    assert not console.services


def test_publish_model_publishes_the_checkpoint_that_is_asked_for(console, store):
    """By the calls of V2."""
    with pytest.raises(UsageError, match="--checkpoint 7: there are 16, 32"):
        live(console, store, step=7, points=(16, 32))
    live(console, store, step=16, points=(16, 32))
    assert [version.step for version in console.versions.values()] == [16]
    assert not {action for action in console.calls if "/" in action}


def test_every_silent_hour_is_loud(console, store):
    """The platform's words at each look, and in what is given up."""
    for _ in range(1_000):
        console.break_next("DescribeModel", "http_500")
    heard: list[str] = []
    with pytest.raises(ModelFailed, match=r"publishing for .*DescribeModel: the reply \(status 500\)"):
        live(console, store, rounds=3, hours=0.0, heard=heard)
    assert heard
    assert "DescribeModel" in heard[0]


def test_retire_service_is_done_when_it_has_been_seen_to_stop(console, store):
    """Taken offline by the API, then given back, and called retired only then."""
    live(console, store)
    console.behavior.seconds_per_poll = 1
    heard: list[str] = []
    assert retire(console, store, rounds=3, heard=heard).stage == "retiring"
    assert "it was asked to stop" in heard[0]
    assert retire(console, store).stage == "retired"
    assert console.calls["ReleaseComputeUnit"] == 1
    (service,) = console.services.values()
    assert console.service_calls.status(service) == "Stopped"
    assert console.paid_units() == []


def test_retire_service_ends_although_the_service_never_stops(console, store):
    """Bounded, loud, and never called retired."""
    console.behavior.service_fate = "unstoppable"
    live(console, store)
    heard: list[str] = []
    with pytest.raises(ModelFailed, match=r"kefu-a-5 has been retiring for 1\.\d h .*is serving"):
        retire(console, store, hours=1.0, heard=heard)
    assert heard
    assert console.calls["ReleaseComputeUnit"] == 0


def test_retire_service_says_what_was_paid_in_advance_and_is_never_given_back(console, store):
    live(console, store, pay="month")
    retired = retire(console, store)
    assert (retired.stage, retired.reason) == ("retired", RUNS_OUT)
    assert console.calls["ReleaseComputeUnit"] == 0
    assert console.paid_units() == ["kefu-a-5"]


def test_retire_service_finds_one_whose_creation_was_never_confirmed(console, store):
    console.break_next("CreateService", "reset_after")
    heard: list[str] = []
    while not console.services:
        live(console, store, rounds=1)
    console.behavior.listing_seconds = 1_000
    assert retire(console, store, rounds=2, heard=heard).stage == "retiring"
    assert "is not listed yet" in heard[0]
    retired = retire(console, store)
    assert retired.stage == "retired"
    assert retired.service_id in console.services
    assert console.paid_units() == []


def test_retire_service_does_not_call_retired_what_it_never_found(console, store):
    console.break_next("CreateService", "reset_after")
    while not console.services:
        live(console, store, rounds=1)
    console.behavior.listing_seconds = 1e9
    with pytest.raises(UsageError, match="the platform does not list it"):
        retire(console, store)


def test_retire_service_knows_what_a_person_deleted_in_the_console(console, store):
    live(console, store)
    console.remove_service("kefu-a-5")
    retired = retire(console, store)
    assert retired.stage == "retired"
    assert "does not know the service any more" in retired.reason


def test_a_retired_model_can_be_deployed_again_under_another_service_name(console, store):
    """A stopped service keeps its name."""
    live(console, store)
    retire(console, store)
    again = live(console, store)
    assert (again.stage, again.plan.name) == ("serving", "k2-a-5")
    assert len(console.versions) == 1
    assert [service.name for service in console.services.values()] == ["kefu-a-5", "k2-a-5"]


def test_begin_rollout_takes_the_last_wish_until_something_is_asked_for(console, store):
    def begin(experiment=0, trial="done", **spec):
        begun = begin_rollout(store, tuning(phase=trial), experiment, ServiceSpec(**spec), EPOCH)
        return asyncio.run(begun).value

    assert begin(replicas=1).plan.replicas == 1
    assert begin(replicas=2, pay="month", months=2).plan.months == 2
    live(console, store, pay="month", months=2)
    assert begin(replicas=2, pay="month", months=2).stage == "serving"
    with pytest.raises(UsageError, match=r"--pay month --replicas 2 .* --months 2.*--retire it first"):
        begin(replicas=2, pay="month", months=1)
    with pytest.raises(UsageError, match="Experiment 5"):
        begin(experiment=4, replicas=2, pay="month", months=2)
    with pytest.raises(UsageError, match="no such experiment that is done"):
        asyncio.run(begin_rollout(FolderStore(store._root / "b"), tuning(phase="failed"), 0, ServiceSpec(), EPOCH))


def test_rollout_of_names_what_is_not_there(store):
    with pytest.raises(UsageError, match="Nothing of tuning 'a' is deployed"):
        rollout_of(store, "a")
