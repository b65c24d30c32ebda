"""Publishing, deploying and retiring a model, step by step, each written down in the warehouse before and after it.

Every step tells whether it is done; what is not is looked at again later. What was asked for when a process died, or
when the reply was lost, is found on the platform by its name and description.
"""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from uuid import uuid4

from tasks.domain.errors import ModelFailed, PlatformRefused, PlatformUnavailable, UsageError
from tasks.domain.layout import model_folder
from tasks.domain.model_platform import ModelPlatform, ModelReport, ServiceReport, is_made_by, made_by
from tasks.domain.ports import ObjectStore
from tasks.tuning.create_once import WaitPolicy, create_once
from tasks.tuning.rules.asked import Asked
from tasks.tuning.rules.rollout_record import (
    RUNS_OUT,
    ModelRollout,
    ServiceSpec,
    check_unchanged,
    decode_rollout,
    plan_rollout,
    still_paid,
)
from tasks.tuning.rules.tuning_record import Tuning
from tasks.tuning.stored_record import StoredRecord

RolloutRecord = StoredRecord[ModelRollout]

Notify = Callable[[str], None]


def rollout_key(name: str) -> str:
    """The key of the record of a tuning's rollout."""
    return f"{model_folder(name)}/deployment.json"


def find_rollout(store: ObjectStore, name: str) -> RolloutRecord | None:
    """The record of the rollout of a tuning's model."""
    return RolloutRecord.find(store, rollout_key(name), decode_rollout)


def list_rollouts(store: ObjectStore) -> Iterator[RolloutRecord]:
    """Yield the record of every rollout in the warehouse."""
    for found in store.list_objects("models/name="):
        name, _, file = found.key.removeprefix("models/name=").partition("/")
        record = find_rollout(store, name) if file == "deployment.json" else None
        if record is not None:
            yield record


def rollout_of(store: ObjectStore, name: str) -> RolloutRecord:
    """The record of the rollout of a tuning's model.

    Raises:
        UsageError: there is none.
    """
    record = find_rollout(store, name)
    if record is None:
        raise UsageError(f"Nothing of tuning {name!r} is deployed: {store.uri_of(rollout_key(name))} is not there.")
    return record


async def begin_rollout(
    store: ObjectStore, tuning: Tuning, experiment: int, spec: ServiceSpec, now: datetime, step: int | None = None
) -> RolloutRecord:
    """The record of a tuning's rollout, planned anew as long as no service was asked for.

    Args:
        store: the warehouse.
        tuning: whose model.
        experiment: which; 0 is the best, or the one under way.
        spec: the service.
        now: the time.
        step: the checkpoint to publish; None for the last.

    Raises:
        UsageError: the experiment is not done, or another one, or another service, is under way.
    """
    record = await asyncio.to_thread(find_rollout, store, tuning.name)
    known = record.value if record else None
    if known is not None and record is not None and known.paid_for:
        if known.token:  # what was adopted is as it is
            check_unchanged(known, experiment, spec)
        return record
    trial = next((trial for trial in tuning.trials if trial.experiment.number == experiment), None)
    if not experiment:
        trial = tuning.best
    if trial is None or trial.phase != "done":
        raise UsageError(f"Tuning {tuning.name!r} has no such experiment that is done: see its report.")
    points = {point.step for point in trial.checkpoints}
    if step is not None and points and step not in points:
        raise UsageError(f"--checkpoint {step}: there are {', '.join(map(str, sorted(points)))}.")
    again = known is not None and known.stage == "retired"
    attempt = 1 if known is None else known.attempt + again
    planned = plan_rollout(tuning.name, trial, spec, now, token=uuid4().hex[:12], attempt=attempt, step=step)
    if known is not None and (known.experiment, known.step) == (planned.experiment, step):
        # Its model is published, or on its way: nothing of that is asked for again.
        planned = replace(
            planned,
            token=planned.token if again or not known.token else known.token,
            stage="publishing" if known.set_id or known.asked else "planned",
            set_id=known.set_id,
            model=known.model,
            asked=None if again else known.asked,
        )
    record = record or RolloutRecord(store, rollout_key(tuning.name), planned)
    await record.save(planned)
    return record


async def publish_model(record: RolloutRecord, platform: ModelPlatform, policy: WaitPolicy, notify: Notify) -> bool:
    """Publish the model; return true once it is ready.

    Raises:
        ModelFailed: it can't be published, or it takes longer than the policy waits.
        PlatformRefused: the platform does not take it.
        UsageError: its name is somebody else's.
    """
    rollout = record.value
    if rollout.stage not in ("planned", "publishing"):
        return True
    if rollout.stage == "planned":
        await record.save(rollout.moved("publishing", policy.now()))
    try:
        model = record.value.model or await _create_model(record, platform, policy)
        model = await platform.describe_model(model.model_id)
    except PlatformUnavailable as error:
        return _wait_on(record, policy, notify, str(error))
    if model.phase == "failed":
        raise ModelFailed(f"Model {rollout.model_name} could not be published: look at it in the Qianfan console.")
    if model.phase == "creating":
        return _wait_on(record, policy, notify, "")
    await record.save(replace(record.value, model=model))
    return True


async def _create_model(record: RolloutRecord, platform: ModelPlatform, policy: WaitPolicy) -> ModelReport:
    rollout, name = record.value, record.value.model_name

    async def note(asked: Asked | None) -> None:
        await record.save(replace(record.value, asked=asked))

    if not rollout.set_id:
        set_id = await create_once(
            f"model set {name}",
            rollout.asked,
            note,
            lambda: _find_set(rollout, platform),
            lambda: platform.create_model_set(name),
            policy,
        )
        await record.save(replace(record.value, set_id=set_id, asked=None))
    set_id = record.value.set_id
    model_id = await create_once(
        f"a version of model {name}",
        record.value.asked,
        note,
        lambda: _find_version(record.value, platform),
        lambda: platform.create_model(
            set_id, rollout.task_id, rollout.step, made_by(rollout.token, f"{rollout.task_id} {_step(rollout.step)}")
        ),
        policy,
    )
    model = ModelReport(set_id, model_id)
    await record.save(replace(record.value, model=model, asked=None))
    return model


def _step(step: int | None) -> str:
    return "last checkpoint" if step is None else f"step {step}"


async def _find_set(rollout: ModelRollout, platform: ModelPlatform) -> str | None:
    found = await platform.find_model_set(rollout.model_name)
    if found is None:
        return None
    for model_id in found.model_ids:
        if (await platform.describe_model(model_id)).task_id == rollout.task_id:
            return found.set_id
    if found.model_ids:
        raise UsageError(
            f"Model {rollout.model_name} ({found.set_id}) is on the platform already and was not made of task "
            f"{rollout.task_id}: adopt it with --model {found.model_ids[0]}, or give the tuning another --name."
        )
    return found.set_id


async def _find_version(rollout: ModelRollout, platform: ModelPlatform) -> str | None:
    if rollout.asked is None:
        return None  # the set is new, or was found without one of ours
    found = await platform.find_model_set(rollout.model_name)
    for model_id in found.model_ids if found else ():
        if (await platform.describe_model(model_id)).task_id == rollout.task_id:
            return model_id
    return None


async def deploy_service(record: RolloutRecord, platform: ModelPlatform, policy: WaitPolicy, notify: Notify) -> bool:
    """Deploy the service; return true once it serves. Its price was agreed to before.

    Raises:
        ModelFailed: it failed, or it takes longer than the policy waits.
        PlatformRefused: the platform does not take it.
        UsageError: its name is somebody else's.
    """
    if record.value.stage not in ("publishing", "deploying"):
        return True
    if record.value.stage == "publishing":
        await record.save(record.value.moved("deploying", policy.now()))
    try:
        if not record.value.service_id:
            await _create_service(record, platform, policy)
        service = await platform.describe_service(record.value.service_id)
        units = await platform.compute_units(service.service_id) if service.phase == "serving" else []
    except PlatformUnavailable as error:
        return _wait_on(record, policy, notify, str(error))
    if service.phase in ("failed", "stopped"):
        name = record.value.plan.name
        await record.save(record.value.moved("failed", policy.now(), reason=f"the service is {service.phase}"))
        raise ModelFailed(f"Service {name} {service.phase}: look at it in the Qianfan console, then --retire.")
    if service.phase == "new":
        return _wait_on(
            record,
            policy,
            notify,
            f"Service {record.value.plan.name} waits for its order to be paid "
            f"({service.charge or 'New'}): pay it in the Qianfan console.",
        )
    if service.phase == "deploying" or not service.endpoint:
        return _wait_on(record, policy, notify, "")
    expires_at = min((unit.expires_at for unit in units if unit.expires_at), default=None)
    await record.save(record.value.moved("serving", policy.now(), endpoint=service.endpoint, expires_at=expires_at))
    return True


async def _create_service(record: RolloutRecord, platform: ModelPlatform, policy: WaitPolicy) -> None:
    rollout, model = record.value, record.value.model
    assert model is not None

    async def note(asked: Asked | None) -> None:
        await record.save(replace(record.value, asked=asked))

    service_id = await create_once(
        f"service {rollout.plan.name}",
        rollout.asked,
        note,
        lambda: _find_service(record.value, platform),
        lambda: platform.create_service(
            rollout.plan, model, made_by(rollout.token, f"tuning {rollout.name}, experiment {rollout.experiment}")
        ),
        policy,
    )
    await record.save(replace(record.value, service_id=service_id, asked=None))


async def _find_service(rollout: ModelRollout, platform: ModelPlatform) -> str | None:
    found = await platform.find_services(rollout.plan.name)
    for service in found:
        if await _is_ours(service, rollout, platform):
            return service.service_id
    if found:
        raise UsageError(
            f"Service {rollout.plan.name} ({found[0].service_id}, described as {found[0].description!r}) is on the "
            f"platform already and is not of this rollout: adopt it with --service {found[0].service_id}, or give the "
            "tuning another --name."
        )
    return None


async def _is_ours(service: ServiceReport, rollout: ModelRollout, platform: ModelPlatform) -> bool:
    if not service.description:  # listings may leave it out
        service = await platform.describe_service(service.service_id)
    return is_made_by(rollout.token, service.description)


async def retire_service(record: RolloutRecord, platform: ModelPlatform, policy: WaitPolicy, notify: Notify) -> bool:
    """Take the service offline, then release what is paid by use; return true once both are confirmed.

    Raises:
        ModelFailed: it takes longer than the policy waits.
        UsageError: whether the service exists can't be told.
    """
    rollout = record.value
    if rollout.stage == "retired":
        return True
    if rollout.stage != "retiring":
        await record.save(rollout.moved("retiring", policy.now()))
    try:
        if not record.value.service_id and not await _find_asked_service(record, platform, policy):
            await record.save(record.value.moved("retired", policy.now(), reason="no service was asked for"))
            return True
        return await _take_offline(record, platform, policy, notify)
    except PlatformUnavailable as error:
        return _wait_on(record, policy, notify, str(error))


async def _find_asked_service(record: RolloutRecord, platform: ModelPlatform, policy: WaitPolicy) -> bool:
    rollout = record.value
    if not rollout.paid_for:
        return False
    service_id = await _find_service(rollout, platform)
    if service_id:
        await record.save(replace(rollout, service_id=service_id, asked=None))
        return True
    assert rollout.asked is not None
    until = rollout.asked.at + policy.listed_after
    if policy.now() < until:
        raise PlatformUnavailable(
            f"Service {rollout.plan.name} was asked for and is not listed yet: it is looked for until "
            f"{until:%H:%M} UTC."
        )
    raise UsageError(
        f"Service {rollout.plan.name} was asked for, the reply was lost, and the platform does not list it. Look for "
        "it in the Qianfan console: if it is there, retire it with --service ID --retire; if not, deploy again."
    )


async def _take_offline(record: RolloutRecord, platform: ModelPlatform, policy: WaitPolicy, notify: Notify) -> bool:
    service_id, name = record.value.service_id, record.value.plan.name
    try:
        service = await platform.describe_service(service_id)
    except PlatformRefused as error:
        if name not in {service.name for service in await platform.find_services(name)}:
            reason = f"the platform does not know the service any more ({error})"
            await record.save(record.value.moved("retired", policy.now(), reason=reason))
            return True
        raise
    if service.phase not in ("stopped", "failed"):
        await platform.deactivate_service(service_id)
        return _wait_on(record, policy, notify, f"Service {name} is {service.phase}; it was asked to stop.")
    units = await platform.compute_units(service_id)
    by_use = [unit for unit in units if not unit.prepaid]
    for unit in by_use:
        await platform.release_unit(service_id, unit.instance_id)
    if by_use:
        return _wait_on(record, policy, notify, f"{len(by_use)} compute units of service {name} are being released.")
    prepaid = record.value.plan.payment == "month" and bool(units)
    await record.save(record.value.moved("retired", policy.now(), reason=RUNS_OUT if prepaid else ""))
    return True


def _wait_on(record: RolloutRecord, policy: WaitPolicy, notify: Notify, why: str) -> bool:
    """Return False while there is still time, after telling why; `why` is the platform's own word, or empty."""
    rollout = record.value
    waited = policy.now() - rollout.since
    if why:
        notify(why)
    if waited < policy.give_up_after:
        return False
    costs = "" if rollout.stage == "retiring" else still_paid(rollout)
    raise ModelFailed(
        f"{rollout.plan.name} has been {rollout.stage} for {waited.total_seconds() / 3600:.1f} h"
        f"{f' ({why})' if why else ''}: look at it in the Qianfan console; the same command goes on waiting with a "
        f"longer --give-up-hours.{costs}"
    )
