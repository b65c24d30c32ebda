"""A tuning for people: its table of experiments, its loss curves, who won and why; Markdown and HTML."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa

from tasks.reporting.rules.pages.document import render_framed
from tasks.tuning.rules.experiments import PICK_RULE, exact, last_loss
from tasks.tuning.rules.tuning_record import Trial, Tuning

EXPERIMENTS = pa.schema(
    [
        ("name", pa.string()),
        ("number", pa.int16()),
        ("base_model", pa.string()),
        ("mode", pa.string()),
        ("method", pa.string()),
        ("epoch", pa.int16()),
        ("learning_rate", pa.float64()),
        ("hyperparameters", pa.string()),
        ("phase", pa.string()),
        ("best", pa.bool_()),
        ("score", pa.float64()),
        ("metrics", pa.map_(pa.string(), pa.float64())),
        ("steps", pa.list_(pa.int32())),
        ("losses", pa.list_(pa.float64())),
        ("job_id", pa.string()),
        ("task_id", pa.string()),
        ("reason", pa.string()),
        ("curves", pa.string()),
    ],
    metadata={"kefu.schema_version": "2"},
)

_FIGURES = ("BLEU-4", "ROUGE-1", "ROUGE-2", "ROUGE-L", "EDIT-DISTANCE", "EMBEDDING-DISTANCE")

_HEAD = ("实验", "基础模型", "方式", "方法", "超参数", "状态", *_FIGURES, "均值", "末尾 loss", "说明")

_TEMPLATES = Path(__file__).parents[1] / "templates"

_WIDTH, _HEIGHT = 640.0, 260.0

_LABEL_HEIGHT = 12.0

_PHASES = {
    "planned": "未提交",
    "submitting": "提交中",
    "waiting": "排队中",
    "running": "训练中",
    "done": "完成",
    "failed": "失败",
    "stopped": "已停止",
}


@dataclass(frozen=True, slots=True)
class Curve:
    """One trial's losses as an SVG path, from the first step to the last; `label` is where its number goes."""

    number: int
    best: bool
    path: str
    last: float
    label: tuple[float, float]


def experiment_rows(tuning: Tuning) -> list[dict[str, Any]]:
    """The rows of EXPERIMENTS, one a trial."""
    best = tuning.best
    return [
        {
            "name": tuning.name,
            "number": trial.experiment.number,
            "base_model": trial.experiment.base_model or tuning.base_model,
            "mode": trial.experiment.mode,
            "method": trial.experiment.method,
            "epoch": trial.experiment.epoch,
            "learning_rate": trial.experiment.learning_rate,
            "hyperparameters": orjson.dumps(trial.experiment.hyperparameters).decode(),
            "phase": trial.phase,
            "best": trial is best,
            "score": trial.score,
            "metrics": list((trial.metrics or {}).items()),
            "steps": [point.step for point in trial.checkpoints],
            "losses": [point.loss for point in trial.checkpoints],
            "job_id": trial.job_id,
            "task_id": trial.task_id,
            "reason": trial.reason,
            "curves": trial.curves,
        }
        for trial in tuning.trials
    ]


def render_tuning_markdown(tuning: Tuning) -> str:
    """The tuning as Markdown: a table of its experiments and the one that won."""
    lines = [
        f"# 微调 {tuning.name}",
        "",
        _about(tuning),
        "",
        f"| {' | '.join(_HEAD)} |",
        f"|{' --- |' * len(_HEAD)}",
        *(f"| {' | '.join(_cells(tuning, trial))} |" for trial in tuning.trials),
        "",
        _verdict(tuning),
        *(
            f"\n实验 {trial.experiment.number} 的 loss 曲线：<{trial.curves}>"
            for trial in tuning.trials
            if trial.curves
        ),
    ]
    return "\n".join(lines) + "\n"


def render_tuning_html(tuning: Tuning) -> str:
    """The same as one HTML file that needs nothing else, with the loss curves drawn."""
    curves, low, high, last_step = loss_curves(tuning)
    return render_framed(
        "tuning.html.jinja",
        _TEMPLATES,
        (_TEMPLATES / "tuning.css").read_text(encoding="utf-8"),
        tuning=tuning,
        about=_about(tuning),
        head=_HEAD,
        links=[(trial.experiment.number, trial.curves) for trial in tuning.trials if trial.curves],
        rows=[(_cells(tuning, trial), trial is tuning.best) for trial in tuning.trials],
        verdict=_verdict(tuning),
        curves=curves,
        low=low,
        high=high,
        last_step=last_step,
        width=_WIDTH,
        height=_HEIGHT,
    )


def as_result(tuning: Tuning, status: str, report: str) -> dict[str, Any]:
    """Return a run's state, as `--json` prints it."""
    best = tuning.best
    return {
        "name": tuning.name,
        "status": status,
        "best": best.experiment.number if best else None,
        "score": best.score if best else None,
        "experiments": {str(trial.experiment.number): trial.phase for trial in tuning.trials},
        "report": report,
        "table": render_tuning_markdown(tuning),
    }


def loss_curves(tuning: Tuning) -> tuple[list[Curve], float, float, int]:
    """The curves on common axes, and the axes' ends: lowest loss, highest loss, last step."""
    known = {trial.experiment.number: _losses(trial) for trial in tuning.trials}
    drawn = [trial for trial in tuning.trials if known[trial.experiment.number]]
    points = [point for losses in known.values() for point in losses]
    if not points:
        return [], 0.0, 0.0, 0
    low, high = min(loss for _, loss in points), max(loss for _, loss in points)
    last_step = max(step for step, _ in points) or 1
    best = tuning.best
    places = [_places(known[curve.experiment.number], low, high, last_step) for curve in drawn]
    labels = _labels([place[-1] for place in places])
    curves = [
        Curve(
            number=curve.experiment.number,
            best=curve is best,
            path="M" + " L".join(f"{x:.1f},{y:.1f}" for x, y in place),
            last=known[curve.experiment.number][-1][1],
            label=label,
        )
        for curve, place, label in zip(drawn, places, labels, strict=True)
    ]
    return curves, low, high, last_step


def _losses(trial: Trial) -> list[tuple[int, float]]:
    """The steps whose loss is known."""
    return [(point.step, point.loss) for point in trial.checkpoints if point.loss is not None]


def _places(points: Sequence[tuple[int, float]], low: float, high: float, last_step: int) -> list[tuple[float, float]]:
    height = (high - low) or 1.0
    return [(step / last_step * _WIDTH, (high - loss) / height * _HEIGHT) for step, loss in points]


def _labels(ends: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """A place beside the end of each curve, above whatever label is there already."""
    labels: dict[int, tuple[float, float]] = {}
    for at in sorted(range(len(ends)), key=lambda at: -ends[at][1]):
        x, y = ends[at][0] + 4, ends[at][1] + 4
        for other_x, other_y in labels.values():
            if abs(x - other_x) < 2 * _LABEL_HEIGHT:
                y = min(y, other_y - _LABEL_HEIGHT)
        labels[at] = x, y
    return [labels[at] for at in range(len(ends))]


def _about(tuning: Tuning) -> str:
    rows = f"（{tuning.data.rows} 行）" if tuning.data.rows is not None else ""
    held_out = f"验证集 {tuning.validation}" if tuning.validation else f"平台留出 {tuning.split_ratio}% 评估"
    return f"{tuning.base_model}，训练数据 {tuning.data.source}{rows}，{held_out}。"


def _cells(tuning: Tuning, trial: Trial) -> list[str]:
    metrics, experiment, loss = trial.metrics or {}, trial.experiment, last_loss(trial.checkpoints)
    mark = " ★" if trial is tuning.best else ""
    progress = f" {trial.progress}%" if trial.on_platform else ""
    base = f"，从 {experiment.base_task} 继续" if experiment.base_task else ""
    return [
        f"{experiment.number}{mark}",
        experiment.base_model or tuning.base_model,
        experiment.mode,
        "全量" if experiment.method == "full" else experiment.method,
        "，".join(f"{name} {exact(value)}" for name, value in experiment.hyperparameters.items()) + base,
        f"{_PHASES[trial.phase]}{progress}",
        *(f"{metrics[name]:.2f}" if name in metrics else "" for name in _FIGURES),
        f"{trial.score:.2f}" if trial.score is not None else "",
        f"{loss:.3f}" if loss is not None else "",
        trial.reason.replace("|", "/"),
    ]


def _verdict(tuning: Tuning) -> str:
    best = tuning.best
    if best is None:
        return "还没有可选的实验。" if not tuning.ended else "没有一个实验给出了全部指标，选不出最好的。"
    word = "最好的是" if tuning.ended else "目前最好的是"
    return f"{word}实验 {best.experiment.number}。规则：{PICK_RULE}。"
