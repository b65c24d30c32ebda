"""The console's replies as the domain's values. Fields are optional as in the reference."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Literal

from tasks.domain.model_platform import (
    Checkpoint,
    ComputeUnit,
    Job,
    Limit,
    ModelReport,
    Phase,
    ServicePhase,
    ServiceReport,
    TaskReport,
)

METHODS: Mapping[str, str] = {"full": "FullFineTuning"}
"""Our name of a method -> the platform's, where the two differ."""

_OUR_METHODS = {theirs: ours for ours, theirs in METHODS.items()}

_TASK_PHASES: Mapping[str, Phase] = {
    "": "waiting",
    "Waiting": "waiting",
    "Running": "running",
    "Done": "done",
    "Failed": "failed",
    "Fail": "failed",
    "Stopped": "stopped",
}

# The reference says Fail, what the platform printed says Failed.
_MODEL_PHASES: Mapping[str, Literal["creating", "ready", "failed"]] = {
    "Ready": "ready",
    "Fail": "failed",
    "Failed": "failed",
}

_SERVICE_PHASES: Mapping[str, ServicePhase] = {
    "New": "new",
    "Serving": "serving",
    "Done": "serving",
    "Failed": "failed",
    "Stopped": "stopped",
}

_TRAINING_LOG = "see its log, https://console.bce.baidu.com/qianfan/train/sft/{job}/{task}/detail/traininglog"

_GIVEN_BACK = frozenset({"Deleted", "Releasing", "Released", "3"})  # 3 is Deleted in the older reference

_EXPIRES = ("expireTime", "endTime", "expiredTime")  # the reference's pages do not agree on one


def our_method(name: str) -> str:
    """The method by our name."""
    return _OUR_METHODS.get(name, name)


def number_of(value: object) -> float | None:
    """The number of "62.20%", "0.03" or 43.07; None for what is none."""
    found = re.fullmatch(r"(-?\d+(?:\.\d+)?(?:[eE]-?\d+)?)\s*%?", str(value).strip())
    return float(found[1]) if found else None


def modes_of(model: Mapping[str, Any]) -> dict[str, dict[str, dict[str, Limit]]]:
    """The modes, methods and limits of a supported base model. A method may be listed twice, in parts."""
    modes: dict[str, dict[str, dict[str, Limit]]] = {}
    for mode in model.get("supportTrainMode") or []:
        methods = modes.setdefault(str(mode["trainMode"]), {})
        for scale in mode.get("supportParameterScale") or []:
            limits = methods.setdefault(our_method(str(scale["parameterScale"])), {})
            limits |= {
                str(parameter["key"]): _limit(parameter) for parameter in scale.get("supportHyperParameterConfig") or []
            }
    return modes


def job_of(found: Mapping[str, Any]) -> Job:
    """A job of a listing."""
    return Job(
        str(found["jobId"]),
        str(found["name"]),
        str(found.get("description") or ""),
        str(found.get("model") or ""),
        str(found.get("trainMode") or ""),
    )


def task_report(found: Mapping[str, Any], task_id: str) -> TaskReport:
    """A task's detail."""
    phase = _TASK_PHASES.get(str(found.get("runStatus") or ""), "running")
    figures = {name: number_of(value) for name, value in (found.get("metrics") or {}).items()}
    metrics = {name: value for name, value in figures.items() if value is not None}
    job = Job(
        str(found.get("jobId") or ""),
        str(found.get("jobName") or ""),
        str(found.get("jobDescription") or ""),
        str(found.get("model") or ""),
        str(found.get("trainMode") or ""),
    )
    return TaskReport(
        phase=phase,
        progress=int(number_of(found.get("runProgress")) or 0),
        metrics=metrics or None,
        checkpoints=_checkpoints(found.get("checkpointList") or []),
        # The platform gives no reason here; its log does.
        reason=_TRAINING_LOG.format(job=job.job_id, task=task_id) if phase == "failed" else "",
        curves=str(found.get("vdlLink") or ""),
        job=job,
        method=our_method(str(found.get("parameterScale") or "")),
        hyperparameters=dict(found.get("hyperParameterConfig") or {}),
        data=_sources((found.get("datasetConfig") or {}).get("versions") or []),
    )


def model_report(found: Mapping[str, Any], model_id: str) -> ModelReport:
    """A model version's detail: `status` by today's interface, `state` by the one before."""
    status = str(found.get("status") or found.get("state") or "")
    return ModelReport(str(found["modelSetId"]), model_id, _MODEL_PHASES.get(status, "creating"), _task_named(found))


def service_report(found: Mapping[str, Any]) -> ServiceReport:
    """A service of a listing, or its detail."""
    url = str(found.get("url") or "")
    return ServiceReport(
        service_id=str(found["serviceId"]),
        phase=_SERVICE_PHASES.get(str(found.get("runStatus") or ""), "deploying"),
        endpoint=str(found.get("endpoint") or ""),
        name=str(found.get("name") or ""),
        description=str(found.get("description") or ""),
        protocol=int(found.get("protocolVersion") or (1 if "/rpc/" in url else 2)),
        set_id=str(found.get("modelSetId") or ""),
        model_id=str(found.get("modelVersionId") or found.get("modelId") or ""),  # a version, by its older name first
        charge=str(found.get("chargeStatus") or ""),
    )


def held_units(instances: Iterable[Mapping[str, Any]]) -> list[ComputeUnit]:
    """The units that are not given back yet."""
    return [
        ComputeUnit(
            str(instance["instanceId"]),
            instance.get("paymentTiming") == "Prepaid",
            next((time_of(instance[name]) for name in _EXPIRES if instance.get(name)), None),
        )
        for instance in instances
        if str(instance.get("status") or "") not in _GIVEN_BACK
    ]


def time_of(text: object) -> datetime | None:
    """A time of the platform's; without a zone it is UTC. None for what is none, or year 0."""
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _limit(parameter: Mapping[str, Any]) -> Limit:
    values = tuple(parameter.get("checkValue") or ())
    if not values:
        return Limit("any")
    return Limit("range" if parameter.get("checkType") == "range" else "choice", values)


def _checkpoints(listed: Iterable[Mapping[str, Any]]) -> list[Checkpoint]:
    return [
        Checkpoint(int(step), number_of(item.get("trainingLoss")), number_of(item.get("perplexity")))
        for item in listed
        if (step := number_of(item.get("step"))) is not None
    ]


def _sources(versions: Iterable[Mapping[str, Any]]) -> list[str]:
    return [
        str(version.get("versionId") or "") or str(version.get("versionBosUri") or "").replace("bos:/", "bos://", 1)
        for version in versions
    ]


def _task_named(found: object) -> str:
    """The id of a training task, wherever the reply names it: the reference leaves the place open."""
    if isinstance(found, Mapping):
        for name in ("taskIdStr", "taskId", "runIdStr"):
            if str(found.get(name) or "").startswith("task-"):
                return str(found[name])
        found = list(found.values())
    if isinstance(found, list):
        return next((task for item in found if (task := _task_named(item))), "")
    return ""
