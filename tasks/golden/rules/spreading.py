"""Golden conversations spread among a night's others, so that neither their place nor their number gives them away."""

import random
from collections.abc import Sequence
from typing import Generic, TypeVar

T = TypeVar("T")


class Spread(Generic[T]):
    """Deals things out to batches of a night whose length is only known by the share of its logs that was read.

    Args:
        things: what to deal, in any order.
        chance: shuffles them and picks their places.
    """

    def __init__(self, things: Sequence[T], chance: random.Random) -> None:
        self._left: list[T] = list(things)
        self._chance = chance
        self._share = 0.0
        chance.shuffle(self._left)

    def deal(self, share: float, *, is_last: bool) -> list[T]:
        """Return what goes among a batch.

        Args:
            share: the part of the logs that was read when the batch was, from 0 to 1.
            is_last: nothing comes after it: it gets all that is left.
        """
        part = (share - self._share) / max(1 - self._share, 1e-9)
        self._share = max(self._share, share)
        # Each by itself with the same probability: a fixed number in every batch would be a pattern.
        dealt = sum(is_last or self._chance.random() < part for _ in self._left)
        mine, self._left = self._left[:dealt], self._left[dealt:]
        return mine


def mixed(others: Sequence[T], things: Sequence[T], chance: random.Random) -> list[T]:
    """Return all of them, the others in their order and the things at places drawn by chance."""
    places = set(chance.sample(range(len(others) + len(things)), len(things)))
    left, hidden = iter(others), iter(things)
    return [next(hidden if place in places else left) for place in range(len(others) + len(things))]
