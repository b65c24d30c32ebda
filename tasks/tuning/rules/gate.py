"""The rule that lets a candidate take over. Pure.

A candidate takes over when, for every judged figure, the 95 % interval of its difference to the serving model lies
above minus the margin. The interval decides, not the point: a difference that may be chance alone proves neither that
a model is good enough nor that it is not, and then more labels are what is missing.
"""

from collections.abc import Mapping
from math import ceil, sqrt
from typing import Any, Final

from tasks.domain.errors import NotPromoted

JUDGED: Final = (
    "accepted/accuracy",
    "negative_sentiment/accuracy",
    "issue/ROUGE-L",
    "plan/ROUGE-L",
    "format/parseable",
)
"""The figures, all per cent and the more the better, on none of which a candidate may be worse beyond the margin."""

FEWEST_LABELS: Final = 30
"""Below this an interval by resampling is too narrow, whatever the margin."""

_CERTAINTY = 1.959963984540054  # of the 95 % interval

_POWER = 0.8416212335729143  # four of five times

_DISAGREEMENT = 0.10
"""The part of conversations on which two equally good models give another verdict, assumed before any was asked."""


def labels_needed(margin: float) -> int:
    """The labels by which two equally good models pass four times of five.

    Assumes that their verdicts differ on 10 % of the conversations, evenly in both directions.
    """
    spread = 100 * sqrt(_DISAGREEMENT)
    return max(FEWEST_LABELS, ceil(((_CERTAINTY + _POWER) * spread / margin) ** 2))


def margin_for(labels: int) -> float:
    """The smallest margin for which so many labels are enough, in points."""
    return ceil(10 * (_CERTAINTY + _POWER) * 100 * sqrt(_DISAGREEMENT) / sqrt(max(labels, 1))) / 10


def check_labels_suffice(labels: int, margin: float) -> None:
    """Check that an examination could have an outcome, before anything is paid for it.

    Raises:
        NotPromoted: there are too few labels for the margin.
    """
    needed = labels_needed(margin)
    if labels >= needed:
        return
    other = f", or with these {labels} --margin {margin_for(labels):g}" if labels >= FEWEST_LABELS else ""
    raise NotPromoted(
        f"Only {labels} labeled conversations are held out: --margin {margin:g} needs {needed} of them{other}. With "
        "fewer a model as good as the serving one would mostly fail by chance. Have more reviewed, then run the same "
        "again."
    )


def shortfalls(comparison: Mapping[str, Mapping[str, Any]], margin: float) -> list[str]:
    """Name, in words, the judged figures on which it is not shown that the candidate is within the margin."""
    return [_shortfall(name, comparison[name], margin) for name in JUDGED if _fails(comparison.get(name), margin)]


def _fails(compared: Mapping[str, Any] | None, margin: float) -> bool:
    return compared is not None and compared["difference 95%"][0] < -margin


def _shortfall(name: str, compared: Mapping[str, Any], margin: float) -> str:
    low, high = compared["difference 95%"]
    difference = f"{compared['difference']:+.1f} [{low:+.1f}, {high:+.1f}]"
    found = f"{name} {compared['candidate']:.1f} against {compared['baseline']:.1f} ({difference})"
    if compared["difference"] <= -margin:
        return f"{found}: worse"
    spread = (high - low) / 2 / _CERTAINTY * sqrt(compared["rows"])
    needed = ceil(((_CERTAINTY + _POWER) * spread / (margin + compared["difference"])) ** 2)
    return f"{found}: {compared['rows']} labels leave it open, about {max(needed, compared['rows'] + 1)} would tell"
