"""Weights of labeled conversations: a review sample is no picture of the days, so its strata are weighted back.

A sample holds conversations at random, uncertain ones (the summary leaves something open) and ones that the rules read
differently. Among those of the days the uncertain ones have a known part, so labels of uncertain conversations, however
they were drawn, share that part evenly; the others drawn at random share the rest. Those that were drawn because the
rules disagree have no known part and stand for nothing. Pure.
"""

from collections.abc import Mapping, Sequence

from tasks.reviewing.rules.labels import LabeledExample
from tasks.reviewing.rules.sampling import DISAGREEING, RANDOM, UNCERTAIN


def label_weights(labeled: Sequence[LabeledExample], uncertain: Mapping[str, bool]) -> list[float]:
    """The weight of each label, 1 on average over those that count; all 1 where labels have no strata.

    Args:
        labeled: the labels.
        uncertain: for each published conversation of their days, by content hash: whether its summary leaves something
            open.
    """
    if not any(example.stratum in (UNCERTAIN, DISAGREEING) for example in labeled):
        return [1.0] * len(labeled)
    share = sum(uncertain.values()) / len(uncertain) if uncertain else 0.0
    cells = [_cell(example, uncertain) for example in labeled]
    counts = {cell: cells.count(cell) for cell in (True, False)}
    if not counts[False] or not counts[True]:  # one cell alone: what was drawn at random is all there is
        return [float(example.stratum not in (UNCERTAIN, DISAGREEING)) for example in labeled]
    counted = counts[True] + counts[False]
    part = {True: share, False: 1 - share}
    return [0.0 if cell is None else counted * part[cell] / counts[cell] for cell in cells]


def effective_labels(weights: Sequence[float]) -> int:
    """The number of equally weighted labels that tell as much (Kish)."""
    squares = sum(weight * weight for weight in weights)
    return int(sum(weights) ** 2 / squares) if squares else 0


def _cell(example: LabeledExample, uncertain: Mapping[str, bool]) -> bool | None:
    if example.stratum == UNCERTAIN:
        return True
    if example.stratum in ("", RANDOM):
        return uncertain.get(example.content_hash, False)
    return None
