"""Records of what was trained, published or deployed elsewhere; later steps treat it as this project's own."""

from dataclasses import replace
from datetime import datetime

from tasks.domain.errors import UsageError
from tasks.domain.model_platform import TaskReport, TrainingData
from tasks.tuning.rules.experiments import Experiment
from tasks.tuning.rules.tuning_record import Trial, Tuning, check_name


def adopted_tuning(name: str, task_id: str, report: TaskReport, now: datetime) -> Tuning:
    """A tuning with one trial, which is done, as the platform describes its task.

    Raises:
        UsageError: the task is not done.
    """
    if report.phase != "done":
        raise UsageError(f"--task {task_id} is {report.phase}: only a finished task can be adopted.")
    values = dict(report.hyperparameters)
    epoch, rate = values.pop("epoch", 0), values.pop("learningRate", 0.0)
    job = report.job
    experiment = Experiment(
        1,
        report.method,
        epoch if isinstance(epoch, int) else 0,
        rate if isinstance(rate, float) else 0.0,
        values,
        job.base_model if job else "",
        (job.mode if job else "") or "SFT",
    )
    source = report.data[0] if report.data else ""
    data = TrainingData(bos_uri=source) if source.startswith("bos://") else TrainingData(dataset_id=source)
    trial = replace(Trial(experiment, job.name if job else "").updated(report, now), task_id=task_id)
    trial = replace(trial, job_id=job.job_id if job else "")
    return Tuning(check_name(name), experiment.base_model, 0, data, now, (trial,))


def unknown_tuning(name: str, what: str, now: datetime) -> Tuning:
    """A tuning of which only the outcome is known: `what` is the id of a model or of a service."""
    trial = Trial(Experiment(1, "", 0, 0.0, mode=""), what, "done")
    return Tuning(check_name(name), "", 0, TrainingData(), now, (trial,))
