"""A fine-tuning as it goes: the record that outlives the process, and the steps it may take. Pure; time is told.

Every trial is one experiment: planned -> submitting -> waiting or running -> done, failed or stopped. "Submitting" is
written down before the platform is asked. `token` marks everything that the tuning creates there as its own.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

import orjson

from tasks.domain.errors import UsageError
from tasks.domain.model_platform import Checkpoint, Phase, TaskReport, TrainingData, TrainingSpec
from tasks.tuning.rules.asked import Asked, decode_asked
from tasks.tuning.rules.experiments import Experiment, Matrix, pick_best, score

TrialPhase = Literal["planned", "submitting"] | Phase

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?")

_ENDED = frozenset({"done", "failed", "stopped"})

_ON_PLATFORM = frozenset({"waiting", "running"})

_STANDSTILL = 4
"""Times as long as it ran before may a task stand still: the platform's own examples reach 2.8 at 65 %."""

_SLOWER = 2
"""Times as long as a finished trial of its kind stood still may a task do so."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One experiment and what became of it.

    `began_at` is when it was submitted, `changed_at` when its phase, progress or checkpoints last changed, and
    `longest_standstill` the longest time, in seconds, that it went without a change while it ran.
    """

    experiment: Experiment
    job_name: str
    phase: TrialPhase = "planned"
    job_id: str = ""
    task_id: str = ""
    progress: int = 0
    began_at: datetime | None = None
    changed_at: datetime | None = None
    longest_standstill: float = 0.0
    metrics: Mapping[str, float] | None = None
    checkpoints: Sequence[Checkpoint] = ()
    curves: str = ""
    reason: str = ""
    asked: Asked | None = None

    @property
    def ended(self) -> bool:
        """Nothing more will come of it."""
        return self.phase in _ENDED

    @property
    def on_platform(self) -> bool:
        """Its task waits or runs there."""
        return self.phase in _ON_PLATFORM

    @property
    def score(self) -> float | None:
        """The figure it is compared by."""
        return score(self.metrics)

    def submitted(self, task_id: str, now: datetime) -> "Trial":
        """The trial once its task has an id."""
        return replace(self, phase="waiting", task_id=task_id, began_at=now, changed_at=now, asked=None)

    def updated(self, report: TaskReport, now: datetime) -> "Trial":
        """The trial as the platform reports it."""
        checkpoints = tuple(report.checkpoints) or self.checkpoints
        changed = (report.phase, report.progress, len(checkpoints)) != (
            self.phase,
            self.progress,
            len(self.checkpoints),
        )
        standstill = self.longest_standstill
        if self.phase == "running" and self.changed_at is not None:
            standstill = max(standstill, (now - self.changed_at).total_seconds())
        return replace(
            self,
            phase=report.phase,
            progress=100 if report.phase == "done" else report.progress,
            changed_at=now if changed else self.changed_at,
            longest_standstill=standstill,
            metrics=report.metrics or self.metrics,
            checkpoints=checkpoints,
            curves=report.curves or self.curves,
            reason=report.reason or ("the platform gives no reason" if report.phase == "failed" else ""),
        )

    def stopped(self, reason: str) -> "Trial":
        """The trial after we stopped it."""
        return replace(self, phase="stopped", reason=reason, asked=None)


@dataclass(frozen=True, slots=True)
class Tuning:
    """A fine-tuning: its experiments and their training set."""

    name: str
    base_model: str
    split_ratio: int
    data: TrainingData
    started_at: datetime
    trials: tuple[Trial, ...]
    token: str = ""
    validation: str = ""

    @property
    def ended(self) -> bool:
        """Every trial has ended."""
        return all(trial.ended for trial in self.trials)

    @property
    def best(self) -> Trial | None:
        """The trial that wins by PICK_RULE, of those that are done."""
        done = [trial for trial in self.trials if trial.phase == "done"]
        number = pick_best([(trial.experiment, trial.metrics, trial.checkpoints) for trial in done])
        return next((trial for trial in done if trial.experiment.number == number), None)

    def spec_of(self, experiment: Experiment) -> TrainingSpec:
        """The training of one of its experiments."""
        return TrainingSpec(
            experiment.method,
            experiment.hyperparameters,
            self.data,
            self.split_ratio,
            self.validation,
            experiment.base_task,
            experiment.base_step,
        )

    def with_trial(self, trial: Trial) -> "Tuning":
        """The tuning with one trial as it is now."""
        number = trial.experiment.number
        return replace(self, trials=tuple(trial if old.experiment.number == number else old for old in self.trials))

    def is_stalled(self, trial: Trial, now: datetime, give_up_after: timedelta) -> bool:
        """Return true where a task hangs, by the time that its kind takes.

        It hangs when nothing changed (phase, percentage, checkpoints) for `give_up_after`, and for longer than its
        kind stands still: twice the longest standstill of a finished trial of the same base model, mode and method, by
        the epoch; where none has finished, four times as long as it ran before. One that waits in the queue costs
        nothing: it may do so for four times `give_up_after`.
        """
        if not trial.on_platform or trial.changed_at is None or trial.began_at is None:
            return False
        stood = now - trial.changed_at
        if trial.phase == "waiting":
            return stood >= _STANDSTILL * give_up_after
        usual = self._usual_standstill(trial)
        if usual is None:
            usual = _STANDSTILL * (trial.changed_at - trial.began_at)
        return stood >= max(give_up_after, usual)

    def _usual_standstill(self, trial: Trial) -> timedelta | None:
        kind, epochs = _kind(trial.experiment), trial.experiment.epoch
        seen = [
            trial.longest_standstill * max(1.0, epochs / trial.experiment.epoch)
            for trial in self.trials
            if trial.phase == "done" and _kind(trial.experiment) == kind
        ]
        return timedelta(seconds=_SLOWER * max(seen)) if seen else None

    def line(self) -> str:
        """The trials' phases, in one line."""
        parts = [
            f"{trial.experiment.number} {trial.phase}{f' {trial.progress}%' * trial.on_platform}"
            for trial in self.trials
        ]
        return f"{self.name}: {'; '.join(parts)}"

    def encode(self) -> bytes:
        """Return the record's bytes."""
        return orjson.dumps(asdict(self), option=orjson.OPT_INDENT_2)


def _kind(experiment: Experiment) -> tuple[str, str, str]:
    return experiment.base_model, experiment.mode, experiment.method


def plan_tuning(name: str, matrix: Matrix, data: TrainingData, now: datetime, token: str) -> Tuning:
    """A fine-tuning of which nothing is submitted yet."""
    trials = tuple(
        Trial(experiment, f"kefu-{check_name(name)}-{experiment.number}") for experiment in matrix.experiments
    )
    return Tuning(name, matrix.base_model, matrix.split_ratio, data, now, trials, token, matrix.validation)


def check_name(name: str) -> str:
    """The name of a tuning, if it can be one: the platform's own names are made of it and are short.

    Raises:
        UsageError: it can't.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(f"--name {name!r}: up to 12 small letters, digits and hyphens, such as 2026-11.")
    return name


def check_same(tuning: Tuning, matrix: Matrix) -> None:
    """Check that a record is of the experiments that are asked for.

    Raises:
        UsageError: it is of others.
    """
    known = Matrix(
        tuning.base_model, tuning.split_ratio, tuple(trial.experiment for trial in tuning.trials), tuning.validation
    )
    if known != matrix:
        raise UsageError(
            f"Tuning {tuning.name!r} was begun with other experiments: give another --name, or the same experiments."
        )


def decode_tuning(data: bytes) -> Tuning:
    """The tuning of a record."""
    values = orjson.loads(data)
    return Tuning(
        **{
            **values,
            "data": TrainingData(**values["data"]),
            "started_at": datetime.fromisoformat(values["started_at"]),
            "trials": tuple(_trial(trial) for trial in values["trials"]),
        }
    )


def _trial(values: dict[str, Any]) -> Trial:
    times = {
        name: datetime.fromisoformat(values[name]) if values[name] else None for name in ("began_at", "changed_at")
    }
    return Trial(
        **{
            **values,
            **times,
            "experiment": Experiment(**values["experiment"]),
            "checkpoints": tuple(Checkpoint(**checkpoint) for checkpoint in values["checkpoints"]),
            "asked": decode_asked(values["asked"]),
        }
    )
