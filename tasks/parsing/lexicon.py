"""The words of verdicts.toml by what they do in a clause, and the cutting of a sentence into them."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from enum import IntEnum, auto
from itertools import product
from pathlib import Path
from typing import Final, NamedTuple


class Kind(IntEnum):
    """Roles of a word in its clause; verdicts.toml lists the words and explains the kinds."""

    END = auto()
    CONTRAST = auto()
    NEGATION = auto()
    RHETORIC = auto()
    DENIED = auto()
    FAINT = auto()
    SPENT = auto()
    HIDDEN = auto()
    EXTENT = auto()
    BRIDGE = auto()
    DEGREE = auto()
    SHOW = auto()
    EVENT = auto()
    RECEIVE = auto()
    GOODS = auto()
    THUS = auto()
    PREPOSITION = auto()
    TOWARDS = auto()
    COORDINATION = auto()
    HEDGE = auto()
    PARTLY = auto()
    SILENCE = auto()
    QUESTION = auto()
    ASKED = auto()
    ENQUIRY = auto()
    CONDITION = auto()
    USER = auto()
    AGENT = auto()
    THIRD = auto()
    OPINION = auto()
    LET = auto()
    CAUSE = auto()
    OWNED = auto()
    AFTER = auto()
    EARLY = auto()
    SEQUEL = auto()
    FROM = auto()
    TO = auto()
    YES = auto()
    NO = auto()
    COMPLAINT = auto()
    MILD_YES = auto()
    MILD_NO = auto()
    GESTURE_YES = auto()
    GESTURE_NO = auto()
    COURTESY = auto()
    OTHER = auto()


Word = tuple[str, Kind]

_LATIN: Final = re.compile("[a-z]+")

_ADVERB: Final = re.compile("[a-z]{2,16}ly")


class Lexicon(NamedTuple):
    """The kinds by word, the lengths of the words by their first character, the longest first, and English phrases."""

    kinds: Mapping[str, Kind]
    lengths: Mapping[str, tuple[int, ...]]
    phrases: Mapping[str, tuple[str, ...]]  # by their first word

    def clauses(self, sentence: str) -> list[list[Word]]:
        """The words of each clause with their kinds, the one that ends it included; a run of unknown words is one."""
        kinds, lengths = self.kinds, self.lengths
        clauses: list[list[Word]] = []
        clause: list[Word] = []
        at, end, unknown = 0, len(sentence), 0
        while at < end:
            first = sentence[at]
            known: Kind | None = None
            word = first
            if "a" <= first <= "z":
                word = _latin_word(sentence, at)
                if word in self.phrases:
                    word = next((long for long in self.phrases[word] if sentence.startswith(long, at)), word)
                known = kinds.get(word) or (Kind.BRIDGE if _ADVERB.fullmatch(word) else Kind.OTHER)
            elif first == " ":
                at += 1
                unknown = at if unknown == at - 1 else unknown
                continue
            else:
                for length in lengths.get(first, ()):
                    word = sentence[at : at + length]
                    known = kinds.get(word)
                    if known is not None:
                        break
            if known is None:
                at += 1
                continue
            if at > unknown:
                clause.append((sentence[unknown:at], Kind.OTHER))
            clause.append((word, known))
            at += len(word)
            unknown = at
            if known is Kind.END or known is Kind.CONTRAST or word == "?":
                clauses.append(clause)
                clause = []
        if end > unknown:
            clause.append((sentence[unknown:end], Kind.OTHER))
        if clause:
            clauses.append(clause)
        return clauses


def _latin_word(sentence: str, at: int) -> str:
    found = _LATIN.match(sentence, at)
    return found[0] if found else sentence[at]


def read_lexicon(name: str) -> Lexicon:
    """The lexicon of a field: the words of its own table before the shared ones."""
    tables = tomllib.loads(Path(__file__).with_name("verdicts.toml").read_text(encoding="utf-8"))
    kinds = {
        word.replace("_", " "): Kind[kind.removesuffix("_of").upper()]
        for table in (tables["shared"], tables[name])
        for kind, words in sorted(table.items(), key=lambda entry: isinstance(entry[1], str))
        for word in _words(words)
    }
    lengths: dict[str, set[int]] = {}
    for word in kinds:
        lengths.setdefault(word[0], set()).add(len(word))
    phrases: dict[str, tuple[str, ...]] = {}
    for phrase in kinds:
        if " " in phrase:
            first = phrase.partition(" ")[0]
            phrases[first] = (*phrases.get(first, ()), phrase)
    return Lexicon(kinds, {first: tuple(sorted(found, reverse=True)) for first, found in lengths.items()}, phrases)


def _words(listed: str | list[list[str]]) -> Iterator[str]:
    """Words of a list, or of compounds: one part of each column, joined (按 照, 指引 步骤); · is no part."""
    if isinstance(listed, str):
        yield from listed.split()
        return
    for columns in listed:
        for parts in product(*(column.split() for column in columns)):
            yield "".join(parts).replace("·", "")
