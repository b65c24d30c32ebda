"""Accuracy of the published summaries, by the people who reviewed a sample of them.

Only the reviews drawn at random say how good the model is on the whole, so they come first and apart. The others were
drawn where it is likely wrong. Shares are per cent, with 95 % intervals.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from tasks.domain.true_rates import MINIMUM_REVIEWS, TrueRate, Verdicts, true_rate
from tasks.evaluating.rules.agreement import Agreement, Confusion, Estimate, wilson
from tasks.reviewing.rules.sampling import RANDOM, STRATA

FLAGS: Final = ("accepted", "negative_sentiment")

TEXTS: Final = ("issue", "plan")

Row = Mapping[str, Any]

Reviewed = tuple[Row, Row]
"""A published row and its label, by column."""


def published_figures(reviews: Sequence[Reviewed], verdicts: Mapping[str, Mapping[bool | None, int]]) -> dict[str, Any]:
    """The figures of the reviews, flat: the random sample, the shares corrected by it, then the rest.

    Args:
        reviews: published rows with their labels.
        verdicts: how many of all published summaries have each verdict, by field.
    """
    strata = {name: [review for review in reviews if review[1]["stratum"] == name] for name in STRATA}
    at_random = strata.pop(RANDOM)
    figures: dict[str, Any] = {"reviews": len(reviews), **_stratum(RANDOM, at_random)}
    for name in FLAGS:
        figures |= corrected_figures(name, true_rate(_verdicts(name, at_random), verdicts[name]))
    for stratum, found in strata.items():
        figures |= _stratum(stratum, found)
    return figures | reviewer_figures(label for _, label in reviews)


def corrected_figures(name: str, rate: TrueRate) -> dict[str, Any]:
    """A share as published, and corrected for the model's errors."""
    corrected = None if rate.value is None else 100 * rate.value
    interval = None if rate.low is None or rate.high is None else [100 * rate.low, 100 * rate.high]
    figures: dict[str, Any] = {
        f"{name}/share": None if rate.raw is None else 100 * rate.raw,
        f"{name}/share corrected": corrected,
        f"{name}/share corrected 95%": interval,
        f"{name}/share rests on": rate.reviews,
    }
    if corrected is None:
        figures[f"{name}/share needs"] = MINIMUM_REVIEWS
    return figures


def reviewer_figures(labels: Iterable[Row]) -> dict[str, Any]:
    """Measure how far two people agree on the same conversations, the ceiling for any model; empty without such."""
    twice = [row for row in labels if row.get("second_reviewer")]
    if not twice:
        return {}
    figures: dict[str, Any] = {"reviewers/both": len(twice)}
    for name in FLAGS:
        confusion = Confusion()
        for row in twice:
            confusion.add(row[name], row[f"second_{name}"])
        figures |= _agreement(f"reviewers/{name}", confusion.agreement())
    return figures


def _stratum(stratum: str, reviews: Sequence[Reviewed]) -> dict[str, Any]:
    figures: dict[str, Any] = {f"{stratum}/reviews": len(reviews)}
    for name in FLAGS:
        confusion = Confusion()
        for published, label in reviews:
            confusion.add(label[name], published[name])
        figures |= _agreement(f"{stratum}/{name}", confusion.agreement())
    for name in TEXTS:
        kept = sum(published[name] == label[name] for published, label in reviews)
        figures |= _estimate(f"{stratum}/{name}/kept", wilson(kept, len(reviews)) if reviews else None, 100)
    return figures


def _agreement(name: str, agreement: Agreement) -> dict[str, Any]:
    return _estimate(f"{name}/accuracy", agreement.accuracy, 100) | _estimate(f"{name}/kappa", agreement.kappa, 1)


def _estimate(name: str, estimate: Estimate | None, scale: int) -> dict[str, Any]:
    if estimate is None:
        return {name: None}
    return {name: scale * estimate.value, f"{name} 95%": [scale * estimate.low, scale * estimate.high]}


def _verdicts(name: str, reviews: Sequence[Reviewed]) -> list[Verdicts]:
    return [(published[name], label[name]) for published, label in reviews]
