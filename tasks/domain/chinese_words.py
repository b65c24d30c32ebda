"""jieba's words, read from the package alone, as far as texts need them.

By itself jieba first reads `jieba.cache` in the system's temporary folder, whoever put it there: words, and with them
reports and scores, could be changed by any account. Otherwise it builds half a million prefixes, most of which begin
with a character that no text of the day has.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from itertools import chain
from math import log
from typing import Final

import jieba
import numpy as np

# Lines of jieba's dictionary, such as `快递 105 n`, that begin with the same character.
_ALIKE: Final = re.compile(r"^(.).*\n(?:\1.*\n)*", re.MULTILINE)


class _Tokenizer(jieba.Tokenizer):  # type: ignore[misc]  # no stub describes it
    """jieba's tokenizer, which finds the words that begin at a place and the likeliest of them in one go."""

    def get_DAG(self, sentence: str) -> None:
        """Leave the words to `calc`."""

    def calc(self, sentence: str, DAG: None, route: dict[int, tuple[float, int]]) -> None:
        """Put the end of the likeliest word that begins at each place into `route`, the last of equally likely ones."""
        known = self.FREQ
        log_of_total = log(self.total)
        many = len(sentence)
        likelihoods = [0.0] * (many + 1)  # of all words from a place on
        route[many] = (0, 0)
        for begin in range(many - 1, -1, -1):
            likeliest, last = None, begin
            end = begin + 1
            while end <= many and (frequency := known.get(sentence[begin:end])) is not None:
                if frequency:
                    likelihood = log(frequency) - log_of_total + likelihoods[end]
                    if likeliest is None or likelihood >= likeliest:
                        likeliest, last = likelihood, end - 1
                end += 1
            if likeliest is None:  # in no dictionary
                likeliest = -log_of_total + likelihoods[begin + 1]
            likelihoods[begin] = likeliest
            route[begin] = (likeliest, last)


class ChineseWords:
    """The words of a tokenizer of our own: what others add to jieba's shared one moves nothing here."""

    def __init__(self) -> None:
        jieba.setLogLevel("WARNING")
        self._tokenizer = _Tokenizer()
        with self._tokenizer.get_dict_file() as file:
            dictionary = file.read()
        self._unread = defaultdict[str, list[str]](list)
        for lines in _ALIKE.finditer(dictionary.decode()):
            self._unread[lines[1]].append(lines[0])
        self._tokenizer.total = _total(dictionary)
        self._tokenizer.initialized = True

    def cut(self, text: str, guess: bool = True) -> Iterator[str]:
        """Cut a text as jieba does by default, or without the words that it guesses."""
        self._read(text)
        words: Iterator[str] = self._tokenizer.cut(text, HMM=guess)
        return words

    @staticmethod
    def pieces(text: str) -> list[str]:
        """The pieces of a text that `cut` looks at one by one: no word of one depends on another."""
        return [piece for piece in jieba.re_han_default.split(text) if piece]

    def add(self, word: str) -> None:
        """Add a word, as frequent as it takes to be cut as one."""
        self._read(word)
        self._tokenizer.add_word(word)

    def _read(self, text: str) -> None:
        """Read the words that begin with one of the text's characters: a word at no other place of it matters."""
        known = self._tokenizer.FREQ
        for first in [character for character in set(text) if character in self._unread]:
            for line in chain.from_iterable(map(str.splitlines, self._unread[first])):
                word, frequency, _ = line.split(" ")
                known[word] = int(frequency)
                for end in range(1, len(word)):
                    known.setdefault(word[:end], 0)
            self._unread.pop(first, None)


def _total(dictionary: bytes) -> int:
    """Add the frequencies up: digit by digit in an array, since line by line takes a tenth of a second."""
    signs = np.frombuffer(dictionary, dtype=np.uint8)
    blanks = np.flatnonzero(signs == ord(" "))  # two in each line, around its frequency
    begins, places = blanks[0::2] + 1, blanks[1::2] - 1
    total, worth = 0, 1
    while len(places):
        total += int(signs[places].sum(dtype=np.int64) - len(places) * ord("0")) * worth
        begins, places, worth = begins[places > begins], places[places > begins] - 1, worth * 10
    return total
