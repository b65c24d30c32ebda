"""Labeled conversations that a model has not been trained on. Pure."""

from collections.abc import Iterable, Sequence

from tasks.reviewing.rules.labels import LabeledExample
from tasks.tuning.rules.near_duplicates import near_duplicates


def unseen(labeled: Sequence[LabeledExample], trained_on: Iterable[str]) -> list[LabeledExample]:
    """The labeled conversations that are none of the dialogues that were trained on, nor nearly one of them."""
    texts, seen = [example.text for example in labeled], list(trained_on)
    # Only the first of several near duplicates finds others, so each side goes first once.
    after_seen, before_seen = near_duplicates([*seen, *texts]), near_duplicates([*texts, *seen])
    found = {place - len(seen) for place, original in after_seen.items() if original < len(seen) <= place}
    found |= {original for place, original in before_seen.items() if original < len(texts) <= place}
    return [example for place, example in enumerate(labeled) if place not in found]
