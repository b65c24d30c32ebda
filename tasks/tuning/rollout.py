"""Publishing and deploying a model, step by step, each written down in the warehouse before and after it is taken.

Every step says whether it is done; what is not is looked at again later. What was asked for when a process died, or
when the reply was lost, is found on the platform by its name.
"""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from tasks.domain.errors import ModelFailed, PlatformUnavailable, PreconditionFailed, UsageError
from tasks.domain.layout import model_folder
from tasks.domain.model_platform import ModelPlatform
from tasks.domain.ports import ObjectStore
from tasks.tuning.rules.rollout_record import (
    NOT_GIVEN_BACK,
    ModelRollout,
    ServiceSpec,
    check_unchanged,
    decode_deployment,
    plan_deployment,
)
from tasks.tuning.rules.tuning_record import Tuning


def _now() -> datetime:
    return datetime.now(UTC)


class DeploymentRecord:
    """A deployment as it is written down; `save` replaces it."""

    def __init__(self, store: ObjectStore, deployment: ModelRollout, etag: str | None) -> None:
        self._store = store
        self._etag = etag
        self.deployment = deployment

    async def save(self, deployment: ModelRollout) -> None:
        """Write the deployment down as it is now.

        Raises:
            UsageError: another process has taken it up.
        """
        condition: dict[str, Any] = {"if_match": self._etag} if self._etag else {"if_absent": True}
        key = _key(deployment.name)
        try:
            self._etag = await asyncio.to_thread(self._store.write_path, key, deployment.encode(), **condition)
        except PreconditionFailed:
            raise UsageError(
                f"Another run is at work on {self._store.uri_of(key)}; nothing was done twice. Wait for it."
            ) from None
        self.deployment = deployment


def find_deployment(store: ObjectStore, name: str) -> DeploymentRecord | None:
    """The record of the deployment of a tuning's model."""
    stored = store.stat(_key(name))
    return DeploymentRecord(store, decode_deployment(store.read_path(_key(name))), stored.etag) if stored else None


async def begin_deployment(store: ObjectStore, tuning: Tuning, experiment: int, spec: ServiceSpec) -> DeploymentRecord:
    """The deployment of a tuning's model as it stands, or a new one of which nothing is done yet.

    Args:
        store: the warehouse.
        tuning: whose model.
        experiment: which one; 0 is the best.
        wish: the service.

    Raises:
        UsageError: the experiment is not done, or another one, or another service, is under way.
    """
    known = await asyncio.to_thread(find_deployment, store, tuning.name)
    if known is not None and known.deployment.stage not in ("planned", "retired"):
        check_unchanged(known.deployment, experiment, spec)
        return known
    named = next((one for one in tuning.trials if one.experiment.number == experiment), None)
    trial = named if experiment else tuning.best
    if trial is None or trial.phase != "done":
        raise UsageError(f"Tuning {tuning.name!r} has no such experiment that is done: see its report.")
    planned = plan_deployment(tuning.name, trial, spec, _now())
    record = known or DeploymentRecord(store, planned, None)
    await record.save(planned)
    return record


def deployment_of(store: ObjectStore, name: str) -> DeploymentRecord:
    """The record of the deployment of a tuning's model.

    Raises:
        UsageError: there is none.
    """
    record = find_deployment(store, name)
    if record is None:
        raise UsageError(f"Nothing of tuning {name!r} is deployed: {store.uri_of(_key(name))} is not there.")
    return record


def _key(name: str) -> str:
    return f"{model_folder(name)}/deployment.json"


async def publish_model(record: DeploymentRecord, platform: ModelPlatform, give_up_after: timedelta) -> bool:
    """Whether the model is published.

    Raises:
        ModelFailed: it can't be, or it takes longer than `patience`.
    """
    one = record.deployment
    if one.stage not in ("planned", "publishing"):
        return True
    if one.stage == "planned":
        await record.save(one.moved("publishing", _now()))
        one = record.deployment
    try:
        model = one.model or await platform.find_model(one.model_name)
        model = model or await platform.publish_model(one.model_name, one.job_id, one.task_id)
        model = await platform.describe_model(model.model_id)
    except PlatformUnavailable:
        return await _patient(record, give_up_after)
    if model.phase == "failed":
        raise ModelFailed(f"Model {one.model_name} could not be published: look at it in the Qianfan console.")
    if model.phase == "creating":
        return await _patient(record, give_up_after)
    await record.save(one.moved("publishing", _now(), model=model))
    return True


async def deploy_service(record: DeploymentRecord, platform: ModelPlatform, give_up_after: timedelta) -> bool:
    """Whether the service serves. What it costs was agreed to before.

    Raises:
        ModelFailed: it failed, or it takes longer than `patience`.
    """
    one = record.deployment
    if one.stage not in ("publishing", "deploying"):
        return True
    if one.stage == "publishing":
        await record.save(one.moved("deploying", _now()))
        one = record.deployment
    assert one.model is not None
    try:
        if not one.service_id:
            found = await platform.find_service(one.plan.name)
            service_id = (
                found.service_id
                if found
                else await platform.create_service(one.plan, one.model, f"tuning {one.name}, {one.experiment}")
            )
            await record.save(one.moved("deploying", one.since, service_id=service_id))
            one = record.deployment
        service = await platform.describe_service(one.service_id)
    except PlatformUnavailable:
        return await _patient(record, give_up_after)
    if service.phase in ("failed", "stopped"):
        await record.save(one.moved("failed", _now(), reason=f"the service is {service.phase}"))
        raise ModelFailed(f"Service {one.plan.name} {service.phase}: look at it in the Qianfan console, then --retire.")
    if service.phase == "deploying":
        return await _patient(record, give_up_after)
    await record.save(one.moved("serving", _now(), endpoint=service.endpoint))
    return True


async def retire_service(record: DeploymentRecord, platform: ModelPlatform) -> bool:
    """Whether everything that can be given back has been. What was paid in advance can't: it runs out by itself."""
    one = record.deployment
    service_id = one.service_id
    if not service_id and one.stage == "deploying":
        found = await platform.find_service(one.plan.name)
        service_id = found.service_id if found else ""
    reserved = await platform.release_service(service_id) if service_id else 0
    if service_id and not reserved and (await platform.describe_service(service_id)).phase != "stopped":
        return False
    if one.stage != "retired":
        reason = NOT_GIVEN_BACK if reserved else ""
        await record.save(one.moved("retired", _now(), service_id=service_id, reason=reason))
    return True


async def _patient(record: DeploymentRecord, give_up_after: timedelta) -> bool:
    """False while there is still time."""
    one = record.deployment
    waited = _now() - one.since
    if waited < give_up_after:
        return False
    costs = " It is paid for: --retire gives it back." if one.paid_for else ""
    raise ModelFailed(
        f"{one.model_name} has been {one.stage} for {waited.total_seconds() / 3600:.1f} h: look at it in the Qianfan "
        f"console; the same command goes on waiting with a longer --give-up-hours.{costs}"
    )
