"""Qianfan's console: training, publishing and serving models. The SDK builds most requests, `ConsoleApi` sends them."""

import asyncio
from collections.abc import Mapping
from typing import Any

from qianfan.resources.console.consts import EntityListingType, TrainDatasetSourceType
from qianfan.resources.console.data import Data
from qianfan.resources.console.finetune import FineTune
from qianfan.resources.console.model import Model
from qianfan.resources.console.prompt import Prompt
from qianfan.resources.console.service import Service
from qianfan.resources.console.utils import call_action

from tasks.clients.qianfan.console import ConsoleApi, platform_uri
from tasks.clients.qianfan.credentials import QianfanCredentials
from tasks.clients.qianfan.replies import (
    METHODS,
    held_units,
    job_of,
    model_report,
    modes_of,
    service_report,
    task_report,
)
from tasks.domain.errors import ModelFailed
from tasks.domain.model_platform import (
    ComputeUnit,
    Job,
    ModelReport,
    ModelSet,
    ServicePlan,
    ServiceReport,
    TaskReport,
    TrainingData,
    TrainingSpec,
    Tunable,
)

_RELEASED = 2  # a dataset's release is finished

_RELEASE_FAILED = 3

_OPTIMIZED, _NOT_OPTIMIZED = 2, 3

_POLLS = 200

_ROWS_A_PAGE = 30  # of a dataset, the platform's own limit

_SERVICES, _UNITS = "/v2/service", "/v2/serviceresources"  # the SDK's Charge still asks at /v2/charge

_V2 = 2


class QianfanConsole:
    """The model platform of an account.

    Args:
        credentials: a key pair; the console takes no bearer token.
        url: the console API's address.
        timeout_seconds: for one call.
        attempts: of a call that only reads.
        retry_seconds: before the second attempt; doubled before each further one.

    Raises:
        UsageError: there is no key pair.
    """

    def __init__(
        self,
        credentials: QianfanCredentials,
        url: str = "https://qianfan.baidubce.com",
        *,
        timeout_seconds: float = 60.0,
        attempts: int = 5,
        retry_seconds: float = 1.0,
    ) -> None:
        self._api = ConsoleApi(
            credentials, url, timeout_seconds=timeout_seconds, attempts=attempts, retry_seconds=retry_seconds
        )
        self._retry_seconds = retry_seconds

    # Training

    async def tunable(self) -> Tunable:
        """List what can be tuned, and within which limits."""
        found = await self._api.read(FineTune.V2.supported_models)
        return {str(model["model"]): modes_of(model) for model in found}

    async def dataset_rows(self, dataset_id: str) -> int:
        """Return how many rows a dataset has; release it for training if it was not yet.

        Raises:
            ModelFailed: it can't be released.
        """
        asked = False
        for poll in range(_POLLS):
            version = (await self._api.read(Data.get_dataset_info, dataset_id))["versionInfo"]
            if version.get("releaseStatus") == _RELEASED:
                return int(version.get("entityCount") or 0)
            if asked and version.get("releaseStatus") == _RELEASE_FAILED:
                break
            if not asked:
                await self._api.read(Data.release_dataset, dataset_id)
                asked = True
            await asyncio.sleep(min(self._retry_seconds * poll, 30))
        raise ModelFailed(f"Dataset {dataset_id} can't be released for training: check it in the Qianfan console.")

    async def dataset_entities(self, dataset_id: str) -> list[bytes]:
        """Return the rows of a dataset, each as SFT JSON."""
        found: list[bytes] = []
        while True:
            page = await self._api.read(
                Data.list_all_entity_in_dataset,
                dataset_id,
                offset=len(found),
                page_size=_ROWS_A_PAGE,
                listing_type=EntityListingType.All,
            )
            items = page["items"] or []
            found += await asyncio.gather(*(self._api.download(str(item["url"])) for item in items))
            if not items or len(found) >= int(page.get("total") or 0):
                return found

    async def find_job(self, name: str) -> Job | None:
        """Return the job of that name."""
        async for job in self._api.pages(FineTune.V2.job_list):
            if job["name"] == name:
                return job_of(job)
        return None

    async def create_job(self, name: str, base_model: str, mode: str, description: str) -> str:
        """Create a job and return its id."""
        made = await self._api.send(FineTune.V2.create_job, name, base_model, mode, description=description)
        return str(made["jobId"])

    async def find_task(self, job_id: str) -> str | None:
        """Return the id of the job's first task."""
        task_id = None
        async for task in self._api.pages(FineTune.V2.task_list, job_id):
            task_id = str(task["taskId"])
        return task_id

    async def create_task(self, job_id: str, spec: TrainingSpec) -> str:
        """Start the job's training and return its task's id. This costs money."""
        made = await self._api.send(
            FineTune.V2.create_task,
            job_id,
            METHODS.get(spec.method, spec.method),
            dict(spec.hyperparameters),
            _dataset_config(spec),
            increment_task_id=spec.base_task or None,
            increment_checkpoint_step=spec.base_step,
        )
        return str(made["taskId"])

    async def describe_task(self, task_id: str) -> TaskReport:
        """Report how a task stands."""
        return task_report(await self._api.read(FineTune.V2.task_detail, task_id), task_id)

    async def stop_task(self, task_id: str) -> None:
        """Stop a task; no error when it has ended."""
        await self._api.read(FineTune.V2.stop_task, task_id)

    # Models

    async def find_model_set(self, name: str) -> ModelSet | None:
        """Return the model set of that name with its versions."""
        async for model in self._api.pages(Model.V2.describe_custom_model_sets):
            if model["modelSetName"] == name:
                set_id = str(model["modelSetId"])
                found = await self._api.read(Model.V2.describe_model_set, model_set_id=set_id)
                # A list of ids; an older reference has objects.
                versions = [
                    str(version["modelId"] if isinstance(version, dict) else version)
                    for version in found.get("modelIds") or []
                ]
                return ModelSet(set_id, versions)
        return None

    async def create_model_set(self, name: str) -> str:
        """Create an empty model set and return its id."""
        made = await self._api.send(Model.V2.create_custom_model_set, name, "Text2Text")
        return str(made["modelSetId"])

    async def create_model(self, set_id: str, task_id: str, step: int | None, description: str) -> str:
        """Publish what a task trained, or one of its checkpoints, as a version of the set; return the version's id."""
        meta = {"taskId": task_id} | ({} if step is None else {"checkpointStep": step})
        made = await self._api.send(
            Model.V2.create_custom_model, set_id, "Train", description=description, train_meta=meta
        )
        return str(made["modelId"])

    async def describe_model(self, model_id: str) -> ModelReport:
        """Report how a model version stands."""
        return model_report(await self._api.read(Model.V2.describe_model, model_id), model_id)

    # Services

    async def find_services(self, name: str) -> list[ServiceReport]:
        """Return the services of exactly that name which serve or may come to serve."""
        # Without the protocol only services of V1 are listed; a filter by name matches parts of it.
        found = [
            service_report(service)
            async for service in self._api.pages(Service.V2.service_list, name=name, protocolVersion=_V2)
            if service["name"] == name
        ]
        return [service for service in found if service.phase != "stopped"]

    async def create_service(self, plan: ServicePlan, model: ModelReport, description: str) -> str:
        """Deploy a model and return its service's id. This costs money."""
        made = await self._api.send(
            call_action,
            _SERVICES,
            "CreateService",
            {
                "modelSetId": model.set_id,
                "modelId": model.model_id,
                "name": plan.name,
                "urlSuffix": plan.endpoint,
                "description": description,
                "protocolVersion": _V2,
                **_paid_by(plan),
            },
        )
        return str(made["serviceId"])

    async def describe_service(self, service_id: str) -> ServiceReport:
        """Report how a service stands."""
        return service_report(await self._api.read(Service.V2.service_detail, service_id))

    async def deactivate_service(self, service_id: str) -> None:
        """Take a service offline; no error when it is. Its units go on costing money."""
        await self._api.read(call_action, _SERVICES, "DeactivateService", {"serviceId": service_id})

    async def compute_units(self, service_id: str) -> list[ComputeUnit]:
        """Return the compute units that a service still holds."""
        found = await self._api.read(call_action, _UNITS, "DescribeComputeUnits", {"serviceId": service_id})
        return held_units(found["instances"] or [])

    async def release_unit(self, service_id: str, instance_id: str) -> None:
        """Give back a compute unit that is paid by use."""
        asked = {"serviceId": service_id, "instanceId": instance_id}
        await self._api.read(call_action, _UNITS, "ReleaseComputeUnit", asked)

    # Prompts

    async def optimize_prompt(self, template: str) -> str:
        """Let the platform improve a prompt.

        Raises:
            ModelFailed: the platform could not.
        """
        operations = [{"opType": kind, "payload": value} for kind, value in ((1, 1), (2, 0), (3, 1), (4, 0))]
        task_id = (await self._api.send(Prompt.create_optimiztion_task, template, operations))["id"]
        for _ in range(_POLLS):
            found = await self._api.read(Prompt.get_optimization_task, task_id)
            if found["processStatus"] == _OPTIMIZED:
                return str(found["optimizeContent"])
            if found["processStatus"] == _NOT_OPTIMIZED:
                break
            await asyncio.sleep(self._retry_seconds)
        raise ModelFailed("The platform could not optimize the prompt; try again, or write it by hand.")

    async def aclose(self) -> None:
        """Close the connections."""
        await self._api.aclose()


def _dataset_config(spec: TrainingSpec) -> dict[str, Any]:
    config = {**_versions(spec.data, "sourceType", "versions"), "splitRatio": spec.split_ratio}
    if spec.validation:
        # One or the other: rows of a validation set, or a part of the training set.
        del config["splitRatio"]
        config |= _versions(data_at(spec.validation), "validationSourceType", "validationVersions")
    return config


def data_at(source: str) -> TrainingData:
    """The data at a dataset's id or an object's address."""
    return TrainingData(bos_uri=source) if source.startswith("bos://") else TrainingData(dataset_id=source)


def _versions(data: TrainingData, kind: str, versions: str) -> dict[str, Any]:
    if data.dataset_id:
        return {kind: TrainDatasetSourceType.Platform.value, versions: [{"versionId": data.dataset_id}]}
    return {
        kind: TrainDatasetSourceType.PrivateBos.value,
        versions: [{"versionBosUri": platform_uri(data.bos_uri)}],
    }


def _paid_by(plan: ServicePlan) -> Mapping[str, Any]:
    if plan.payment == "bought":
        share, rest = divmod(plan.replicas, len(plan.units))
        units = [
            {"instanceId": unit, "deploymentReplicasCount": share + (number < rest)}
            for number, unit in enumerate(plan.units)
        ]
        return {"deploymentConfig": {"replicasCount": plan.replicas, "deploymentComputeUnitList": units}}
    if plan.payment == "token":
        return {"billing": {"paymentTiming": "Postpaid", "chargeType": "Tokens"}}
    resource = {"resourceConfig": {"type": plan.resource, "replicasCount": plan.replicas}}
    if plan.payment == "unit":
        return {**resource, "billing": {"paymentTiming": "Postpaid", "chargeType": "ComputingUnit"}}
    billing: dict[str, Any] = {
        "paymentTiming": "Prepaid",
        "reservation": {"reservationTimeUnit": "Month", "reservationLength": plan.months},
    }
    if plan.renewed:
        billing["autoRenew"] = True
    return {**resource, "billing": billing}
