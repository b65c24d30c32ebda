"""An evaluation and a shadow as pages for people. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from tasks.reporting.rules.pages.document import Document, Section, render_document

_ANSWERS_SHOWN: Final = 200

_SHADOW: Final = (
    ("asked", "问了的会话 · asked"),
    ("summarized", "候选摘要成功 · summarized by the candidate"),
    ("summarized_by_serving", "现用模型摘要成功 · summarized by the serving model"),
    ("both", "两者都成功 · summarized by both"),
    ("same_accepted", "是否接受一致 · the same acceptance"),
    ("same_negative_sentiment", "是否负面情绪一致 · the same sentiment"),
    ("calls", "本次付费调用 · calls paid now"),
    ("table", "表 · table"),
)


def evaluation_page(figures: Mapping[str, Any], predictions: Sequence[Mapping[str, Any]]) -> str:
    """The page of an evaluation: every figure with its interval, and the answers beside what people said.

    Args:
        figures: as `evaluate_model` returns them.
        predictions: `Prediction.as_json` of each.
    """
    model, prompt = figures.get("model", ""), figures.get("prompt", "")
    rows = [
        (name, value, _interval(figures.get(f"{name} 95%")))
        for name, value in figures.items()
        if not name.endswith(" 95%") and name not in ("model", "prompt", "predictions", "page")
    ]
    answers = [
        (
            prediction["conversation_id"],
            prediction["day"],
            prediction["outcome"],
            prediction["prediction"],
            prediction["reference"],
        )
        for prediction in predictions
    ]
    left_out = len(answers) - _ANSWERS_SHOWN
    note = f"另有 {left_out} 条未列出 · {left_out} more are in the file of predictions" if left_out > 0 else ""
    return render_document(
        Document(
            title=f"评测 {model}",
            about=f"{model} · {prompt}",
            verdict=f"{figures.get('rows', len(answers))} 通已标注的会话 · labeled conversations",
            sections=(
                Section("指标 · Figures", ("指标", "值", "95% 区间"), rows),
                Section(
                    "回答 · Answers",
                    ("会话", "日期", "结果", "模型的回答", "人的标注"),
                    answers[:_ANSWERS_SHOWN],
                    note,
                ),
            ),
        )
    )


def shadow_page(made: Mapping[str, Any]) -> str:
    """The page of a shadow: how often the candidate and the serving model agree on a day.

    Args:
        made: as `shadow_day` returns it.
    """
    both = made["both"] or 0
    agreed = f"{100 * made['same_accepted'] / both:.1f}%" if both else "–"
    return render_document(
        Document(
            title=f"影子评测 {made['candidate']}",
            about=f"{made['day']} · {made['candidate']}",
            verdict=f"两个模型都摘要的 {both} 通会话里，是否接受一致的占 {agreed} · agree on acceptance",
            facts=[(label, made[name]) for name, label in _SHADOW if name in made],
        )
    )


def _interval(interval: Sequence[float] | None) -> str:
    return f"{interval[0]:.2f} – {interval[1]:.2f}" if interval else ""
