"""The experiments of a fine-tuning as data, what the platform allows, and which one wins.

A file of experiments is TOML: `base_model`, `split_ratio` (per cent that the platform keeps back to evaluate on) and
an `[[experiment]]` each with `method` ("LoRA" or "full"), `epoch`, `learning_rate` and, where wanted, any other
hyperparameter by the platform's own name (`maxSeqLen = 4096`). Without a file the six of `experiments.toml` are run.
"""

import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from tasks.domain.errors import UsageError
from tasks.domain.model_platform import Checkpoint, Limit, Method

_SHIPPED = Path(__file__).parents[1] / "experiments.toml"

_METHODS = ("LoRA", "full")

_MOST_KEPT_BACK = 20  # the platform's own limit

_SCORED = ("BLEU-4", "ROUGE-1", "ROUGE-2", "ROUGE-L")

PICK_RULE = (
    "BLEU-4、ROUGE-1、ROUGE-2、ROUGE-L 的均值最高；均值相同（到 0.01）时取末尾 loss 较低的，再取 epoch 较少的"
    " · the highest mean of the four, then the lower last loss, then fewer epochs"
)
"""How the best experiment is picked, for reports; means are equal to 0.01."""


@dataclass(frozen=True, slots=True)
class Experiment:
    """One way to tune the base model. `others` are further hyperparameters, by the platform's names."""

    number: int
    method: Method
    epoch: int
    learning_rate: float
    others: Mapping[str, object] = field(default_factory=dict)

    @property
    def hyperparameters(self) -> dict[str, object]:
        """All of them, by the platform's names."""
        return {"epoch": self.epoch, "learningRate": self.learning_rate, **self.others}


@dataclass(frozen=True, slots=True)
class Matrix:
    """The experiments on one base model."""

    base_model: str
    split_ratio: int
    experiments: tuple[Experiment, ...]


def load_matrix(path: Path | None = None) -> Matrix:
    """The experiments of a file, or the shipped ones.

    Raises:
        UsageError: the file can't be read, or does not say what it has to.
    """
    path = path or _SHIPPED
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"--experiments {path} can't be read: {error.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"--experiments {path} is not TOML: {error}.") from None
    base_model, split_ratio = content.get("base_model"), content.get("split_ratio", 20)
    rows = content.get("experiment")
    if not isinstance(base_model, str) or not base_model:
        raise UsageError(f'{path}: say which model is tuned, as base_model = "ERNIE-Speed-8K".')
    if type(split_ratio) is not int or not 0 < split_ratio <= _MOST_KEPT_BACK:
        raise UsageError(f"{path}: split_ratio is per cent, from 1 to {_MOST_KEPT_BACK}, not {split_ratio!r}.")
    if not isinstance(rows, list) or not rows:
        raise UsageError(f"{path}: there is no [[experiment]].")
    return Matrix(base_model, split_ratio, tuple(_experiment(n, row, path) for n, row in enumerate(rows, 1)))


def _experiment(number: int, row: dict[str, Any], path: Path) -> Experiment:
    method, epoch, rate = row.get("method"), row.get("epoch"), row.get("learning_rate")
    where = f"{path}, experiment {number}"
    if method not in _METHODS:
        raise UsageError(f"{where}: method is {' or '.join(_METHODS)}, not {method!r}.")
    if type(epoch) is not int or epoch < 1:
        raise UsageError(f"{where}: epoch is a whole number from 1, not {epoch!r}.")
    if not isinstance(rate, float) or not 0 < rate < 1:
        raise UsageError(f"{where}: learning_rate is a number such as 3e-5, not {rate!r}.")
    others = {name: value for name, value in row.items() if name not in {"method", "epoch", "learning_rate"}}
    return Experiment(number, cast("Method", method), epoch, rate, others)


def check_limits(matrix: Matrix, limits: Mapping[Method, Mapping[str, Limit]]) -> None:
    """Hold every experiment against what the platform takes, before anything is submitted.

    Raises:
        UsageError: every hyperparameter that is out of bounds, with its bounds.
    """
    if not limits:
        raise UsageError(f"The platform can't tune {matrix.base_model}; name another base_model.")
    wrong = [
        f"experiment {one.number}: {complaint}"
        for one in matrix.experiments
        for complaint in _complaints(one, limits.get(one.method))
    ]
    if wrong:
        raise UsageError(f"The platform does not take these for {matrix.base_model}: {'; '.join(wrong)}.")


def _complaints(one: Experiment, allowed: Mapping[str, Limit] | None) -> list[str]:
    if allowed is None:
        return [f"method {one.method}"]
    complaints = []
    for name, value in one.hyperparameters.items():
        limit = allowed.get(name)
        if limit is None:
            complaints.append(f"there is no {name} for {one.method}")
        elif not _fits(value, limit):
            bounds = " to " if limit.kind == "range" else ", "
            complaints.append(f"{name} {value} ({bounds.join(map(str, limit.values))})")
    return complaints


def _fits(value: Any, limit: Limit) -> bool:
    if limit.kind == "choice":
        return value in limit.values
    low, high = cast("tuple[Any, ...]", limit.values)[0], cast("tuple[Any, ...]", limit.values)[-1]
    return isinstance(value, int | float) and bool(low <= value <= high)


def score(metrics: Mapping[str, float] | None) -> float | None:
    """What experiments are compared by, per cent; None where a figure is missing."""
    if not metrics or not all(name in metrics for name in _SCORED):
        return None
    return sum(metrics[name] for name in _SCORED) / len(_SCORED)


def pick_best(results: Sequence[tuple[Experiment, Mapping[str, float] | None, Sequence[Checkpoint]]]) -> int | None:
    """The number of the experiment that wins by PICK_RULE; None where none has every figure."""

    def rank(result: tuple[Experiment, Mapping[str, float] | None, Sequence[Checkpoint]]) -> tuple[float, float, int]:
        experiment, metrics, checkpoints = result
        last_loss = checkpoints[-1].loss if checkpoints else math.inf
        return -round(score(metrics) or 0.0, 2), last_loss, experiment.epoch

    finished = [result for result in results if score(result[1]) is not None]
    return min(finished, key=rank)[0].number if finished else None
