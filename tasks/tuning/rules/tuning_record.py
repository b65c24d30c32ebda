"""A fine-tuning as it goes: the record that outlives the process, and the steps it may take. Pure; time is told.

Every trial is one experiment: planned -> submitting -> waiting or running -> done, failed or stopped. "Submitting" is
written down before the platform is asked, so that whoever finds it looks on the platform first.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

import orjson

from tasks.domain.errors import UsageError
from tasks.domain.model_platform import Checkpoint, Phase, TaskReport, TrainingData
from tasks.tuning.rules.experiments import Experiment, Matrix, pick_best, score

TrialPhase = Literal["planned", "submitting"] | Phase

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?")

_ENDED = frozenset({"done", "failed", "stopped"})

_ON_PLATFORM = frozenset({"waiting", "running"})


@dataclass(frozen=True, slots=True)
class Trial:
    """One experiment and what became of it. `moved_at` is when it last made progress."""

    experiment: Experiment
    job_name: str
    phase: TrialPhase = "planned"
    job_id: str = ""
    task_id: str = ""
    progress: int = 0
    moved_at: datetime | None = None
    metrics: Mapping[str, float] | None = None
    checkpoints: Sequence[Checkpoint] = ()
    reason: str = ""

    @property
    def ended(self) -> bool:
        """Whether nothing more will come of it."""
        return self.phase in _ENDED

    @property
    def on_platform(self) -> bool:
        """Whether its task waits or runs there."""
        return self.phase in _ON_PLATFORM

    @property
    def score(self) -> float | None:
        """What it is compared by."""
        return score(self.metrics)

    def submitted(self, job_id: str, task_id: str, now: datetime) -> "Trial":
        """With the platform's word that it is there."""
        return replace(self, phase="waiting", job_id=job_id, task_id=task_id, moved_at=now)

    def seen(self, report: TaskReport, now: datetime) -> "Trial":
        """As the platform reports it."""
        moved = report.phase != self.phase or report.progress != self.progress
        return replace(
            self,
            phase=report.phase,
            progress=100 if report.phase == "done" else report.progress,
            moved_at=now if moved else self.moved_at,
            metrics=report.metrics or self.metrics,
            checkpoints=tuple(report.checkpoints) or self.checkpoints,
            reason=report.reason or ("the platform gives no reason" if report.phase == "failed" else ""),
        )

    def hangs(self, now: datetime, timeout: timedelta) -> bool:
        """Whether it has made no progress for too long."""
        return self.on_platform and self.moved_at is not None and now - self.moved_at >= timeout

    def given_up(self, reason: str) -> "Trial":
        """Stopped by us."""
        return replace(self, phase="stopped", reason=reason)


@dataclass(frozen=True, slots=True)
class Tuning:
    """A fine-tuning: its experiments on one base model and one training set."""

    name: str
    base_model: str
    split_ratio: int
    data: TrainingData
    started_at: datetime
    trials: tuple[Trial, ...]

    @property
    def ended(self) -> bool:
        """Whether every trial has."""
        return all(trial.ended for trial in self.trials)

    @property
    def best(self) -> Trial | None:
        """The trial that wins by PICK_RULE, of those that are done."""
        done = [trial for trial in self.trials if trial.phase == "done"]
        number = pick_best([(trial.experiment, trial.metrics, trial.checkpoints) for trial in done])
        return next((trial for trial in done if trial.experiment.number == number), None)

    def with_trial(self, trial: Trial) -> "Tuning":
        """With one trial as it is now."""
        number = trial.experiment.number
        return replace(self, trials=tuple(trial if one.experiment.number == number else one for one in self.trials))

    def line(self) -> str:
        """Where it stands, in one line."""
        parts = [f"{one.experiment.number} {one.phase}{f' {one.progress}%' * one.on_platform}" for one in self.trials]
        return f"{self.name}: {'; '.join(parts)}"

    def encode(self) -> bytes:
        """The record's bytes."""
        return orjson.dumps(asdict(self), option=orjson.OPT_INDENT_2)


def plan_tuning(name: str, matrix: Matrix, data: TrainingData, now: datetime) -> Tuning:
    """A fine-tuning of which nothing is submitted yet."""
    trials = tuple(Trial(one, f"kefu-{check_name(name)}-{one.number}") for one in matrix.experiments)
    return Tuning(name, matrix.base_model, matrix.split_ratio, data, now, trials)


def check_name(name: str) -> str:
    """The name of a tuning, if it can be one: the platform's own names are made of it and are short.

    Raises:
        UsageError: it can't.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(f"--name {name!r}: up to 12 small letters, digits and hyphens, such as 2026-11.")
    return name


def check_same(tuning: Tuning, matrix: Matrix) -> None:
    """Prove that a record is of the experiments that are asked for.

    Raises:
        UsageError: it is of others.
    """
    known = (tuning.base_model, tuning.split_ratio, tuple(trial.experiment for trial in tuning.trials))
    if known != (matrix.base_model, matrix.split_ratio, matrix.experiments):
        raise UsageError(
            f"Tuning {tuning.name!r} was begun with other experiments: give another --name, or the same experiments."
        )


def decode_tuning(data: bytes) -> Tuning:
    """The tuning of a record."""
    values = orjson.loads(data)
    return Tuning(
        name=values["name"],
        base_model=values["base_model"],
        split_ratio=values["split_ratio"],
        data=TrainingData(**values["data"]),
        started_at=datetime.fromisoformat(values["started_at"]),
        trials=tuple(_trial(one) for one in values["trials"]),
    )


def _trial(values: dict[str, Any]) -> Trial:
    moved_at = values["moved_at"]
    return Trial(
        **{
            **values,
            "experiment": Experiment(**values["experiment"]),
            "moved_at": datetime.fromisoformat(moved_at) if moved_at else None,
            "checkpoints": tuple(Checkpoint(**one) for one in values["checkpoints"]),
        }
    )
