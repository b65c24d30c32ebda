"""Learn where a name stands in a sentence, by `python -m tasks.tuning.naming`.

`said.txt` has sentences with `{n}` where a name stands, with `{p}` where one such as 小周 does, and with `{s}` where a
surname does before a short title `{t}`.
Names are made of jieba's and of the characters that given names have. What only looks like one comes from
`no_names.txt`, in which `{n}` is a star's and `{w}` a brand or a word, from the sentences by which orders are learned,
and from jieba's other words. The everyday ones of these become a table, with those of `words.txt`, which jieba takes
for names. Needs scikit-learn, which only development installs. The same texts give the same files.
"""

import hashlib
import random
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Final

import jieba
import numpy as np

from tasks.preparing.masks.likely_names import SCALE, SHORT_TITLES, TWICE, WEIGHTS, candidates, features
from tasks.preparing.masks.names import is_announced
from tasks.preparing.masks.plain import plain_of
from tasks.preparing.masks.tables import (
    BRANDS,
    CHARACTER_FILE,
    DOUBLE_SURNAMES,
    EVERYDAY_WORDS,
    GIVEN,
    KNOWN,
    LISTED_GIVEN,
    RARE,
    SURNAMES,
    WORD_FILE,
    WORDS_AS_NAMES,
)
from tasks.themes.training.corpus import WRITTEN, training_set
from tasks.tuning.wording.__main__ import lines as sentences_of

_FOLDER: Final = Path(__file__).parent

_TIMES: Final = 80  # names that each sentence is said with

_TIMES_ANYWHERE: Final = 3  # names that stand somewhere in each sentence without one

_TIMES_BRANDS: Final = 5  # what is near to names weighs more than other sentences

_STRENGTH: Final = 0.5

_LEAST: Final = 0.05  # a feature of less weight is left out

_FEWEST: Final = 3  # candidates that a feature is of

_TIMES_STARS: Final = 30  # names of stars, or words, that each sentence is said with

_EVERYDAY: Final = 30  # times that jieba counted a word which nobody takes for a name

_KNOWN_PLACE: Final = 3  # times that it counted a place

_KNOWN_WORD: Final = 20  # times that jieba counted a longer word, which a name can seem to lie in


def _dictionary() -> Iterator[tuple[str, int, str]]:
    """Yield jieba's words of Chinese characters, how often each is and its part of speech."""
    for line in (Path(jieba.__file__).parent / "dict.txt").read_text(encoding="utf-8").splitlines():
        word, times, part = line.split(" ")
        if all("\u4e00" <= sign <= "\u9fff" for sign in word):
            yield word, int(times), part


def write_words() -> None:
    """Write the everyday words of two characters, a line for those that begin alike, and what words are made of."""
    begun: dict[str, set[str]] = defaultdict(set)
    words = set((_FOLDER / "words.txt").read_text(encoding="utf-8").split())
    signs = {sign for sentence in training_set() for sign in sentence.text}
    for word, times, part in _dictionary():
        if len(word) == 2 and times >= (_KNOWN_PLACE if part == "ns" else _EVERYDAY) and not part.startswith("nr"):
            words.add(word)
        if len(word) > 1 and times >= _KNOWN_WORD and not part.startswith("nr"):
            signs.update(word)
    for word in words:
        begun[word[0]].add(word[1])
    everyday = "".join(
        sorted(
            sign for sign in signs if "\u4e00" <= sign <= "\u9fff" and sign not in KNOWN and sign not in LISTED_GIVEN
        )
    )
    text = "".join(f"{first}{''.join(sorted(others))}\n" for first, others in sorted(begun.items()))
    characters = "".join(f"{everyday[start : start + 100]}\n" for start in range(0, len(everyday), 100))
    changed = [
        file
        for file, found in ((WORD_FILE, text), (CHARACTER_FILE, characters))
        if not file.exists() or file.read_text(encoding="utf-8") != found
    ]
    for file in changed:
        file.write_text(text if file == WORD_FILE else characters, encoding="utf-8")
    if changed:
        sys.exit("The everyday words and characters are written anew: run it again, now that they are read.")


class _Names:
    """Names as people have them: from jieba, and surnames with characters of given names."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        known = [word for word, _, part in _dictionary() if part == "nr" and _is_name(word)]
        self._known: list[str] = sorted(known)
        first = Counter(name[0] for name in known)
        given = Counter(sign for name in known for sign in name[1:])
        self._surnames, self._times = sorted(first), [first[sign] for sign in sorted(first)]
        self._signs, self._given_times = sorted(given), [given[sign] for sign in sorted(given)]
        self._rare = sorted(sign for sign in RARE if sign.isprintable() and _is_in_gb_2312(sign))
        self._rare_surnames = sorted(SURNAMES & RARE)
        self._words_as_names = sorted(WORDS_AS_NAMES)
        self._words = sorted({*BRANDS, *(word for word in EVERYDAY_WORDS if word[0] in SURNAMES)})

    def make(self) -> str:
        kind = self._rng.random()
        if kind < 0.4:
            return self._rng.choice(self._known)
        if kind < 0.46:
            return self.pet()
        if kind < 0.49:
            return self._rng.choice(self._words_as_names)
        size = self._rng.choice((1, 1, 2, 2, 2))
        choice = self._rng.random()
        if choice < 0.03:
            surname = self._rng.choice(DOUBLE_SURNAMES)
        elif choice < 0.06:
            surname = self._rng.choice(self._rare_surnames)
        elif choice < 0.3:
            surname = self._rng.choice(self._surnames)
        else:
            surname = self.surname()
        given = self._rng.choices(self._signs, self._given_times, k=size)
        if self._rng.random() < 0.08:
            given[self._rng.randrange(size)] = self._rng.choice(self._rare)
        if size == 2 and self._rng.random() < 0.1:  # 池早早
            given[1] = given[0] = self._rng.choice([given[0], self._rng.choice(TWICE)])
        return surname + "".join(given)

    def pet(self) -> str:
        """小周, 老周, 阿强: with a surname, or as seldom as people say it with a part of the given name."""
        first = self._rng.choice("小小小小老老老阿阿大")
        if self._rng.random() < (0.7 if first == "阿" else 0.15):
            return first + self._rng.choices(self._signs, self._given_times)[0]
        return first + self.surname()

    def surname(self) -> str:
        return self._rng.choices(self._surnames, self._times)[0]

    def title(self) -> str:
        return self._rng.choice(SHORT_TITLES)

    def word(self) -> str:
        return self._rng.choice(self._words)


def _is_in_gb_2312(sign: str) -> bool:
    try:
        return bool(sign.encode("gb2312"))
    except UnicodeEncodeError:
        return False


def _is_name(word: str) -> bool:
    return word[0] in SURNAMES and 2 <= len(word) <= 3 and all(sign in GIVEN for sign in word[1:])


def _with_names(line: str, names: _Names) -> tuple[str, set[tuple[int, int]]]:
    """The sentence with names, titles or words in it, and where the names stand."""
    text, spans = "", set()
    made = {"{n}": names.make, "{p}": names.pet, "{s}": names.surname, "{t}": names.title, "{w}": names.word}
    for part in re.split(r"(\{[npstw]\})", line):
        said = made[part]() if part in made else part
        if part in ("{n}", "{p}", "{s}"):
            spans.add((len(text), len(text) + len(said)))
        text += said
    return plain_of(text), spans


def _said(names: _Names, rng: random.Random) -> Iterator[tuple[str, set[tuple[int, int]]]]:
    """Yield sentences and where their names stand."""
    for line in (_FOLDER / "said.txt").read_text(encoding="utf-8").splitlines():
        for _ in range(_TIMES):
            yield _with_names(line, names)
    # Between any two words, so that a name which is like no word needs no neighbor.
    for text in _not_said(names):
        for _ in range(_TIMES_ANYWHERE):
            place = rng.randrange(len(text) + 1)
            if text[max(place - 1, 0) : place + 1] not in EVERYDAY_WORDS:
                name = names.make()
                yield text[:place] + name + text[place:], {(place, place + len(name))}


def _not_said(names: _Names) -> Iterator[str]:
    """Yield sentences without a person's name."""
    for text in sorted({sentence.text for sentence in training_set() if sentence.weight == WRITTEN}):
        if not is_announced(plain_of(text)):
            yield plain_of(text)
    for name in ("honest.txt", "customers.txt", "small_talk.txt", "orders.txt"):
        yield from map(plain_of, sentences_of(name))
    for line in (_FOLDER / "no_names.txt").read_text(encoding="utf-8").splitlines():
        for _ in range(_TIMES_STARS if "{" in line else _TIMES_BRANDS):
            yield _with_names(line, names)[0]


def _words(names: _Names, rng: random.Random) -> Iterator[str]:
    """Yield words that hold what could be a name: longer ones alone and where a name could stand, others anywhere."""
    said = (_FOLDER / "said.txt").read_text(encoding="utf-8").splitlines()
    other = list(_not_said(names))
    for word, times, part in _dictionary():
        if len(word) > 2 and times >= _KNOWN_WORD and not part.startswith("nr") and next(candidates(word), None):
            yield word
            yield plain_of(re.sub(r"\{[npst]\}", word, rng.choice(said)))
        elif word in EVERYDAY_WORDS and word[0] in SURNAMES:
            for text in rng.choices(other, k=_TIMES_ANYWHERE):
                place = rng.randrange(len(text) + 1)
                yield text[:place] + word + text[place:]


def digest() -> str:
    """A name for the texts of this folder, which the weights bear that were learned from them."""
    return hashlib.sha256(b"".join((_FOLDER / name).read_bytes() for name in ("said.txt", "no_names.txt"))).hexdigest()[
        :16
    ]


def main() -> None:
    """Write the words, learn, round the weights and write them."""
    from scipy.sparse import csr_matrix  # noqa: PLC0415  only training needs these, and takes a second to load them
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415

    write_words()
    rng = random.Random(1)
    names = _Names(rng)
    examples: list[tuple[frozenset[str], bool]] = []
    for text, spans in chain(
        _said(names, rng), ((text, set()) for text in chain(_not_said(names), _words(names, rng)))
    ):
        examples += [(frozenset(features(text, *span)), span in spans) for span in candidates(text)]
    often = Counter(feature for found, _ in examples for feature in found)
    columns = {name: number for number, name in enumerate(sorted(f for f, count in often.items() if count >= _FEWEST))}
    places = [
        (row, columns[name]) for row, (found, _) in enumerate(examples) for name in sorted(found & columns.keys())
    ]
    rows, numbers = zip(*places, strict=True)
    matrix = csr_matrix((np.ones(len(rows)), (rows, numbers)), shape=(len(examples), len(columns)))
    wanted = np.array([is_name for _, is_name in examples])
    model = LogisticRegression(C=_STRENGTH, solver="liblinear", random_state=0).fit(matrix, wanted)
    weights = {name: model.coef_[0][column] for name, column in columns.items()}
    written = [f"{round(weight * SCALE)}\t{name}" for name, weight in weights.items() if abs(weight) >= _LEAST]
    first = f"{round(model.intercept_[0] * SCALE)}\t{digest()}"
    WEIGHTS.write_text("\n".join([first, *written]) + "\n", encoding="utf-8")
    sys.stdout.write(f"{wanted.sum()} names, {len(wanted) - wanted.sum()} others, {len(written)} weights: {WEIGHTS}\n")


if __name__ == "__main__":
    main()
