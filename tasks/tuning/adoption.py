"""Bringing what a notebook or a person made into the same gate, promotion, rollback and retirement."""

import asyncio
from dataclasses import replace
from datetime import datetime

from tasks.domain.errors import UsageError
from tasks.domain.model_platform import ModelPlatform, ModelReport, ServicePlan, ServiceReport
from tasks.domain.ports import ObjectStore
from tasks.tuning.create_once import WaitPolicy
from tasks.tuning.rollout import RolloutRecord, find_rollout, rollout_key
from tasks.tuning.rules.adopted import unknown_tuning
from tasks.tuning.rules.rollout_record import ModelRollout
from tasks.tuning.training_jobs import TuningRecord, adopt_task, find_tuning, tuning_key


async def adopt(
    store: ObjectStore,
    platform: ModelPlatform,
    name: str,
    task_id: str,
    model_id: str,
    service_id: str,
    policy: WaitPolicy,
) -> None:
    """Write down what exists: a finished task, a published version, a service; each may be empty.

    A model or service without a known task becomes a tuning of which only the outcome is known.

    Raises:
        UsageError: one of them is not what it should be, or the name stands for something else.
    """
    now = policy.now()
    service = await _service(platform, service_id) if service_id else None
    model_id = model_id or (service.model_id if service else "")
    model = await platform.describe_model(model_id) if model_id else None
    if model is not None and model.phase != "ready":
        raise UsageError(f"--model {model_id} is {model.phase}: only a model that is ready can be adopted.")
    task_id = task_id or (model.task_id if model else "")
    if task_id:
        await adopt_task(store, platform, name, task_id, policy)
    else:
        await _adopt_unknown(store, name, model_id or service_id, now)
    if model is None and service is None:
        return
    record = await asyncio.to_thread(find_rollout, store, name)
    if record is not None:
        known = record.value
        if (model and known.model and known.model.model_id != model.model_id) or (
            service_id and known.service_id not in ("", service_id)
        ):
            raise UsageError(f"{name!r} is the rollout of another model or service: give another --name.")
        if known.stage != "retired":
            return
    rollout = _rollout(name, task_id, model, service, now)
    record = record or RolloutRecord(store, rollout_key(name), rollout)
    await record.save(rollout)


async def _service(platform: ModelPlatform, service_id: str) -> ServiceReport:
    service = await platform.describe_service(service_id)
    if service.phase != "serving" or not service.endpoint:
        raise UsageError(f"--service {service_id} is {service.phase}: only a service that serves can be adopted.")
    if service.protocol != 2:
        raise UsageError(
            f"--service {service_id} serves the interface V1, which was switched off: deploy its model anew, with "
            f"--model {service.model_id or 'amv-…'}."
        )
    return service


async def _adopt_unknown(store: ObjectStore, name: str, what: str, now: datetime) -> None:
    known = await asyncio.to_thread(find_tuning, store, name)
    if known is None:
        tuning = unknown_tuning(name, what, now)
        await TuningRecord(store, tuning_key(name), tuning).save(tuning)
    elif known.value.trials[0].job_name != what:
        raise UsageError(f"Tuning {name!r} is another one: give another --name.")


def _rollout(
    name: str, task_id: str, model: ModelReport | None, service: ServiceReport | None, now: datetime
) -> ModelRollout:
    plan = (
        ServicePlan(service.name or name, service.endpoint, 1, "bought") if service else ServicePlan("", "", 1, "unit")
    )
    rollout = ModelRollout(name, 1, "", task_id, plan, now, stage="publishing")
    if model is not None:
        rollout = replace(rollout, set_id=model.set_id, model=model)
    if service is not None:
        rollout = replace(rollout, stage="serving", service_id=service.service_id, endpoint=service.endpoint)
    return rollout
