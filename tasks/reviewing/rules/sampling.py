"""Choose conversations for people to review: some at random, some that the model was unsure of, some that the rules
read differently.

Only the random ones say how good the model is on the whole; the others are where it is likely wrong, and so where a
label teaches most. The draw is by a hash of seed and conversation: the same tables give the same sample, on any
machine and in any order.
"""

import heapq
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from hashlib import blake2b
from typing import Any, Final

from tasks.domain.errors import UsageError
from tasks.domain.records import Fields

RANDOM: Final = "random"

UNCERTAIN: Final = "uncertain"

DISAGREEING: Final = "disagreeing"

STRATA: Final = (RANDOM, UNCERTAIN, DISAGREEING)

_LOOKED_AT_FOR_ONE_DISAGREEMENT = 50


@dataclass(frozen=True, slots=True)
class Candidate:
    """One published row; `rank` orders the draw, the lowest first."""

    rank: bytes
    day: date
    row: Mapping[str, Any]

    @property
    def uncertain(self) -> bool:
        """True where the summary leaves something open, or somebody may have talked the model into it."""
        row = self.row
        return bool(row["truncated"] or row.get("suspicious") or row.get("contradicted")) or any(
            row[name] is None for name in ("issue", "plan", "accepted", "negative_sentiment")
        )

    def disagrees(self, other: Fields) -> bool:
        """Return true where another reader's verdict is the opposite; where that reader is unsure, it does not
        disagree.
        """
        return any(
            theirs is not None and self.row[name] is not None and self.row[name] != theirs
            for name, theirs in (("accepted", other.accepted), ("negative_sentiment", other.negative_sentiment))
        )


class Draw:
    """Candidates for a sample of `size`, in constant memory however many rows are offered."""

    def __init__(self, size: int, seed: int, known: Iterable[str] = ()) -> None:
        """Begin a draw.

        Args:
            size: of the whole sample.
            seed: another seed, another sample.
            known: content hashes that need no label any more.

        Raises:
            UsageError: the size is none.
        """
        if size < 1:
            raise UsageError(f"A sample of {size} conversations is none: its size is 1 at least.")
        self._seed = seed.to_bytes(16, "big", signed=True)
        self._known = frozenset(known)
        self.of_each = -(-size // len(STRATA))
        self._size = size
        self._random = _Lowest(2 * size)
        self._uncertain = _Lowest(2 * size)
        self._pool = _Lowest(_LOOKED_AT_FOR_ONE_DISAGREEMENT * self.of_each)

    def offer(self, day: date, row: Mapping[str, Any]) -> None:
        """Take one row of `summaries` into account."""
        name = row["content_hash"]
        if not name or name in self._known:
            return
        candidate = Candidate(blake2b(name.encode(), digest_size=16, key=self._seed).digest(), day, row)
        self._random.offer(candidate)
        (self._uncertain if candidate.uncertain else self._pool).offer(candidate)

    def candidates(self) -> list[Candidate]:
        """Everything whose dialogue must be looked at before `sample` can choose."""
        lists = (self._random.taken, self._uncertain.taken, self._pool.taken)
        return list({candidate.row["content_hash"]: candidate for taken in lists for candidate in taken()}.values())

    def sample(self, readable: Iterable[str], disagreeing: Iterable[str]) -> list[tuple[str, Candidate]]:
        """The sample: a third of each stratum, and more at random where the others don't have as many.

        Args:
            readable: content hashes whose dialogues were found in the logs.
            disagreeing: those of them that another reader disagrees about.
        """
        there, opposed = frozenset(readable), frozenset(disagreeing)
        at_random, uncertain, pool = (
            [candidate for candidate in kept.taken() if candidate.row["content_hash"] in there]
            for kept in (self._random, self._uncertain, self._pool)
        )
        opposing = [candidate for candidate in pool if candidate.row["content_hash"] in opposed]

        def chosen(randoms: int) -> list[tuple[str, Candidate]]:
            found: dict[str, tuple[str, Candidate]] = {}
            for stratum, candidates, size in (
                (RANDOM, at_random, randoms),
                (UNCERTAIN, uncertain, self.of_each),
                (DISAGREEING, opposing, self.of_each),
            ):
                new = [candidate for candidate in candidates if candidate.row["content_hash"] not in found][:size]
                found |= {candidate.row["content_hash"]: (stratum, candidate) for candidate in new}
            return list(found.values())

        # At random first and from all rows, however many it takes, so that those are a fair picture of the day.
        randoms = self.of_each
        while (missing := self._size - len(chosen(randoms))) > 0 and randoms < len(at_random):
            randoms += missing
        return chosen(randoms)[: self._size]


class _Lowest:
    """The candidates of the lowest ranks, of all that were offered."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._heap: list[tuple[int, str, int, Candidate]] = []  # the highest rank on top
        self._offers = 0

    def offer(self, candidate: Candidate) -> None:
        self._offers += 1  # so that candidates themselves are never compared
        name = f"{candidate.day} {candidate.row['conversation_id']}"
        entry = (-int.from_bytes(candidate.rank, "big"), name, self._offers, candidate)
        if len(self._heap) < self._size:
            heapq.heappush(self._heap, entry)
        elif entry[0] > self._heap[0][0]:
            heapq.heapreplace(self._heap, entry)

    def taken(self) -> list[Candidate]:
        return [entry[-1] for entry in sorted(self._heap, key=lambda entry: (-entry[0], *entry[1:3]))]
