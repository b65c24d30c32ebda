"""Qianfan's console: training, publishing and serving models. The SDK knows what to ask, `ConsoleApi` asks it."""

import asyncio
from collections.abc import Mapping
from typing import Any, Literal

from qianfan.resources.console.consts import DeployPoolType, TrainDatasetSourceType, TrainParameterScale
from qianfan.resources.console.data import Data
from qianfan.resources.console.finetune import FineTune
from qianfan.resources.console.model import Model
from qianfan.resources.console.prompt import Prompt
from qianfan.resources.console.service import Service
from qianfan.resources.console.utils import call_action

from tasks.clients.qianfan_console import ConsoleApi, platform_uri
from tasks.clients.qianfan_credentials import QianfanCredentials
from tasks.domain.errors import ModelFailed, PlatformUnavailable
from tasks.domain.model_platform import (
    Checkpoint,
    Limit,
    Method,
    ModelReport,
    Phase,
    ServicePlan,
    ServiceReport,
    TaskReport,
    TrainingData,
)

_SCALES: Mapping[Method, str] = {
    "LoRA": TrainParameterScale.LoRA.value,
    "full": TrainParameterScale.FullFineTuning.value,
}

_TASK_PHASES: Mapping[str, Phase] = {
    "": "waiting",
    "Waiting": "waiting",
    "Running": "running",
    "Done": "done",
    "Failed": "failed",
    "Stopped": "stopped",
}

_MODEL_PHASES: Mapping[str, Literal["creating", "ready", "failed"]] = {"Ready": "ready", "Fail": "failed"}

_SERVICE_PHASES: Mapping[str, Literal["deploying", "serving", "failed", "stopped"]] = {
    "Serving": "serving",
    "Done": "serving",
    "Failed": "failed",
    "Stopped": "stopped",
}

_RELEASED = 2  # a dataset's release is finished

_RELEASE_FAILED = 3

_OPTIMIZED, _NOT_OPTIMIZED = 2, 3

_LOOKS = 200

_UNITS = "/v2/serviceresources"  # the SDK's Charge still asks at /v2/charge, which goes by other actions

_GIVEN_BACK = frozenset({"Deleted", "Releasing", "Released"})

_TRAINING_LOG = "see its log, https://console.bce.baidu.com/qianfan/train/sft/{job}/{task}/detail/traininglog"


class QianfanConsole:
    """The model platform of an account.

    Args:
        credentials: a key pair; the console takes no bearer token.
        url: the console API's address.
        timeout_seconds: for one call.
        attempts: of a call that only looks.
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

    async def limits(self, base_model: str) -> dict[Method, dict[str, Limit]]:
        """The hyperparameters that a base model can be tuned by."""
        found: dict[Method, dict[str, Limit]] = {}
        for model in await self._api.look(FineTune.V2.supported_models):
            modes = model.get("supportTrainMode", []) if model.get("model") == base_model else []
            for mode in modes:
                if mode.get("trainMode") != "SFT":
                    continue
                for scale in mode["supportParameterScale"]:
                    for method, name in _SCALES.items():
                        if scale["parameterScale"] == name:
                            found[method] = {one["key"]: _limit(one) for one in scale["supportHyperParameterConfig"]}
        return found

    async def dataset_rows(self, dataset_id: str) -> int:
        """How many rows a dataset has; released for training if it was not yet.

        Raises:
            ModelFailed: it can't be released.
        """
        asked = False
        for look in range(_LOOKS):
            version = (await self._api.look(Data.get_dataset_info, dataset_id))["versionInfo"]
            if version.get("releaseStatus") == _RELEASED:
                return int(version.get("entityCount") or 0)
            if asked and version.get("releaseStatus") == _RELEASE_FAILED:
                break
            if not asked:
                await self._api.look(Data.release_dataset, dataset_id)
                asked = True
            await asyncio.sleep(min(self._retry_seconds * look, 30))
        raise ModelFailed(f"Dataset {dataset_id} can't be released for training: look at it in the Qianfan console.")

    async def find_job(self, name: str) -> str | None:
        """The id of the job of that name."""
        async for job in self._api.pages(FineTune.V2.job_list):
            if job["name"] == name:
                return str(job["jobId"])
        return None

    async def create_job(self, name: str, base_model: str, description: str) -> str:
        """A new job; returns its id."""
        made = await self._api.send(FineTune.V2.create_job, name, base_model, "SFT", description=description)
        return str(made["jobId"])

    async def find_task(self, job_id: str) -> str | None:
        """The id of the job's task."""
        async for task in self._api.pages(FineTune.V2.task_list, job_id):
            return str(task["taskId"])
        return None

    async def create_task(
        self, job_id: str, method: Method, hyperparameters: Mapping[str, object], data: TrainingData, split_ratio: int
    ) -> str:
        """Start the job's training and return its task's id."""
        made = await self._api.send(
            FineTune.V2.create_task,
            job_id,
            _SCALES[method],
            dict(hyperparameters),
            {**_dataset_config(data), "splitRatio": split_ratio},
        )
        return str(made["taskId"])

    async def describe_task(self, task_id: str) -> TaskReport:
        """How a task stands."""
        found = await self._api.look(FineTune.V2.task_detail, task_id)
        metrics = found.get("metrics") or {}
        phase = _TASK_PHASES.get(found.get("runStatus", ""), "running")
        return TaskReport(
            phase=phase,
            progress=int(str(found.get("runProgress") or "0").rstrip("%") or 0),
            metrics={name: _number(value) for name, value in metrics.items()} or None,
            checkpoints=[_checkpoint(one) for one in found.get("checkpointList") or []],
            # The platform gives no reason here; its log does.
            reason=_TRAINING_LOG.format(job=found.get("jobId", ""), task=task_id) if phase == "failed" else "",
        )

    async def stop_task(self, task_id: str) -> None:
        """Stop a task; no error when it has ended."""
        await self._api.look(FineTune.V2.stop_task, task_id)

    # Models

    async def find_model(self, name: str) -> ModelReport | None:
        """The model of that name; its phase is not looked at."""
        async for model in self._api.pages(Model.V2.describe_custom_model_sets):
            if model["modelSetName"] == name:
                set_id = str(model["modelSetId"])
                versions = (await self._api.look(Model.V2.describe_model_set, model_set_id=set_id))["modelIds"]
                if versions:
                    first = versions[0]
                    return ModelReport(set_id, str(first["modelId"] if isinstance(first, dict) else first))
        return None

    async def publish_model(self, name: str, job_id: str, task_id: str) -> ModelReport:
        """Make a model of what a task trained."""
        # This older call names a job "task" and a task "iteration".
        made = await self._api.send(Model.publish, True, {"taskId": job_id, "iterationId": task_id}, model_name=name)
        return ModelReport(str(made["modelIDStr"]), str(made["versionIdStr"]))

    async def describe_model(self, model_id: str) -> ModelReport:
        """How a model stands."""
        found = await self._api.look(Model.detail, model_id)
        return ModelReport(str(found["modelIdStr"]), model_id, _MODEL_PHASES.get(found["state"], "creating"))

    # Services

    async def find_service(self, name: str) -> ServiceReport | None:
        """The service of that name, but for those that were released."""
        async for service in self._api.pages(Service.V2.service_list, name=name):
            report = _service(service)
            if service["name"] == name and report.phase != "stopped" and service.get("chargeStatus") != "Released":
                return report
        return None

    async def create_service(self, plan: ServicePlan, model: ModelReport, description: str) -> str:
        """Deploy a model and return its service's id. This costs money."""
        if plan.pool == "private":
            made = await self._api.send(
                Service.V2.create_service,
                model.set_id,
                model.model_id,
                plan.name,
                plan.endpoint,
                {"type": plan.resource, "replicasCount": plan.replicas},
                {
                    "paymentTiming": "Prepaid",
                    "reservation": {"reservationTimeUnit": "Hour", "reservationLength": plan.hours},
                },
                description,
            )
            return str(made["serviceId"])
        await self._api.send(
            Service.create,
            model.set_id,
            model.model_id,
            plan.name,
            plan.endpoint,
            plan.replicas,
            DeployPoolType.PublicResource,
            description,
        )
        # This older call answers with a number that the newer ones don't know.
        found = await self.find_service(plan.name)
        if found is None:
            raise PlatformUnavailable(f"Service {plan.name} was asked for and is not listed yet; try again.")
        return found.service_id

    async def describe_service(self, service_id: str) -> ServiceReport:
        """How a service stands."""
        return _service(await self._api.look(Service.V2.service_detail, service_id))

    async def release_service(self, service_id: str) -> int:
        """Give back every compute unit that is paid by use; return how many are left, which were paid in advance."""
        asked = {"serviceId": service_id}
        units = (await self._api.look(call_action, _UNITS, "DescribeComputeUnits", asked))["instances"] or []
        held = [unit for unit in units if unit.get("status") not in _GIVEN_BACK]
        by_use = [unit for unit in held if unit.get("paymentTiming") != "Prepaid"]
        for unit in by_use:
            released = {**asked, "instanceId": unit["instanceId"]}
            await self._api.look(call_action, _UNITS, "ReleaseComputeUnit", released)
        return len(held) - len(by_use)

    # Prompts

    async def optimize_prompt(self, template: str) -> str:
        """The platform's own improvement of a prompt.

        Raises:
            ModelFailed: the platform could not.
        """
        operations = [{"opType": kind, "payload": value} for kind, value in ((1, 1), (2, 0), (3, 1), (4, 0))]
        task_id = (await self._api.send(Prompt.create_optimiztion_task, template, operations))["id"]
        for _ in range(_LOOKS):
            found = await self._api.look(Prompt.get_optimization_task, task_id)
            if found["processStatus"] == _OPTIMIZED:
                return str(found["optimizeContent"])
            if found["processStatus"] == _NOT_OPTIMIZED:
                break
            await asyncio.sleep(self._retry_seconds)
        raise ModelFailed("The platform could not optimize the prompt; try again, or write it by hand.")

    async def aclose(self) -> None:
        """Close the connections."""
        await self._api.aclose()


def _limit(one: Mapping[str, Any]) -> Limit:
    return Limit("range" if one["checkType"] == "range" else "choice", tuple(one["checkValue"]))


def _number(value: object) -> float:
    return float(str(value).rstrip("%"))


def _checkpoint(one: Mapping[str, Any]) -> Checkpoint:
    perplexity = one.get("perplexity")
    return Checkpoint(int(one["step"]), float(one["trainingLoss"]), None if perplexity is None else float(perplexity))


def _dataset_config(data: TrainingData) -> dict[str, Any]:
    if data.dataset_id:
        return {"sourceType": TrainDatasetSourceType.Platform.value, "versions": [{"versionId": data.dataset_id}]}
    return {
        "sourceType": TrainDatasetSourceType.PrivateBos.value,
        "versions": [{"versionBosUri": platform_uri(data.bos_uri)}],
    }


def _service(found: Mapping[str, Any]) -> ServiceReport:
    return ServiceReport(
        service_id=str(found["serviceId"]),
        phase=_SERVICE_PHASES.get(found.get("runStatus", ""), "deploying"),
        endpoint=str(found.get("url") or "").rpartition("/")[2],
    )
