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
    CONCESSION = auto()
    CONTRAST = auto()
    NEGATION = auto()
    RHETORIC = auto()
    DENIED = auto()
    FAINT = auto()
    SPENT = auto()
    REACHED = auto()
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
    PROVIDED = auto()
    IN_CASE = auto()
    USER = auto()
    AGENT = auto()
    THIRD = auto()
    CLIENT = auto()
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
    HALF = auto()
    NO = auto()
    REFUSAL = auto()
    COMPLAINT = auto()
    MILD_YES = auto()
    MILD_NO = auto()
    GESTURE_YES = auto()
    GESTURE_NO = auto()
    COURTESY = auto()
    OTHER = auto()


Word = tuple[str, Kind]

_ENDS: Final = frozenset({Kind.END, Kind.CONCESSION, Kind.CONTRAST})

_OR_NOT: Final = re.compile("([^有])[不没](?=\\1)")  # 满不满意, 生没生气

_LATIN: Final = re.compile("[a-z]+")

_ENDINGS: Final = ("ly", "ness", "ing", "ed", "es", "d", "s")

_SHORTEST_STEM: Final = 4

_VERDICTS: Final = frozenset(
    {Kind.YES, Kind.NO, Kind.REFUSAL, Kind.COMPLAINT, Kind.MILD_YES, Kind.MILD_NO, Kind.GESTURE_NO}
)

_ADVERB: Final = re.compile("[a-z]{2,16}ly")


class Lexicon(NamedTuple):
    """The kinds by word, the lengths of the words by their first character, the longest first, and English phrases."""

    kinds: Mapping[str, Kind]
    lengths: Mapping[str, tuple[int, ...]]
    phrases: Mapping[str, tuple[str, ...]]  # by their first word

    def clauses(self, sentence: str) -> list[list[Word]]:
        """The words of each clause with their kinds, the one that ends it included; a run of unknown words is one."""
        clauses = self._parted(sentence)
        kinds = {kind for clause in clauses for _, kind in clause}
        if Kind.CLIENT not in kinds:
            return clauses
        who = Kind.THIRD if Kind.USER in kinds else Kind.USER  # 家长同意调课, 用户替家长询问
        return [[(word, who if kind is Kind.CLIENT else kind) for word, kind in clause] for clause in clauses]

    def _parted(self, sentence: str) -> list[list[Word]]:
        clauses: list[list[Word]] = []
        clause: list[Word] = []
        at, end, unknown = 0, len(sentence), 0
        while at < end:
            if sentence[at] == " ":
                at += 1
                unknown = at if unknown == at - 1 else unknown
                continue
            word, known = self._word_at(sentence, at)
            if known is None:
                at += 1
                continue
            if at > unknown:
                clause.append((sentence[unknown:at], Kind.OTHER))
            clause.append((word, known))
            at += len(word)
            unknown = at
            if known in _ENDS or word == "?":
                clauses.append(clause)
                clause = []
        if end > unknown:
            clause.append((sentence[unknown:end], Kind.OTHER))
        if clause:
            clauses.append(clause)
        return clauses

    def _word_at(self, sentence: str, at: int) -> tuple[str, Kind | None]:
        """The longest word that begins at a place, and its kind; None for a character that begins none."""
        first = sentence[at]
        if "a" <= first <= "z":
            word = _latin_word(sentence, at)
            word = next((long for long in self.phrases.get(word, ()) if _stands_at(long, sentence, at)), word)
            return word, self.kinds.get(word) or self._inflected(word)
        if (question := _OR_NOT.match(sentence, at)) is not None:
            return question[0], Kind.QUESTION
        word, known = self._longest(sentence, at)
        if len(word) > 1 and known is not Kind.NEGATION and self.kinds.get(sentence[at]) is Kind.NEGATION:
            denied, _ = self._longest(sentence, at + 1) if len(word) == 2 else ("", None)
            if len(denied) > 1 and denied in self.kinds:  # 不|解决 and not 不解|决
                return sentence[at], Kind.NEGATION
        if known is Kind.BRIDGE:
            for parts_at in range(at + 1, at + len(word)):
                # 极|强硬 and not 极强|硬: a verdict goes before a longer word that runs into it.
                verdict, kind = self._longest(sentence, parts_at)
                if kind in _VERDICTS and parts_at + len(verdict) > at + len(word):
                    shorter = sentence[at:parts_at]
                    return (shorter, self.kinds[shorter]) if shorter in self.kinds else (word, known)
        return word, known

    def _longest(self, sentence: str, at: int) -> tuple[str, Kind | None]:
        for length in self.lengths.get(sentence[at], ()):
            word = sentence[at : at + length]
            if (known := self.kinds.get(word)) is not None:
                return word, known
        return sentence[at], None

    def _inflected(self, word: str) -> Kind:
        """The kind of an English word that is not listed: that of a verdict that it is a form of."""
        for ending in _ENDINGS:
            stem = word.removesuffix(ending)
            if stem is word or len(stem) < _SHORTEST_STEM:
                continue
            for form in (stem, f"{stem}e", f"{stem[:-1]}y"):
                if (kind := self.kinds.get(form)) in _VERDICTS:
                    return kind
        return Kind.BRIDGE if _ADVERB.fullmatch(word) else Kind.OTHER


def _stands_at(phrase: str, sentence: str, at: int) -> bool:
    end = at + len(phrase)
    return sentence.startswith(phrase, at) and not "a" <= sentence[end : end + 1] <= "z"


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
    for phrase in sorted(kinds, key=len, reverse=True):
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
