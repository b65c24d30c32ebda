"""The experiments of a fine-tuning as data, what the platform allows, and which one wins.

A file of experiments is TOML: `base_model`, `mode` ("SFT", "DPO", "KTO", …; by default SFT), `split_ratio` (per cent
that the platform holds out to evaluate on) or `validation` (a dataset ds-… or bos://… instead), and an
`[[experiment]]` each with `method` ("LoRA", "LoRA-GA", "full", …), `epoch`, `learning_rate` and, where wanted,
`base_model` and `mode` of its own, `base_task` and `base_step` (a finished task, and one of its checkpoints, to go on
from), and any other hyperparameter by the platform's own name (`maxSeqLen = 4096`, `earlyStopping = "True"`).
Without a file the six of `experiments.toml` are run.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from tasks.domain.errors import UsageError
from tasks.domain.model_platform import Checkpoint, Limit, Tunable
from tasks.domain.toml_text import parse_toml

_SHIPPED = Path(__file__).parents[1] / "experiments.toml"

_HIGHEST_SPLIT_RATIO = 20  # the platform's own limit

_SCORED = ("BLEU-4", "ROUGE-1", "ROUGE-2", "ROUGE-L")

_OWN_NAMES = frozenset({"method", "epoch", "learning_rate", "base_model", "mode", "base_task", "base_step"})

PICK_RULE = (
    "BLEU-4、ROUGE-1、ROUGE-2、ROUGE-L 的均值最高；均值相同（到 0.01）时取末尾 loss 较低的，再取 epoch 较少的"
    " · the highest mean of the four, then the lower last loss, then fewer epochs"
)
"""The rule by which the best experiment is picked, for reports; means are equal to 0.01."""


@dataclass(frozen=True, slots=True)
class Experiment:
    """One way to tune a base model. `others` are further hyperparameters, by the platform's names.

    `base_task` is a finished task that it goes on from, at checkpoint `base_step`.
    """

    number: int
    method: str
    epoch: int
    learning_rate: float
    others: Mapping[str, object] = field(default_factory=dict)
    base_model: str = ""
    mode: str = "SFT"
    base_task: str = ""
    base_step: int | None = None

    @property
    def hyperparameters(self) -> dict[str, object]:
        """All of them, by the platform's names."""
        return {"epoch": self.epoch, "learningRate": self.learning_rate, **self.others}

    def describe(self) -> str:
        """The experiment in one line, with exact values."""
        values = ", ".join(f"{name} {exact(value)}" for name, value in self.hyperparameters.items())
        base = f", on {self.base_task}{'' if self.base_step is None else f' step {self.base_step}'}" * bool(
            self.base_task
        )
        return f"{self.mode} {self.method}, {values}{base}"


@dataclass(frozen=True, slots=True)
class Matrix:
    """The experiments of a tuning. `base_model` is that of most of them; `validation` a set of its own, or empty."""

    base_model: str
    split_ratio: int
    experiments: tuple[Experiment, ...]
    validation: str = ""


def exact(value: object) -> str:
    """A hyperparameter without loss: 2.5e-4 stays 2.5e-4."""
    if not isinstance(value, float):
        return str(value)
    mantissa, mark, exponent = repr(value).partition("e")
    if not mark and 0 < abs(value) < 0.01:
        mantissa, mark, exponent = f"{value:.16e}".partition("e")
        for digits in range(17):  # the fewest digits that give the same number
            short = f"{value:.{digits}e}"
            if float(short) == value:
                mantissa, mark, exponent = short.partition("e")
                break
    return f"{mantissa}{mark}{int(exponent)}" if mark else mantissa


def load_matrix(path: Path | None = None) -> Matrix:
    """The experiments of a file, or the shipped ones.

    Raises:
        UsageError: the file can't be read, or lacks something.
    """
    path = path or _SHIPPED
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"--experiments {path} can't be read: {error.strerror}.") from None
    except UnicodeDecodeError as error:
        raise UsageError(f"--experiments {path} is no TOML file: {error}.") from None
    content = parse_toml(text, f"--experiments {path}")
    base_model, split_ratio = content.get("base_model"), content.get("split_ratio", 20)
    mode, validation, rows = content.get("mode", "SFT"), content.get("validation", ""), content.get("experiment")
    if not isinstance(base_model, str) or not base_model:
        raise UsageError(f'{path}: name the model to tune, as base_model = "ERNIE-Speed-8K".')
    if type(split_ratio) is not int or not 0 < split_ratio <= _HIGHEST_SPLIT_RATIO:
        raise UsageError(f"{path}: split_ratio is per cent, from 1 to {_HIGHEST_SPLIT_RATIO}, not {split_ratio!r}.")
    if not isinstance(validation, str) or (validation and not validation.startswith(("ds-", "bos://"))):
        raise UsageError(f"{path}: validation is a dataset's id (ds-…) or an object (bos://…), not {validation!r}.")
    if not isinstance(rows, list) or not rows:
        raise UsageError(f"{path}: there is no [[experiment]].")
    defaults = {"base_model": base_model, "mode": mode}
    experiments = tuple(_experiment(n, {**defaults, **row}, path) for n, row in enumerate(rows, 1))
    return Matrix(base_model, split_ratio, experiments, validation)


def _experiment(number: int, row: dict[str, Any], path: Path) -> Experiment:
    epoch, rate, step = row.get("epoch"), row.get("learning_rate"), row.get("base_step")
    where = f"{path}, experiment {number}"
    for name in ("method", "base_model", "mode", "base_task"):
        if not isinstance(row.get(name, ""), str) or not (row.get(name) or name == "base_task"):
            raise UsageError(f'{where}: {name} is a text such as "LoRA" or "full", not {row.get(name)!r}.')
    if type(epoch) is not int or epoch < 1:
        raise UsageError(f"{where}: epoch is a whole number from 1, not {epoch!r}.")
    if not isinstance(rate, float) or not 0 < rate < 1:
        raise UsageError(f"{where}: learning_rate is a number such as 3e-5, not {rate!r}.")
    if step is not None and (type(step) is not int or not row.get("base_task")):
        raise UsageError(f"{where}: base_step is a checkpoint's step of base_task, not {step!r}.")
    others = {name: value for name, value in row.items() if name not in _OWN_NAMES}
    return Experiment(
        number, row["method"], epoch, rate, others, row["base_model"], row["mode"], row.get("base_task", ""), step
    )


def check_limits(matrix: Matrix, tunable: Tunable) -> None:
    """Check every experiment against the platform's own list, before anything is submitted.

    Raises:
        UsageError: everything that the platform would refuse, with what it takes.
    """
    wrong = [
        f"experiment {experiment.number}: {complaint}"
        for experiment in matrix.experiments
        for complaint in _complaints(experiment, tunable)
    ]
    if wrong:
        raise UsageError(f"The platform does not take these: {'; '.join(wrong)}.")


def _complaints(experiment: Experiment, tunable: Tunable) -> Iterator[str]:
    modes = tunable.get(experiment.base_model)
    if modes is None:
        yield f"it can't tune {experiment.base_model}, but {_listed(tunable)}"
        return
    methods = modes.get(experiment.mode)
    if methods is None:
        yield f"it can't tune {experiment.base_model} by {experiment.mode}, but by {_listed(modes)}"
        return
    allowed = methods.get(experiment.method)
    if allowed is None:
        kind = f"{experiment.base_model} and {experiment.mode}"
        yield f"there is no method {experiment.method} for {kind}, but {_listed(methods)}"
        return
    for name, value in experiment.hyperparameters.items():
        limit = allowed.get(name)
        if limit is None:
            yield f"there is no {name} for {experiment.method}, but {_listed(allowed)}"
        elif not _fits(value, limit):
            bounds = " to " if limit.kind == "range" else ", "
            yield f"{name} {exact(value)} ({bounds.join(map(exact, limit.values))})"


def _listed(names: Mapping[str, object]) -> str:
    return ", ".join(names) or "nothing"


def _fits(value: Any, limit: Limit) -> bool:
    if limit.kind == "any":
        return True
    if limit.kind == "choice":
        return value in limit.values
    low, high = cast("tuple[Any, ...]", limit.values)[0], cast("tuple[Any, ...]", limit.values)[-1]
    return isinstance(value, int | float) and bool(low <= value <= high)


def score(metrics: Mapping[str, float] | None) -> float | None:
    """The figure that experiments are compared by, per cent; None where one of its parts is missing."""
    if not metrics or not all(name in metrics for name in _SCORED):
        return None
    return sum(metrics[name] for name in _SCORED) / len(_SCORED)


def last_loss(checkpoints: Sequence[Checkpoint]) -> float | None:
    """The loss of the last checkpoint that has one."""
    return next((point.loss for point in reversed(checkpoints) if point.loss is not None), None)


def pick_best(results: Sequence[tuple[Experiment, Mapping[str, float] | None, Sequence[Checkpoint]]]) -> int | None:
    """The number of the experiment that wins by PICK_RULE; None where none has every figure."""

    def rank(result: tuple[Experiment, Mapping[str, float] | None, Sequence[Checkpoint]]) -> tuple[float, float, int]:
        experiment, metrics, checkpoints = result
        loss = last_loss(checkpoints)
        return -round(score(metrics) or 0.0, 2), math.inf if loss is None else loss, experiment.epoch

    finished = [result for result in results if score(result[1]) is not None]
    return min(finished, key=rank)[0].number if finished else None
