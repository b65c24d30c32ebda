"""Signs of a pattern: short pieces of text of which every match holds one, looked for before the pattern itself.

Python's engine tries each alternative of a long pattern at every character. Hardly any text has a match, and hardly any
has a sign; a text without one is done after a look that is ten times cheaper.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property, lru_cache
from importlib import import_module
from itertools import product
from operator import add
from typing import Any, Final

# The engine's own parser, which no stub describes.
ops: Any = import_module("re._constants")
parser: Any = import_module("re._parser")

# One set of characters a place: what may stand there.
Piece = tuple[frozenset[str], ...]

_LONGEST_PIECE: Final = 4

_MOST_PIECES: Final = 64

_WIDEST_SET: Final = 80

# Letters of which the engine takes more than two for the same when case is ignored.
_CASES: Final = {"i": "iI\u0130\u0131", "k": "kK\u212a", "s": "sS\u017f"}

_DIGIT: Final = (ops.CATEGORY, ops.CATEGORY_DIGIT)

_CLASSES: Final = (r"\d",)

_REPEATS: Final = (ops.MAX_REPEAT, ops.MIN_REPEAT, ops.POSSESSIVE_REPEAT)

# About how often a character stands at a given place of a Chinese chat.
_OFTEN: Final = {
    **dict.fromkeys("么什可以货发单到时这要能会吧呢订商品问下快上前天就还也都人家之后情况知道收款退亲哦", 0.01),
    **dict.fromkeys("0123456789没", 0.02),
    **dict.fromkeys("的了是我你您不有在一个请好吗，。 ", 0.03),
}

_SELDOM: Final = 0.004


class SignedPattern:
    """A pattern that is only tried on texts with one of its signs, and otherwise finds what it always found.

    Args:
        pattern: every alternative of it must hold something literal.
    """

    def __init__(self, pattern: re.Pattern[str]) -> None:
        self.pattern = pattern

    @cached_property
    def pieces(self) -> frozenset[Piece]:
        """The signs: every match holds one of them."""
        return pieces_of(self.pattern)

    @cached_property
    def sign(self) -> re.Pattern[str]:
        """The signs as a pattern, made when a text is first looked at: it takes as long as compiling does."""
        return re.compile(_written(self.pieces))

    @cached_property
    def led(self) -> re.Pattern[str]:
        """The pattern behind a look at what a match can begin with, so that no alternative is tried elsewhere."""
        source, flags = self.pattern.pattern, self.pattern.flags
        firsts = _firsts(parser.parse(source, flags), bool(flags & re.IGNORECASE))
        if firsts is None or "" in firsts:
            return self.pattern
        return re.compile(f"(?={_class(firsts)})(?:{source})", flags)

    def search(self, text: str) -> re.Match[str] | None:
        """The first match, as `re.Pattern.search` finds it."""
        return self.led.search(text) if self.sign.search(text) else None

    def fullmatch(self, text: str) -> re.Match[str] | None:
        """The match of the whole text, as `re.Pattern.fullmatch` finds it."""
        return self.pattern.fullmatch(text) if self.sign.search(text) else None

    def sub(self, replacement: str | Callable[[re.Match[str]], str], text: str) -> str:
        """The text with each match replaced, as `re.Pattern.sub` does it."""
        return self.led.sub(replacement, text) if self.sign.search(text) else text

    def findall(self, text: str) -> Sequence[Any]:
        """All matches, as `re.Pattern.findall` gives them."""
        return self.led.findall(text) if self.sign.search(text) else ()

    def finditer(self, text: str) -> Iterator[re.Match[str]]:
        """All matches, as `re.Pattern.finditer` gives them."""
        return self.led.finditer(text) if self.sign.search(text) else iter(())


class SignedPatterns:
    """Many patterns, of which only those are tried that have a sign in the text, and compiled when they first do.

    Args:
        sources: of the patterns; each alternative must hold something literal.
        flags: of all of them.
    """

    def __init__(self, sources: Sequence[str], flags: re.RegexFlag = re.NOFLAG) -> None:
        self._sources = tuple(dict.fromkeys(sources))
        self._flags = flags
        self._compiled: dict[int, re.Pattern[str]] = {}

    @cached_property
    def pieces(self) -> frozenset[Piece]:
        """The signs of all: every match holds one of them."""
        return frozenset().union(*self._pieces)

    @cached_property
    def sign(self) -> re.Pattern[str]:
        """The signs as a pattern."""
        return re.compile(_written(self.pieces))

    def is_in(self, text: str) -> bool:
        """Return true if one of the patterns is found in the text."""
        if self.sign.search(text) is None:
            return False
        alone, pairs = self._by_signs
        possible = {number for sign in text for number in alone.get(sign, ())}
        for pair in map(add, text, text[1:]):
            possible.update(pairs.get(pair, ()))
        return any(self._pattern(number).search(text) is not None for number in possible)

    @cached_property
    def _pieces(self) -> list[frozenset[Piece]]:
        return [_pieces_of(source, self._flags) for source in self._sources]

    @cached_property
    def _by_signs(self) -> tuple[dict[str, list[int]], dict[str, list[int]]]:
        """The patterns' numbers by the characters and by the pairs of which one is in every match."""
        found: tuple[dict[str, list[int]], dict[str, list[int]]] = ({}, {})
        for number, pieces in enumerate(self._pieces):
            for piece in map(rarest_pair, pieces):
                for sign in map("".join, product(*piece)):
                    found[len(piece) - 1].setdefault(sign, []).append(number)
        return found

    def _pattern(self, number: int) -> re.Pattern[str]:
        pattern = self._compiled.get(number)
        if pattern is None:
            pattern = self._compiled[number] = re.compile(self._sources[number], self._flags)
        return pattern


def sign_of(pattern: re.Pattern[str]) -> re.Pattern[str]:
    """A pattern that is found in every text in which the given one is found, and in few others.

    Raises:
        ValueError: some alternative holds nothing literal.
    """
    return re.compile(_written(pieces_of(pattern)))


def pieces_of(pattern: re.Pattern[str]) -> frozenset[Piece]:
    """Pieces of which every match of the pattern holds one.

    Raises:
        ValueError: some alternative holds nothing literal.
    """
    return _pieces_of(pattern.pattern, pattern.flags)


def _pieces_of(source: str, flags: int) -> frozenset[Piece]:
    pieces = _required(parser.parse(source, flags), bool(flags & re.IGNORECASE))
    if pieces is None:
        raise ValueError(f"An alternative of {source[:60]!r} holds nothing literal.")
    return pieces


def rarest_pair(piece: Piece) -> Piece:
    """The two neighboring places of a piece that are found least often; a piece of one place is left as it is."""
    pairs = (piece[start : start + 2] for start in reversed(range(max(len(piece) - 1, 1))))
    return min(pairs, key=lambda pair: _frequency((pair,)))


def _written(pieces: Collection[Piece]) -> str:
    """Write pieces so that the engine skips all places but those of their first and second characters.

    Of the alternatives that follow, it tries only those that begin with the character it stands at: the second one.
    """
    alone = frozenset[str]().union(*(piece[0] for piece in pieces if len(piece) == 1))
    seconds: dict[str, dict[str, frozenset[str]]] = {}
    for piece in pieces:
        for second in piece[1] if len(piece) > 1 else ():
            rests = seconds.setdefault(second, {})
            rest = "".join(map(_class, piece[2:]))
            rests[rest] = rests.get(rest, frozenset()) | piece[0]
    alternatives = [f"(?<={_class(alone)})"] if alone else []
    if seconds:
        longer = "|".join(_behind_second(second, rests) for second, rests in sorted(seconds.items()))
        alternatives.append(f"(?={_class(frozenset(seconds))})(?:{longer})")
    firsts = frozenset[str]().union(*(piece[0] for piece in pieces))
    return f"{_class(firsts)}(?:{'|'.join(alternatives)})"


def _behind_second(second: str, rests: Mapping[str, frozenset[str]]) -> str:
    escaped = re.escape(second)
    looks = (f"(?<={_class(firsts)}{escaped}){rest}" for rest, firsts in sorted(rests.items()))
    return f"{escaped}(?:{'|'.join(looks)})"


def _class(characters: frozenset[str]) -> str:
    return f"[{''.join(sign if sign in _CLASSES else re.escape(sign) for sign in sorted(characters))}]"


def _required(nodes: Iterable[Any], ignorecase: bool) -> frozenset[Piece] | None:
    """The rarest pieces of which every match of the nodes holds one; None where nothing literal is needed."""
    nodes = list(nodes)
    found = [_inside(node, ignorecase) for node in nodes]
    for start in range(len(nodes)):
        found += _runs(nodes[start:], ignorecase)
    return min(filter(None, found), key=_frequency, default=None)


def _frequency(pieces: Iterable[Piece]) -> float:
    total = 0.0
    for piece in pieces:
        chance = 1.0
        for characters in piece:
            chance *= _chance(characters)
        total += chance
    return total


@lru_cache(maxsize=1 << 12)
def _chance(characters: frozenset[str]) -> float:
    return sum([_OFTEN.get(character, _SELDOM) for character in characters])


def _inside(node: Any, ignorecase: bool) -> frozenset[Piece] | None:
    """Pieces that a match of one node needs, wherever in it."""
    kind, value = node
    if kind is ops.SUBPATTERN:
        return _required(value[3], _ignores(value, ignorecase))
    if kind is ops.BRANCH:
        branches = [_required(branch, ignorecase) for branch in value[1]]
        if None in branches:
            return None
        return frozenset().union(*filter(None, branches))
    is_needed = kind is ops.ASSERT or (kind in _REPEATS and value[0] > 0)
    return _required(value[-1], ignorecase) if is_needed else None


def _runs(nodes: Sequence[Any], ignorecase: bool) -> Iterator[frozenset[Piece]]:
    """Yield the pieces that the nodes begin with, longer and longer ones."""
    pieces: set[Piece] = {()}
    for node in nodes:
        options = _options(node, ignorecase)
        if options is None or len(pieces) * len(options) > _MOST_PIECES:
            return
        pieces = {(*piece, *option)[:_LONGEST_PIECE] for piece in pieces for option in options}
        if () not in pieces:
            yield frozenset(pieces)
        if all(len(piece) == _LONGEST_PIECE for piece in pieces):
            return  # what follows changes no piece any more


def _firsts(nodes: Iterable[Any], ignorecase: bool) -> frozenset[str] | None:
    r"""The characters that a match of the nodes can begin with; None where there are too many to name.

    Beside them "" stands for a match that can be empty, and `\d` for all digits.
    """
    firsts: frozenset[str] = frozenset()
    for node in nodes:
        found = _first_of(node, ignorecase)
        if found is None or "" not in found:
            return None if found is None else firsts | found
        firsts |= found - {""}
    return firsts | {""}


def _first_of(node: Any, ignorecase: bool) -> frozenset[str] | None:
    kind, value = node
    if kind is ops.SUBPATTERN:
        return _firsts(value[3], _ignores(value, ignorecase))
    if kind in _REPEATS:
        firsts = _firsts(value[2], ignorecase)
        return firsts if firsts is None or value[0] else firsts | {""}
    if kind is ops.BRANCH:
        branches = [_firsts(branch, ignorecase) for branch in value[1]]
        return None if None in branches else frozenset().union(*filter(None, branches))
    if kind is ops.IN and _DIGIT in value:
        others = _set_of([member for member in value if member != _DIGIT], ignorecase)
        return None if others is None else frozenset([r"\d"]).union(*(option[0] for option in others))
    options = _options(node, ignorecase)
    return None if options is None else frozenset().union(*(option[0] if option else [""] for option in options))


def _options(node: Any, ignorecase: bool) -> set[Piece] | None:
    """Everything that one node matches; None where that is too much to name."""
    kind, value = node
    if kind is ops.LITERAL:
        return {(_cases(value, ignorecase),)}
    if kind is ops.IN:
        return _set_of(value, ignorecase)
    if kind in (ops.AT, ops.ASSERT, ops.ASSERT_NOT):
        return {()}
    if kind is ops.BRANCH:
        branches = [_sequence(branch, ignorecase) for branch in value[1]]
        return None if None in branches else set().union(*filter(None, branches))
    if kind is ops.SUBPATTERN:
        return _sequence(value[3], _ignores(value, ignorecase))
    options = None
    if kind in _REPEATS and tuple(value[:2]) == (0, 1):
        options = _sequence(value[2], ignorecase)
        options = None if options is None else options | {()}
    elif kind in _REPEATS and 0 < value[0] == value[1] <= _LONGEST_PIECE:
        options = _sequence([*value[2]] * value[0], ignorecase)
    return options


def _sequence(nodes: Iterable[Any], ignorecase: bool) -> set[Piece] | None:
    pieces: set[Piece] = {()}
    for node in nodes:
        options = _options(node, ignorecase)
        if options is None or len(pieces) * len(options) > _MOST_PIECES:
            return None
        pieces = {(*piece, *option) for piece in pieces for option in options}
    return pieces


def _set_of(members: Iterable[Any], ignorecase: bool) -> set[Piece] | None:
    characters: frozenset[str] = frozenset()
    for kind, value in members:
        if kind is ops.LITERAL:
            characters |= _cases(value, ignorecase)
        elif kind is ops.RANGE and value[1] - value[0] < _WIDEST_SET:
            characters = characters.union(*(_cases(code, ignorecase) for code in range(value[0], value[1] + 1)))
        else:
            return None
    return {(characters,)} if len(characters) <= _WIDEST_SET else None


@lru_cache(maxsize=1 << 12)
def _cases(code: int, ignorecase: bool) -> frozenset[str]:
    character = chr(code)
    if not ignorecase:
        return frozenset(character)
    return frozenset(_CASES.get(character.lower(), (character.lower()[:1], character.upper()[:1], character)))


def _ignores(group: Sequence[Any], ignorecase: bool) -> bool:
    _, added, removed, _ = group
    return bool((ignorecase or added & ops.SRE_FLAG_IGNORECASE) and not removed & ops.SRE_FLAG_IGNORECASE)
