"""jieba's words, read from the package alone, as far as texts need them.

By itself jieba first reads `jieba.cache` in the system's temporary folder, whoever put it there: words, and with them
reports and scores, could be changed by any account. Otherwise it builds half a million prefixes, most of which begin
with a character that no text of the day has.
"""

from collections import defaultdict
from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter

import jieba


class ChineseWords:
    """The words of a tokenizer of our own: what others add to jieba's shared one moves nothing here."""

    def __init__(self) -> None:
        jieba.setLogLevel("WARNING")
        self._tokenizer = jieba.Tokenizer()
        with self._tokenizer.get_dict_file() as file:
            lines = file.read().decode().splitlines()
        self._unread = defaultdict[str, list[str]](list)
        for first, beginning_so in groupby(lines, itemgetter(0)):
            self._unread[first] += beginning_so
        self._tokenizer.total = sum(int(line.split(" ", 2)[1]) for line in lines)
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
            for line in self._unread[first]:
                word, frequency, _ = line.split(" ")
                known[word] = int(frequency)
                for end in range(1, len(word)):
                    known.setdefault(word[:end], 0)
            self._unread.pop(first, None)
