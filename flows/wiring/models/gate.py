"""The gate between a service that serves and the nightly: a candidate beside the serving model, on labels."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from flows.wiring.models.evaluations import evaluated
from flows.wiring.settings import Settings
from tasks.domain.errors import NotPromoted
from tasks.domain.layout import model_folder
from tasks.domain.ports import ObjectStore
from tasks.evaluating.rules.comparison import compare_rows
from tasks.reviewing.rules.labels import LabeledExample
from tasks.running.artifacts import show_table
from tasks.tuning.published_uncertainty import published_uncertainty
from tasks.tuning.rollout import RolloutRecord
from tasks.tuning.rules.gate import shortfalls
from tasks.tuning.rules.label_weights import label_weights
from tasks.tuning.rules.promotion_page import promotion_page
from tasks.tuning.rules.rollout_record import still_paid

SMOKE_TESTS = 5


def candidate_settings(config: Settings, endpoint: str) -> Settings:
    """The settings with a service of the platform's today: V2, named in `model`, its quota learned."""
    asked = {"summarizer": "qianfan", "endpoint": endpoint, "rpm": None, "tpm": None, "shared_quota": ""}
    return config.model_copy(update=asked)


@dataclass(frozen=True, slots=True)
class Examined:
    """Labeled conversations that count, and how much each stands for."""

    labeled: Sequence[LabeledExample]
    weights: Sequence[float]


def weighted_back(warehouse: ObjectStore, labeled: Sequence[LabeledExample]) -> Examined:
    """The labels that stand for something, by their strata's part of the published days."""
    weights = label_weights(labeled, published_uncertainty(warehouse, {example.day for example in labeled}))
    counted = [(example, weight) for example, weight in zip(labeled, weights, strict=True) if weight]
    return Examined([example for example, _ in counted], [weight for _, weight in counted])


async def pass_gate(
    record: RolloutRecord,
    warehouse: ObjectStore,
    config: Settings,
    serving: Settings,
    examined_on: Examined,
    margin: float,
) -> str:
    """Examine the candidate beside the serving model; return why it may take over.

    Raises:
        NotPromoted: it does not answer as it should, or is not shown to be within the margin.
    """
    rollout, labeled = record.value, examined_on.labeled
    candidate = candidate_settings(config, rollout.endpoint)
    smoke = await evaluated(candidate, labeled[:SMOKE_TESTS])
    readable = smoke.scores.means["format/parseable"]
    comparison: dict[str, Any] = {}
    if readable != 100:
        found = [f"of {SMOKE_TESTS} known conversations it answered only {readable:.0f}% readably"]
    else:
        baseline, examined = await evaluated(serving, labeled), await evaluated(candidate, labeled)
        figures = compare_rows(baseline.rows, examined.rows, examined_on.weights)
        comparison = {name: compared.as_json() for name, compared in figures.items()}
        found = shortfalls(comparison, margin)
        await show_table(
            [{"figure": figure, **compared} for figure, compared in comparison.items()],
            key=f"promotion-{rollout.name}",
            description=f"候选与现用模型 · {examined.model} against {baseline.model}",
        )
    await record.save(
        rollout.moved(
            "refused" if found else "serving", datetime.now(UTC), comparison=comparison, reason="; ".join(found)
        )
    )
    baseline_name = serving.endpoint or serving.summarizer
    page = promotion_page(record.value, baseline_name, margin, found)
    key = f"{model_folder(rollout.name)}/promotion.html"
    await asyncio.to_thread(warehouse.write_path, key, page.encode())
    if found:
        raise NotPromoted(
            f"Not promoted, with a margin of {margin:g} points: {'; '.join(found)}. The nightly's endpoint is as it "
            f"was. {warehouse.uri_of(key)} shows the figures.{still_paid(record.value)}"
        )
    return f"examined on {len(labeled)} labels: within {margin:g} points of the serving model on every judged figure"
