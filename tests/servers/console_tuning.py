"""Fine-tuning as the console has it: supported models, jobs, tasks, their progress, metrics and checkpoints."""

import math
from dataclasses import dataclass
from typing import Any, Final

from tests.servers.console_world import Body, Refusal, World, inappropriate, known, page

PUBLISHED: Final = {"BLEU-4": 62.20, "ROUGE-1": 77.20, "ROUGE-2": 64.09, "ROUGE-L": 77.97}
"""Figures that the best of the six experiments reached, per cent."""

_DISTANCES: Final = {"EDIT-DISTANCE": 43.07, "EMBEDDING-DISTANCE": 0.03}

_STANDS_AT = 65
"""The percentage while the split is evaluated, for half of the time and more."""


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
    base_task: str = ""
    base_step: int | None = None


class TuningCalls:
    """`/v2/finetuning`."""

    def __init__(self, world: World, datasets: dict[str, Body]) -> None:
        self._world = world
        self._datasets = datasets
        self.jobs: dict[str, Body] = {}
        self.tasks: dict[str, Task] = {}

    def handlers(self) -> dict[tuple[str, str], Any]:
        """Return the handler of each call."""
        path = "/v2/finetuning"
        return {
            (path, "DescribeFineTuningSupportModels"): self._supported,
            (path, "CreateFineTuningJob"): self._create_job,
            (path, "CreateFineTuningTask"): self._create_task,
            (path, "DescribeFineTuningJobs"): self._list_jobs,
            (path, "DescribeFineTuningTasks"): self._list_tasks,
            (path, "DescribeFineTuningTask"): self._task_detail,
            (path, "StopFineTuningTask"): self._stop_task,
        }

    def status(self, task: Task) -> str:
        """The task's runStatus now."""
        behavior, age = self._world.behavior, self._world.now - task.began
        if task.stopped:
            return "Stopped"
        if age < behavior.queue_seconds:
            return "Waiting"
        if task.fate == "fail" and age >= behavior.queue_seconds + behavior.train_seconds / 2:
            return "Failed"
        if task.fate == "hang" or age < behavior.queue_seconds + behavior.train_seconds:
            return "Running"
        return "Done"

    def _supported(self, _: Body) -> list[Body]:
        """Modes may lack their methods, and hyperparameters their check (the SDK's own reader breaks on both)."""
        if self._world.behavior.poor_fields:
            return SUPPORTED
        return [
            {
                **model,
                "supportTrainMode": [
                    {**mode, "supportParameterScale": [_checked(offered) for offered in mode["supportParameterScale"]]}
                    for mode in model["supportTrainMode"]
                    if "supportParameterScale" in mode
                ],
            }
            for model in SUPPORTED
        ]

    def _create_job(self, body: Body) -> Body:
        name = body["name"]
        if not 2 <= len(name) <= 20:
            raise inappropriate("name")
        if body["model"] not in {model["model"] for model in SUPPORTED}:
            raise inappropriate("model")
        if any(job["name"] == name for job in self.jobs.values()):
            raise Refusal(510201, "task name exist")
        job_id = self._world.new_id("job")
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
        job = known(self.jobs, body["jobId"], "job")
        config, behavior = body["datasetConfig"], self._world.behavior
        split, validated = config.get("splitRatio"), config.get("validationVersions")
        if not validated and (split is None or not 0 <= split <= 20):
            raise inappropriate("splitRatio")
        self._check_dataset(config["sourceType"], config["versions"])
        if validated:
            self._check_dataset(config["validationSourceType"], validated)
        if body.get("incrementTaskId"):
            base = known(self.tasks, body["incrementTaskId"], "task")
            if self.jobs[base.job_id]["model"] != job["model"] or self.status(base) != "Done":
                raise inappropriate("incrementTaskId")
        _check_hyperparameters(job, body["parameterScale"], body["hyperParameterConfig"])
        running = sum(self.status(task) in {"Running", "Waiting"} for task in self.tasks.values())
        if running >= behavior.running_tasks:
            raise Refusal(510402, "job training count over limit")
        task_id = self._world.new_id("task")
        self.tasks[task_id] = Task(
            task_id,
            body["jobId"],
            body["parameterScale"],
            body["hyperParameterConfig"],
            config,
            self._world.now,
            behavior.task_fates.get(str(len(self.tasks) + 1), ""),
            base_task=body.get("incrementTaskId", ""),
            base_step=body.get("incrementCheckpointStep"),
        )
        return {"jobId": body["jobId"], "taskId": task_id}

    def _check_dataset(self, source: str, versions: list[Body]) -> None:
        for version in versions:
            if source == "Bos":
                if not version["versionBosUri"].startswith("bos:/") or version["versionBosUri"].startswith("bos://"):
                    raise inappropriate("versionBosUri")
                continue
            dataset = self._datasets.get(version["versionId"])
            if dataset is None or not dataset["released"]:
                raise Refusal(510102, "dataset config error")
            if dataset["rows"] < self._world.behavior.rows_at_least:
                least = self._world.behavior.rows_at_least
                raise Refusal(510101, f"dataset entity count not enough, at least {least}")

    def _summary(self, task: Task) -> Body:
        job = self.jobs[task.job_id]
        return {
            "taskId": task.task_id,
            "jobId": task.job_id,
            "jobName": job["name"],
            "jobDescription": job["description"],
            "model": job["model"],
            "trainMode": job.get("trainMode", "SFT"),
            "parameterScale": task.scale,
            "runStatus": self.status(task),
            "createDate": "2026-11-23T06:00:00Z",
            "finishDate": "0000-00-00T00:00:00Z",
        }

    def _task_detail(self, body: Body) -> Body:
        """The percentage moves in few steps. The list of checkpoints may be empty, with a link to the curves."""
        self._world.poll()
        task = known(self.tasks, body["taskId"], "task")
        detail = {
            **self._summary(task),
            "hyperParameterConfig": task.hyper,
            "datasetConfig": task.dataset,
            "vdlLink": f"https://console.bce.baidu.com/qianfan/visualdl/index?displayToken={task.task_id}",
        }
        if task.base_task:
            detail["incrementTaskId"] = task.base_task
        if detail["runStatus"] == "Running":
            detail["runProgress"] = f"{self._progress(task)}%"
        if detail["runStatus"] == "Done":
            detail["metrics"] = metrics_of(task.scale, task.hyper)
            listed = self._world.behavior.checkpoint_lists
            detail["checkpointList"] = checkpoints_of(task.scale, task.hyper) if listed else []
        return detail

    def _progress(self, task: Task) -> int:
        behavior = self._world.behavior
        part = (self._world.now - task.began - behavior.queue_seconds) / behavior.train_seconds
        if part < 0.15:
            return 0
        return 25 if part < 0.35 and task.fate != "hang" else _STANDS_AT

    def _list_jobs(self, body: Body) -> Body:
        wanted = [job for job in self.jobs.values() if body.get("model") in (None, job["model"])]
        shown, info = page(self._world.listed(wanted, "jobId"), body, "jobId")
        return {"jobList": shown, "pageInfo": info}

    def _list_tasks(self, body: Body) -> Body:
        known(self.jobs, body["jobId"], "job")
        wanted = [self._summary(task) for task in self.tasks.values() if task.job_id == body["jobId"]]
        shown, info = page(self._world.listed(wanted, "taskId"), body, "taskId")
        return {"taskList": shown, "pageInfo": info}

    def _stop_task(self, body: Body) -> bool:
        task = known(self.tasks, body["taskId"], "task")
        if self.status(task) not in {"Waiting", "Running"}:
            return False
        task.stopped = True
        return True


def quality(scale: str, hyper: Body) -> float:
    """Return the quality of a tuned model, 1 at best: more epochs help, a learning rate off the mark hurts, LoRA is
    behind.
    """
    best = 3e-5 if scale == "FullFineTuning" else 3e-4
    ceiling = 1.0 if scale == "FullFineTuning" else 0.94
    learned = 1 - 0.35 * math.exp(-hyper["epoch"] / 2)
    off = abs(math.log(hyper["learningRate"] / best))
    top = 1 - 0.35 * math.exp(-6 / 2)
    return round(min(1.0, ceiling * learned * (1 - 0.05 * off) / top), 4)


def metrics_of(scale: str, hyper: Body) -> Body:
    """The platform's figures of a finished task: those published for the best, scaled; two are plain numbers."""
    reached = quality(scale, hyper)
    return {name: f"{value * reached:.2f}%" for name, value in PUBLISHED.items()} | {
        name: f"{value / max(reached, 0.01):.2f}" for name, value in _DISTANCES.items()
    }


def checkpoints_of(scale: str, hyper: Body) -> list[Body]:
    """A loss that falls toward what the model's quality allows; one point has none, as the reference allows."""
    floor = 1.6 - 1.3 * quality(scale, hyper)
    points: list[Body] = [{"step": 8}]
    for number in range(1, 4 * hyper["epoch"] + 1):
        loss = floor + 1.8 * math.exp(-number / 4) + 0.02 * math.sin(number * 2.1)
        points.append({"step": 16 * number, "trainingLoss": round(loss, 4), "perplexity": round(math.exp(loss), 4)})
    return points


def _hyperparameter(key: str, kind: str, check: str, allowed: list[Any], default: Any) -> Body:
    return {"key": key, "type": kind, "checkType": check, "checkValue": allowed, "default": default, "name": key}


def _scale(name: str, low: float, high: float, default: float) -> Body:
    return {
        "parameterScale": name,
        "supportHyperParameterConfig": [
            _hyperparameter("epoch", "int", "range", [1, 50], 3),
            _hyperparameter("learningRate", "float", "range", [low, high], default),
            _hyperparameter("maxSeqLen", "int", "choice", [512, 1024, 2048, 4096, 8192], 4096),
            _hyperparameter("earlyStopping", "string", "choice", ["True", "False"], "False"),
            {"key": "seed", "type": "int"},  # without a check, as the reference allows
        ],
    }


def _checked(scale: Body) -> Body:
    limits = [offered for offered in scale["supportHyperParameterConfig"] if "checkValue" in offered]
    return {**scale, "supportHyperParameterConfig": limits}


def _mode(name: str, *scales: Body) -> Body:
    return {"trainMode": name, "supportParameterScale": list(scales)}


_FULL, _LORA = _scale("FullFineTuning", 1e-6, 4e-5, 3e-5), _scale("LoRA", 1e-6, 1e-3, 3e-4)

SUPPORTED: Final[list[Body]] = [
    {
        "baseModel": "ERNIE Speed",
        "model": "ERNIE-Speed-8K",
        "modelType": "text2text",
        # a mode without its methods, as the reference allows
        "supportTrainMode": [_mode("SFT", _FULL, _LORA), {"trainMode": "PostPretrain"}],
    },
    {
        "baseModel": "ERNIE Lite",
        "model": "ERNIE-Lite-8K-0308",
        "modelType": "text2text",
        "supportTrainMode": [
            _mode("SFT", _FULL, _LORA, _scale("LoRA-GA", 1e-6, 1e-3, 3e-4)),
            _mode("DPO", _FULL, _LORA),
            _mode("KTO", _LORA),
        ],
    },
]


def _check_hyperparameters(job: Body, scale: str, hyper: Body) -> None:
    (found,) = [offered for offered in SUPPORTED if offered["model"] == job["model"]]
    modes = [offered for offered in found["supportTrainMode"] if offered["trainMode"] == job["trainMode"]]
    for offered in (method for mode in modes for method in mode.get("supportParameterScale", [])):
        if offered["parameterScale"] != scale:
            continue
        limits = {limit["key"]: limit for limit in offered["supportHyperParameterConfig"]}
        for key, value in hyper.items():
            limit = limits.get(key)
            if limit is None:
                raise inappropriate(key)
            allowed = limit.get("checkValue")
            fits = allowed is None or value in allowed
            if limit.get("checkType") == "range" and allowed:
                fits = allowed[0] <= value <= allowed[-1]
            if not fits:
                raise Refusal(510401, f"train config error: {key}")
        return
    raise inappropriate("parameterScale")
