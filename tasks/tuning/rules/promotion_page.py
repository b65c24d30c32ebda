"""A promotion, or its refusal, as a page for people. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from tasks.reporting.rules.pages.document import Document, Section, render_document
from tasks.tuning.rules.gate import JUDGED
from tasks.tuning.rules.rollout_record import ModelRollout


def promotion_page(rollout: ModelRollout, baseline: str, margin: float, shortfalls: Sequence[str]) -> str:
    """The page of an examination: who was compared with whom, on what, and why it ended as it did.

    Args:
        rollout: with its comparison.
        baseline: the serving model.
        margin: in points.
        shortfalls: what spoke against the candidate.
    """
    rows = [_row(name, compared) for name, compared in (rollout.comparison or {}).items()]
    verdict = (
        f"没有晋升：{'；'.join(shortfalls)} · not promoted"
        if shortfalls
        else f"可以晋升：每个判定指标的 95% 区间都在 -{margin:g} 之上 · within the margin on every judged figure"
    )
    return render_document(
        Document(
            title=f"晋升 {rollout.name}",
            about=f"{rollout.endpoint} · 对照 {baseline}",
            verdict=verdict,
            facts=(
                ("实验 · experiment", rollout.experiment),
                ("模型 · model", rollout.model.model_id if rollout.model else ""),
                ("服务 · service", rollout.service_id),
                ("允许的差距（点） · margin", f"{margin:g}"),
                ("付费至 · paid until", rollout.expires_at.isoformat() if rollout.expires_at else ""),
            ),
            sections=(
                Section(
                    "指标 · Figures",
                    ("指标", "判定", "标注数", "现用", "候选", "差", "95% 区间", "p", "结论"),
                    rows,
                    "只有打勾的指标决定晋升，看的是区间而不是差值 · the interval of the judged figures decides",
                ),
            ),
        )
    )


def _row(name: str, compared: Mapping[str, Any]) -> tuple[object, ...]:
    low, high = compared["difference 95%"]
    return (
        name,
        "✓" if name in JUDGED else "",
        compared["rows"],
        compared["baseline"],
        compared["candidate"],
        f"{compared['difference']:+.2f}",
        f"{low:+.2f} … {high:+.2f}",
        f"{compared['p']:.3f}",
        compared["verdict"],
    )
