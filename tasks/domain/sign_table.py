"""Signs of many patterns, looked for in many texts at once.

A look at one text costs little, and twenty looks at each of a million texts cost more than all that is found. Here a
batch of texts becomes one array of characters, which is looked up in tables: every text gets a number whose bits say
which patterns could match in it. Most texts get zero, and no pattern is tried on them.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from tasks.domain.pattern_signs import Piece, SignedPattern, SignedPatterns, pieces_of, rarest_pair

Bits = npt.NDArray[np.uint64]
Places = npt.NDArray[np.intp]

# The bits of a text that no table has looked at: each pattern could match.
UNSEEN: Final = -1

_MOST: Final = 63

# Characters outside of the basic plane share the last place of a table, which is no character's.
_OUTSIDE: Final = 0xFFFF

# A text begins with one, so that a piece can ask for a text's first and last place.
EDGE: Final = "\n"

# Texts that are looked at as one: what is worked out for their characters stays in a core's cache.
_AT_ONCE: Final = 256

# Odd factors that make one number of four: that no two fours become the same is looked at.
_MIXED: Final = np.array([1, 0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9], dtype=np.uint64)

# Pairs of wider sets are told by two looks instead of one in a table of pairs.
_MOST_PAIRS: Final = 4096


Looked = re.Pattern[str] | SignedPattern | SignedPatterns | Iterable[Piece]


class SignTable:
    """Patterns, each with a bit of its own, and the tables that tell which of them a text could match.

    The tables are made when a text is first looked at: most commands look at none.
    """

    def __init__(self) -> None:
        self._looked_for: list[tuple[Looked, ...]] = []
        self._sets: dict[int, tuple[re.Pattern[str], ...]] = {}

    def add(self, *looked_for: Looked) -> int:
        """Return the bit of texts in which one of the patterns could match, or one of the pieces stands.

        Of a longer piece its two rarest neighbors are looked for. `EDGE` stands before and behind each text. Every
        alternative of a pattern must hold something literal.
        """
        assert len(self._looked_for) < _MOST
        self._looked_for.append(looked_for)
        return 1 << (len(self._looked_for) - 1)

    def add_set(self, *places: re.Pattern[str]) -> int:
        """Return the bit of texts that hold members of one, two or three sets behind each other, however wide.

        Characters outside of the basic plane are taken for members of every set.

        Args:
            places: patterns of one character each.
        """
        bit = self.add()
        self._sets[bit] = places
        return bit

    def seen(self, texts: Sequence[str]) -> list[int]:
        """Return each text's bits.

        Raises:
            ValueError: some alternative of a pattern holds nothing literal.
        """
        bits: list[int] = []
        for start in range(0, len(texts), _AT_ONCE):
            bits += self._tables.seen(texts[start : start + _AT_ONCE])
        return bits

    @cached_property
    def _tables(self) -> "_Tables":
        return _Tables([_pieces(looked_for) for looked_for in self._looked_for], self._sets)


def _pieces(looked_for: Iterable[Looked]) -> frozenset[Piece]:
    found: set[Piece] = set()
    for pattern in looked_for:
        if isinstance(pattern, re.Pattern):
            found |= pieces_of(pattern)
        else:
            found |= pattern.pieces if isinstance(pattern, (SignedPattern, SignedPatterns)) else frozenset(pattern)
    return frozenset(map(rarest_pair, found))


class _Tables:
    """The place that stands for a character, and the bits of characters and of pairs of them.

    Few characters are in any piece: they get places of their own, and the others share one by the sets that they are
    members of. Characters of narrow pairs get a second place, so that the table of all pairs stays small.
    """

    places: Places

    def __init__(self, pieces: Sequence[Iterable[Piece]], sets: Mapping[int, Sequence[re.Pattern[str]]]) -> None:
        kinds = [(np.uint64(1 << bit), piece) for bit, found in enumerate(pieces) for piece in found]
        alone, first, second, third = (np.zeros(_OUTSIDE + 1, dtype=np.uint64) for _ in range(4))
        third[:] = sum(bit for bit, patterns in sets.items() if len(patterns) == 2) | _wide_bits(kinds)
        for members, patterns in sets.items():
            for pattern, table in zip(patterns, (first, second, third) if patterns[1:] else (alone,), strict=False):
                table[_members(pattern)] |= np.uint64(members)
        # Characters outside of any piece first: one place for all that are in the same sets.
        _, examples, self.places = np.unique(
            alone * _MIXED[0] + first * _MIXED[1] + second * _MIXED[2] + third * _MIXED[3],
            return_index=True,
            return_inverse=True,
        )
        assert all((table[examples][self.places] == table).all() for table in (alone, first, second, third))
        named = sorted({_code(sign) for _, piece in kinds for signs in piece for sign in signs})
        self.places[named] = np.arange(len(examples), len(examples) + len(named))
        codes = np.concatenate([examples, np.array(named, dtype=np.intp)])
        self.singles: Bits = alone[codes]
        self.firsts: Bits = first[codes]
        self.seconds: Bits = second[codes]
        self.thirds: Bits = third[codes]
        narrow: list[tuple[np.uint64, list[Places]]] = []
        for bit, piece in kinds:
            looked_for = [self.places[[_code(sign) for sign in sorted(signs)]] for signs in piece]
            if len(looked_for) == 1:
                self.singles[looked_for[0]] |= bit
            elif _is_narrow(piece):
                narrow.append((bit, looked_for))
            else:
                self.firsts[looked_for[0]] |= bit
                self.seconds[looked_for[1]] |= bit
        paired = np.unique(np.concatenate([signs for _, found in narrow for signs in found] or [self.places[:0]]))
        self.width: Final = len(paired) + 1
        self.pair_places: Places = np.zeros(len(self.singles), dtype=np.intp)
        self.pair_places[paired] = np.arange(1, len(paired) + 1)
        pairs: Bits = np.zeros((self.width, self.width), dtype=np.uint64)
        for bit, (firsts, seconds) in narrow:
            pairs[np.ix_(self.pair_places[firsts], self.pair_places[seconds])] |= bit
        self.pairs: Bits = pairs.reshape(-1)

    def seen(self, texts: Sequence[str]) -> list[int]:
        """Return each text's bits."""
        joined = f"{EDGE}{EDGE.join(texts)}{EDGE}{EDGE}".encode("utf-32-le", "surrogatepass")
        places = self.places.take(np.minimum(np.frombuffer(joined, dtype=np.uint32), _OUTSIDE))
        lengths = np.fromiter(map(len, texts), dtype=np.intp, count=len(texts)) + 1
        # A text begins with the edge before it; what its last sign and the edge behind make is found at that sign.
        begins = np.cumsum(lengths) - lengths
        here = places[:-2]
        found = self.singles.take(here)
        found[begins] = 0
        found |= self.firsts.take(here) & self.seconds.take(places[1:-1]) & self.thirds.take(places[2:])
        pairs = self.pair_places.take(places[:-1])
        found |= self.pairs.take(pairs[:-1] * self.width + pairs[1:])
        bits: list[int] = np.bitwise_or.reduceat(found, begins).tolist()
        return bits


def _is_narrow(piece: Piece) -> bool:
    return len(piece) == 1 or len(piece[0]) * len(piece[1]) <= _MOST_PAIRS


def _wide_bits(kinds: Iterable[tuple[np.uint64, Piece]]) -> int:
    bits = 0
    for bit, piece in kinds:
        bits |= 0 if _is_narrow(piece) else int(bit)
    return bits


def _code(sign: str) -> int:
    return min(ord(sign), _OUTSIDE)


def _members(pattern: re.Pattern[str]) -> npt.NDArray[np.bool_]:
    """Of each character of the basic plane, whether it is a member; the last stands for those outside, and is one."""
    codes = np.arange(_OUTSIDE, dtype=np.uint32)
    changed = pattern.sub("a", codes.tobytes().decode("utf-32-le", "surrogatepass"))
    members = np.frombuffer(changed.encode("utf-32-le", "surrogatepass"), dtype=np.uint32) != codes
    members[ord("a")] = pattern.match("a") is not None
    return np.append(members, True)
