"""Qianfan's console API on loopback, as the SDK calls it: datasets, fine-tuning, models, services, charges,
prompt optimization.

Names, limits and error codes are those of Baidu's API reference, where the SDK does not know them. Signatures are
checked. Time is the server's own: every look at something unfinished moves it on by
`seconds_per_poll`, and `advance` by as much as a test likes, so that hours pass in a blink and nothing depends on the
machine. `python -m tests.servers.console` serves and prints its address; `GET /_state` tells what there is,
`POST /_control` changes any Behavior, `POST /_break` breaks the next call of an action.
"""

import argparse
import asyncio
import hashlib
import math
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Final

import orjson
from aiohttp import web

from tests.servers.bce_auth import verify
from tests.servers.qianfan import ACCESS_KEY, SECRET_KEY, V1_PREFIX, answer_for
from tests.servers.threaded import ThreadedServer

Body = dict[str, Any]

PUBLISHED: Final = {"BLEU-4": 62.20, "ROUGE-1": 77.20, "ROUGE-2": 64.09, "ROUGE-L": 77.97}
"""What the best of the six experiments reached, per cent."""

FAULTS = (
    "http_500",
    "html_502",
    "text_502",  # JSON, but no object
    "overloaded",  # error 336100
    "reset_before",  # nothing was done
    "reset_after",  # it was done, the reply is lost
    "broken_json",  # it was done, the reply is garbage
    "no_result",  # it was done, the reply is JSON that says nothing
)


@dataclass
class Behavior:
    """Everything that can be changed at run time. Times are in the server's own seconds."""

    seconds_per_poll: float = 60.0
    queue_seconds: float = 60.0
    train_seconds: float = 600.0
    publish_seconds: float = 120.0
    deploy_seconds: float = 180.0
    release_seconds: float = 60.0
    optimize_seconds: float = 60.0
    running_tasks: int = 6  # more at once are refused with 510402
    rows_at_least: int = 1  # smaller datasets are refused with 510101
    task_fates: dict[str, str] = field(default_factory=dict)  # number of the task, from 1 -> fail, hang
    publish_fate: str = ""  # fail, hang
    service_fate: str = ""  # fail, hang


@dataclass
class Task:
    """One fine-tuning task of a job."""

    task_id: str
    job_id: str
    scale: str
    hyper: Body
    dataset: Body
    began: float
    fate: str = ""
    stopped: bool = False


@dataclass
class Version:
    """One published model version."""

    model_id: str
    set_id: str
    task_id: str
    began: float
    fate: str = ""


@dataclass
class Service:
    """One service, its compute units included."""

    service_id: str
    name: str
    set_id: str
    model_id: str
    endpoint: str
    description: str
    resource: Body
    billing: Body
    began: float
    fate: str = ""
    units: list[Body] = field(default_factory=list)
    released: float | None = None


class Refusal(Exception):
    """What the platform does not do: an old-style error number, or a code of the V2 interface."""

    def __init__(self, code: int | str, message: str) -> None:
        super().__init__(message)
        self.code = code


class ConsoleServer(ThreadedServer):
    """The server in its own thread: `with ConsoleServer(train_seconds=300) as console: console.url`.

    Args:
        port: 0 for any.
        chat_url: where services that are deployed can be called.
        behavior: any Behavior.
    """

    def __init__(self, port: int = 0, chat_url: str = "https://aip.invalid", **behavior: Any) -> None:
        super().__init__(port)
        self.behavior = Behavior(**behavior)
        self.chat_url = chat_url
        self.now = 0.0
        self.answer: Callable[[float, str], str] = lambda _quality, prompt: answer_for(prompt, "clean")
        self.calls: Counter[str] = Counter()
        self.jobs: dict[str, Body] = {}
        self.tasks: dict[str, Task] = {}
        self.sets: dict[str, Body] = {}
        self.versions: dict[str, Version] = {}
        self.services: dict[str, Service] = {}
        self.datasets: dict[str, Body] = {}
        self.optimizations: dict[str, Body] = {}
        self.optimize: Callable[[str], str] = _optimized
        self.slow_seconds = 0.0  # before every answer
        self._broken: list[tuple[str, str]] = []
        self._serial = 0
        self._lock = threading.RLock()

    # What tests do

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        with self._lock:
            self.now += seconds

    def break_next(self, action: str, fault: str) -> None:
        """Answer the next call of an action with a fault; several are answered in their order."""
        assert fault in FAULTS
        with self._lock:
            self._broken.append((action, fault))

    def add_dataset(self, rows: int, *, released: bool = True) -> str:
        """A dataset as people make them in the console; its version's id."""
        with self._lock:
            version_id = self._id("ds")
            self.datasets[version_id] = {"rows": rows, "released": released, "name": f"dataset {version_id}"}
            return version_id

    def remove_service(self, name: str) -> None:
        """Unsubscribe and delete a service as people do in the console."""
        with self._lock:
            for service in self.services.values():
                if service.name == name:
                    service.released = self.now - self.behavior.release_seconds

    def quality_of(self, endpoint: str) -> float | None:
        """How good the model behind an endpoint is, 1 at best; None where nothing serves there."""
        with self._lock:
            for service in self.services.values():
                if service.endpoint == endpoint and self._service_status(service) == "Serving":
                    task = self.tasks[self.versions[service.model_id].task_id]
                    return quality(task.scale, task.hyper)
        return None

    def answers(self, endpoint: str, prompt: str) -> str | None:
        """What a deployed service answers, for a QianfanServer to give; None where nothing serves there."""
        found = self.quality_of(endpoint)
        return None if found is None else self.answer(found, prompt)

    def state(self) -> Body:
        """Everything there is, for a test in another process."""
        with self._lock:
            return {
                "now": self.now,
                "calls": dict(self.calls),
                "jobs": self.jobs,
                "tasks": {key: {**asdict(task), "status": self._task_status(task)} for key, task in self.tasks.items()},
                "sets": self.sets,
                "versions": {key: asdict(version) for key, version in self.versions.items()},
                "services": {
                    key: {**asdict(one), "units": self._units(one), "status": self._service_status(one)}
                    for key, one in self.services.items()
                },
            }

    # The wire

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        raw = await request.read()
        if request.path.startswith("/_"):
            return self._inspect(request.path, raw)
        if request.path.startswith(("/v2/chat/", "/v2/embeddings")):
            return await self._forward(request, raw, self.chat_url)
        action = request.query.get("Action") or request.path.removeprefix("/wenxinworkshop/")
        await asyncio.sleep(self.slow_seconds)
        with self._lock:
            self.calls[action] += 1
            url = request.rel_url
            error = verify(request.method, url.raw_path, url.raw_query_string, request.headers, ACCESS_KEY, SECRET_KEY)
            if error:
                return _reply({"requestId": "r-1", "code": "SignatureDoesNotMatch", "message": error}, 403)
            fault = self._next_fault(action)
            if fault in {"http_500", "html_502", "text_502", "overloaded", "reset_before"}:
                return _fail(request, fault)
            reply = self._answer(request.path, action, raw)
            return _fail(request, fault) if fault else reply

    def _inspect(self, path: str, raw: bytes) -> web.Response:
        if path == "/_state":
            return _reply(self.state())
        if path == "/_advance":
            self.advance(orjson.loads(raw)["seconds"])
            return _reply({})
        if path == "/_break":
            given = orjson.loads(raw)
            self.break_next(given["action"], given["fault"])
            return _reply({})
        if path == "/_control":
            changes = orjson.loads(raw)
            unknown = changes.keys() - {item.name for item in fields(Behavior)}
            if unknown:
                return _reply({"unknown": sorted(unknown)}, 400)
            for name, value in changes.items():
                setattr(self.behavior, name, value)
            return _reply({})
        return _reply({}, 404)

    def _next_fault(self, action: str) -> str:
        for number, (broken, fault) in enumerate(self._broken):
            if broken == action:
                del self._broken[number]
                return fault
        return ""

    def _answer(self, path: str, action: str, raw: bytes) -> web.Response:
        handler = self._handlers().get((path, action))
        try:
            if handler is None:
                raise Refusal("NoSuchAction", f"{path} has no action {action}")
            body = orjson.loads(raw) if raw else {}
            if any(name in body for name in ("ak", "sk", "access_key", "secret_key")):
                raise Refusal("SecretInBody", "a key was sent in the clear")
            result = handler(body)
        except orjson.JSONDecodeError:
            return _reply({"requestId": "r-1", "code": "MalformedJSON", "message": "not JSON"}, 400)
        except KeyError as error:
            return _reply({"requestId": "r-1", "code": "InappropriateJSON", "message": f"param[{error}] invalid"}, 400)
        except Refusal as refusal:
            if isinstance(refusal.code, int):
                return _reply({"log_id": "1", "error_code": refusal.code, "error_msg": str(refusal)})
            return _reply({"requestId": "r-1", "code": refusal.code, "message": str(refusal)}, 400)
        if path.startswith("/v2/"):
            return _reply({"requestId": "r-1", "result": result})
        return _reply({"log_id": "1", "result": result, "status": 200, "success": True})

    def _handlers(self) -> dict[tuple[str, str], Callable[[Body], Any]]:
        tuning, model, service, units = (
            f"/v2/{name}" for name in ("finetuning", "model", "service", "serviceresources")
        )
        old = {
            "modelrepo/publishTrainModel": self._publish,
            "modelrepo/modelVersionDetail": self._version_detail,
            "service/apply": self._apply_service,
            "service/list": lambda _: {"common": [], "custom": []},
            "dataset/info": self._dataset_info,
            "dataset/release": self._release_dataset,
            "prompt/singleOptimize/create": self._create_optimization,
            "prompt/singleOptimize/info": self._optimization,
        }
        return {
            (tuning, "DescribeFineTuningSupportModels"): lambda _: SUPPORTED,
            (tuning, "CreateFineTuningJob"): self._create_job,
            (tuning, "CreateFineTuningTask"): self._create_task,
            (tuning, "DescribeFineTuningJobs"): self._list_jobs,
            (tuning, "DescribeFineTuningTasks"): self._list_tasks,
            (tuning, "DescribeFineTuningTask"): self._task_detail,
            (tuning, "StopFineTuningTask"): self._stop_task,
            (model, "DescribeCustomModelSets"): self._list_sets,
            (model, "DescribeModelSet"): self._set_detail,
            (model, "DescribeModel"): self._model_detail,
            (service, "CreateService"): self._create_service,
            (service, "DescribeServices"): self._list_services,
            (service, "DescribeService"): self._service_detail,
            (units, "DescribeComputeUnits"): self._list_units,
            (units, "ReleaseComputeUnit"): self._release_unit,
            **{(f"/wenxinworkshop/{path}", path): handler for path, handler in old.items()},
        }

    def _id(self, prefix: str) -> str:
        self._serial += 1
        return f"{prefix}-{hashlib.blake2b(str(self._serial).encode(), digest_size=6).hexdigest()}"

    def _poll(self) -> None:
        self.now += self.behavior.seconds_per_poll

    # Fine-tuning

    def _create_job(self, body: Body) -> Body:
        name = body["name"]
        if not 2 <= len(name) <= 20:
            raise Refusal("InappropriateJSON", "param[name] invalid")
        if body["model"] not in {model["model"] for model in SUPPORTED}:
            raise Refusal("InappropriateJSON", "param[model] invalid")
        if any(job["name"] == name for job in self.jobs.values()):
            raise Refusal(510201, "task name exist")
        job_id = self._id("job")
        self.jobs[job_id] = {
            "jobId": job_id,
            "name": name,
            "description": body.get("description", ""),
            "model": body["model"],
            "trainMode": body["trainMode"],
            "createDate": "2026-11-23T06:00:00Z",
        }
        return {"jobId": job_id}

    def _create_task(self, body: Body) -> Body:
        job = self._known(self.jobs, body["jobId"], "job")
        split = body["datasetConfig"].get("splitRatio")
        if split is None or not 0 <= split <= 20:
            raise Refusal("InappropriateJSON", "param[splitRatio] invalid")
        self._check_dataset(body["datasetConfig"])
        _check_hyperparameters(job["model"], body["parameterScale"], body["hyperParameterConfig"])
        running = sum(self._task_status(task) in {"Running", "Waiting"} for task in self.tasks.values())
        if running >= self.behavior.running_tasks:
            raise Refusal(510402, "job training count over limit")
        task_id = self._id("task")
        self.tasks[task_id] = Task(
            task_id,
            body["jobId"],
            body["parameterScale"],
            body["hyperParameterConfig"],
            body["datasetConfig"],
            self.now,
            self.behavior.task_fates.get(str(len(self.tasks) + 1), ""),
        )
        return {"jobId": body["jobId"], "taskId": task_id}

    def _check_dataset(self, config: Body) -> None:
        for version in config["versions"]:
            if config["sourceType"] == "Bos":
                if not version["versionBosUri"].startswith("bos:/") or version["versionBosUri"].startswith("bos://"):
                    raise Refusal("InappropriateJSON", "param[versionBosUri] invalid")
                continue
            dataset = self.datasets.get(version["versionId"])
            if dataset is None or not dataset["released"]:
                raise Refusal(510102, "dataset config error")
            if dataset["rows"] < self.behavior.rows_at_least:
                raise Refusal(510101, f"dataset entity count not enough, at least {self.behavior.rows_at_least}")

    def _task_status(self, task: Task) -> str:
        if task.stopped:
            return "Stopped"
        age = self.now - task.began
        if age < self.behavior.queue_seconds:
            return "Waiting"
        if task.fate == "fail" and age >= self.behavior.queue_seconds + self.behavior.train_seconds / 2:
            return "Failed"
        if task.fate == "hang" or age < self.behavior.queue_seconds + self.behavior.train_seconds:
            return "Running"
        return "Done"

    def _task_summary(self, task: Task) -> Body:
        job = self.jobs[task.job_id]
        return {
            "taskId": task.task_id,
            "jobId": task.job_id,
            "jobName": job["name"],
            "jobDescription": job["description"],
            "model": job["model"],
            "trainMode": job["trainMode"],
            "parameterScale": task.scale,
            "runStatus": self._task_status(task),
            "createDate": "2026-11-23T06:00:00Z",
            "finishDate": "0000-00-00T00:00:00Z",
        }

    def _task_detail(self, body: Body) -> Body:
        self._poll()
        task = self._known(self.tasks, body["taskId"], "task")
        detail = {
            **self._task_summary(task),
            "hyperParameterConfig": task.hyper,
            "datasetConfig": task.dataset,
            "vdlLink": f"https://console.bce.baidu.com/qianfan/visualdl/index?displayToken={task.task_id}",
        }
        if detail["runStatus"] == "Running":
            part = (self.now - task.began - self.behavior.queue_seconds) / self.behavior.train_seconds
            detail["runProgress"] = f"{40 if task.fate == 'hang' else min(99, int(100 * part))}%"
        if detail["runStatus"] == "Done":
            detail["metrics"] = metrics_of(task.scale, task.hyper)
            detail["checkpointList"] = checkpoints_of(task.scale, task.hyper)
        return detail

    def _list_jobs(self, body: Body) -> Body:
        wanted = [job for job in self.jobs.values() if body.get("model") in (None, job["model"])]
        page, info = _page(wanted, body, "jobId")
        return {"jobList": page, "pageInfo": info}

    def _list_tasks(self, body: Body) -> Body:
        self._known(self.jobs, body["jobId"], "job")
        wanted = [self._task_summary(task) for task in self.tasks.values() if task.job_id == body["jobId"]]
        page, info = _page(wanted, body, "taskId")
        return {"taskList": page, "pageInfo": info}

    def _stop_task(self, body: Body) -> bool:
        task = self._known(self.tasks, body["taskId"], "task")
        if self._task_status(task) not in {"Waiting", "Running"}:
            return False
        task.stopped = True
        return True

    # Models

    def _publish(self, body: Body) -> Body:
        meta, name = body["versionMeta"], body.get("modelName", "")
        task = self.tasks.get(meta["iterationId"])
        if task is None or task.job_id != meta["taskId"] or self._task_status(task) != "Done":
            raise Refusal(500001, "param invalid")
        if body["isNewModel"]:
            if any(one["modelSetName"] == name for one in self.sets.values()):
                raise Refusal(70101, "AI模型名称已存在")
            set_id = self._id("am")
            self.sets[set_id] = {"modelSetId": set_id, "modelSetName": name, "modelIds": []}
        else:
            set_id = body["modelId"]
        model_id = self._id("amv")
        self.versions[model_id] = Version(model_id, set_id, task.task_id, self.now, self.behavior.publish_fate)
        self._known(self.sets, set_id, "model")["modelIds"].append(model_id)
        return {"modelIDStr": set_id, "modelId": 1, "version": "1", "versionId": 1, "versionIdStr": model_id}

    def _version_state(self, version: Version) -> str:
        if version.fate == "hang" or self.now - version.began < self.behavior.publish_seconds:
            return "Creating"
        return "Fail" if version.fate == "fail" else "Ready"

    def _version_detail(self, body: Body) -> Body:
        self._poll()
        version = self._known(self.versions, body["modelVersionId"], "model version")
        task = self.tasks[version.task_id]
        train = {"taskId": 1, "taskIdStr": task.job_id, "runId": 1, "runIdStr": task.task_id}
        return {
            "modelIdStr": version.set_id,
            "modelVersionIdStr": version.model_id,
            "modelName": self.sets[version.set_id]["modelSetName"],
            "version": "1",
            "sourceType": "Train",
            "sourceExtra": {"trainSourceExtra": train, "sourceType": "Train"},
            "state": self._version_state(version),
            "ioMode": "chat",
        }

    def _model_detail(self, body: Body) -> Body:
        self._poll()
        version = self._known(self.versions, body["modelId"], "model version")
        return {
            "modelSetId": version.set_id,
            "modelId": version.model_id,
            "state": self._version_state(version),
            "sourceInfo": {"trainTaskId": version.task_id},
        }

    def _list_sets(self, body: Body) -> Body:
        page, info = _page(list(self.sets.values()), body, "modelSetId")
        return {"customModelSetList": page, "pageInfo": info}

    def _set_detail(self, body: Body) -> Body:
        for found in self.sets.values():
            if body.get("modelSetId") == found["modelSetId"] or body.get("modelSetName") == found["modelSetName"]:
                return {**found, "source": "UserCreate", "modelType": "Text2Text"}
        raise Refusal("NotFound", "no such model set")

    # Services

    def _create_service(self, body: Body) -> Body:
        return self._deploy(
            body["modelSetId"],
            body["modelId"],
            body["name"],
            body["urlSuffix"],
            body.get("description", ""),
            body["resourceConfig"],
            body["billing"],
        )

    def _apply_service(self, body: Body) -> Body:
        if body["poolType"] not in (1, 2):
            raise Refusal(500001, "param invalid")
        made = self._deploy(
            body["modelId"],
            body["modelVersionId"],
            body["name"],
            body["uri"],
            body.get("description", ""),
            {"type": "public", "replicasCount": body["replicas"]},
            {"paymentTiming": "Postpaid"},
        )
        return {"result": True, "serviceId": len(self.services), "serviceIdStr": made["serviceId"]}

    def _deploy(
        self, set_id: str, model_id: str, name: str, suffix: str, description: str, resource: Body, billing: Body
    ) -> Body:
        if not 2 <= len(name) <= 20:
            raise Refusal("InappropriateJSON", "param[name] invalid")
        if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,18}[a-z0-9]", suffix):
            raise Refusal("InappropriateJSON", "param[urlSuffix] invalid")
        if any(one.name == name and one.released is None for one in self.services.values()):
            raise Refusal("ServiceNameExist", "service name exist")
        version = self._known(self.versions, model_id, "model version")
        if version.set_id != set_id or self._version_state(version) != "Ready":
            raise Refusal("ModelNotReady", "model is not ready")
        service_id, instance_id = self._id("svco"), self._id("unit")
        unit = {
            "instanceId": instance_id,
            "paymentTiming": billing["paymentTiming"],
            "replicasCount": resource["replicasCount"],
        }
        self.services[service_id] = Service(
            service_id,
            name,
            set_id,
            model_id,
            f"{service_id[-8:]}_{suffix}",
            description,
            resource,
            billing,
            self.now,
            self.behavior.service_fate,
            [unit],
        )
        return {"serviceId": service_id, "instanceId": instance_id}

    def _service_status(self, service: Service) -> str:
        if service.released is not None:
            return "Stopped" if self.now - service.released >= self.behavior.release_seconds else "Serving"
        if self._expired(service):
            return "Stopped"
        if service.fate == "hang" or self.now - service.began < self.behavior.deploy_seconds:
            return "Deploying"
        return "Failed" if service.fate == "fail" else "Serving"

    def _service_summary(self, service: Service) -> Body:
        return {
            "serviceId": service.service_id,
            "modelSetId": service.set_id,
            "modelId": service.model_id,
            "name": service.name,
            "description": service.description,
            "url": f"{self.chat_url}{V1_PREFIX}{service.endpoint}",
            "serviceType": "chat",
            "runStatus": self._service_status(service),
            "chargeStatus": "Released" if service.released is not None else "Charging",
            "resourceConfig": service.resource,
            "createTime": "2026-11-23T06:00:00Z",
        }

    def _list_services(self, body: Body) -> Body:
        wanted = [self._service_summary(one) for one in self.services.values() if body.get("name", "") in one.name]
        page, info = _page(wanted, body, "serviceId")
        return {"serviceList": page, "pageInfo": info}

    def _service_detail(self, body: Body) -> Body:
        self._poll()
        return self._service_summary(self._known(self.services, body["serviceId"], "service"))

    def _expired(self, service: Service) -> bool:
        """Whether what was paid in advance has run out."""
        reserved = service.billing.get("reservation")
        return reserved is not None and self.now - service.began >= reserved["reservationLength"] * 3600

    def _units(self, service: Service) -> list[Body]:
        gone = service.released is not None or self._expired(service)
        return [{**unit, "status": "Deleted" if gone else "Running"} for unit in service.units]

    def _list_units(self, body: Body) -> Body:
        return {"instances": self._units(self._known(self.services, body["serviceId"], "service"))}

    def _release_unit(self, body: Body) -> bool:
        service = self._known(self.services, body["serviceId"], "service")
        unit = next((one for one in self._units(service) if one["instanceId"] == body["instanceId"]), None)
        if unit is None or unit["status"] == "Deleted":
            raise Refusal("NotFound", "no such instance")
        if unit["paymentTiming"] != "Postpaid":
            raise Refusal("InappropriateJSON", "only what is paid by use can be released")
        service.released = self.now
        return True

    # Datasets

    def _dataset_info(self, body: Body) -> Body:
        self._poll()
        dataset = self._known(self.datasets, body["datasetId"], "dataset")
        return {
            "groupPK": "dg-1",
            "name": dataset["name"],
            "dataType": 4,
            "versionInfo": {
                "datasetId": 1,
                "datasetPK": body["datasetId"],
                "versionId": 1,
                "importStatus": 2,
                "releaseStatus": 2 if dataset["released"] else 0,
                "dataType": 4,
                "projectType": 20,
                "templateType": 2000,
                "entityCount": dataset["rows"],
                "annotatedEntityCount": dataset["rows"],
                "storageType": "sysBos",
                "storage": {
                    "storageId": "easydata",
                    "storageName": "easydata",
                    "storagePath": f"/easydata/_system_/dataset/{body['datasetId']}/texts",
                    "rawStoragePath": "",
                    "region": "bj",
                },
                "createTime": "2026-11-23 06:00:00",
                "modifyTime": "2026-11-23 06:00:00",
            },
        }

    def _release_dataset(self, body: Body) -> bool:
        self._known(self.datasets, body["datasetId"], "dataset")["released"] = True
        return True

    # Prompts

    def _create_optimization(self, body: Body) -> Body:
        task_id = self._id("task")
        self.optimizations[task_id] = {"content": body["content"], "operations": body["operations"], "began": self.now}
        return {"id": task_id}

    def _optimization(self, body: Body) -> Body:
        self._poll()
        task = self._known(self.optimizations, body["id"], "task")
        done = self.now - task["began"] >= self.behavior.optimize_seconds
        return {
            "id": body["id"],
            "content": task["content"],
            "operations": task["operations"],
            "optimizeContent": self.optimize(task["content"]) if done else "",
            "processStatus": 2 if done else 1,
        }

    def _known(self, things: dict[str, Any], key: str, kind: str) -> Any:
        if key not in things:
            raise Refusal("NotFound", f"no such {kind}: {key}")
        return things[key]


def quality(scale: str, hyper: Body) -> float:
    """How good a model becomes, 1 at best: more epochs help, a learning rate off the mark hurts, LoRA is behind."""
    best = 3e-5 if scale == "FullFineTuning" else 3e-4
    ceiling = 1.0 if scale == "FullFineTuning" else 0.94
    learned = 1 - 0.35 * math.exp(-hyper["epoch"] / 2)
    off = abs(math.log(hyper["learningRate"] / best))
    top = 1 - 0.35 * math.exp(-6 / 2)
    return round(min(1.0, ceiling * learned * (1 - 0.05 * off) / top), 4)


def metrics_of(scale: str, hyper: Body) -> Body:
    """The platform's figures of a finished task: those published for the best experiment, scaled."""
    return _per_cent({name: value * quality(scale, hyper) for name, value in PUBLISHED.items()})


def _per_cent(figures: dict[str, float]) -> Body:
    return {name: f"{value:.2f}%" for name, value in figures.items()}


def checkpoints_of(scale: str, hyper: Body) -> list[Body]:
    """A loss that falls toward what the model's quality allows."""
    floor = 1.6 - 1.3 * quality(scale, hyper)
    points = []
    for number in range(1, 4 * hyper["epoch"] + 1):
        loss = floor + 1.8 * math.exp(-number / 4) + 0.02 * math.sin(number * 2.1)
        points.append({"step": 16 * number, "trainingLoss": round(loss, 4), "perplexity": round(math.exp(loss), 4)})
    return points


def _hyperparameter(key: str, kind: str, check: str, allowed: list[Any], default: Any) -> Body:
    return {
        "key": key,
        "type": kind,
        "checkType": check,
        "checkValue": allowed,
        "default": default,
        "name": key,
        "description": key,
    }


def _scale(name: str, low: float, high: float, default: float) -> Body:
    return {
        "parameterScale": name,
        "supportHyperParameterConfig": [
            _hyperparameter("epoch", "int", "range", [1, 50], 3),
            _hyperparameter("learningRate", "float", "range", [low, high], default),
            _hyperparameter("maxSeqLen", "int", "choice", [512, 1024, 2048, 4096, 8192], 4096),
        ],
    }


SUPPORTED: Final[list[Body]] = [
    {
        "baseModel": "ERNIE Speed",
        "model": "ERNIE-Speed-8K",
        "modelType": "text2text",
        "supportTrainMode": [
            {
                "trainMode": "SFT",
                "supportParameterScale": [
                    _scale("FullFineTuning", 1e-6, 4e-5, 3e-5),
                    _scale("LoRA", 1e-6, 1e-3, 3e-4),
                ],
            }
        ],
    }
]


def _check_hyperparameters(model: str, scale: str, hyper: Body) -> None:
    (found,) = [one for one in SUPPORTED if one["model"] == model]
    for one in found["supportTrainMode"][0]["supportParameterScale"]:
        if one["parameterScale"] != scale:
            continue
        limits = {limit["key"]: limit for limit in one["supportHyperParameterConfig"]}
        for key, value in hyper.items():
            limit = limits.get(key)
            if limit is None:
                raise Refusal("InappropriateJSON", f"param[{key}] invalid")
            low, high = limit["checkValue"][0], limit["checkValue"][-1]
            if not (low <= value <= high if limit["checkType"] == "range" else value in limit["checkValue"]):
                raise Refusal(510401, f"train config error: {key}")
        return
    raise Refusal("InappropriateJSON", "param[parameterScale] invalid")


def _optimized(content: str) -> str:
    return f"请完成下面的对话摘要任务，并用要点说明每一项。\n{content}"


def _page(items: Iterable[Body], body: Body, key: str) -> tuple[list[Body], Body]:
    """A page, newest first, as the real lists come."""
    ordered = list(items)[::-1]
    size = min(int(body.get("maxKeys", 10)), 100)
    start = next((number for number, one in enumerate(ordered) if one[key] == body.get("marker")), 0)
    page, rest = ordered[start : start + size], ordered[start + size :]
    info = {"marker": body.get("marker", ""), "maxKeys": size, "isTruncated": bool(rest)}
    return page, {**info, "nextMarker": rest[0][key]} if rest else info


def _reply(body: Body, status: int = 200) -> web.Response:
    return web.Response(body=orjson.dumps(body), status=status, content_type="application/json")


def _fail(request: web.BaseRequest, fault: str) -> web.Response:
    if fault == "http_500":
        return web.Response(status=500, text="oops")
    if fault in {"html_502", "text_502"}:
        page = "<html><h1>502 Bad Gateway</h1></html>" if fault == "html_502" else '"Bad Gateway"'
        return web.Response(status=502, text=page)
    if fault == "overloaded":
        return _reply({"log_id": "1", "error_code": 336100, "error_msg": "server is overloaded"})
    if fault == "broken_json":
        return web.Response(text='{"requestId": "r-1", "resu', content_type="application/json")
    if fault == "no_result":
        return _reply({"requestId": "r-1", "result": {}})
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--behavior", default="{}", help="JSON of Behavior's fields")
    options = parser.parse_args()
    with ConsoleServer(options.port, **orjson.loads(options.behavior)) as server:
        print(server.url, flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
