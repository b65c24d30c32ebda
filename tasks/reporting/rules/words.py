"""TermCounts."""

import re
from functools import cache, lru_cache
from pathlib import Path

from tasks.domain.chinese_words import ChineseWords

_MAX_TEXT_CHARACTERS = 300

_NOT_WORDS = re.compile(r"\[[^\[\]]{1,20}\]|(?:https?://|www\.)[\x21-\x7e]+", re.IGNORECASE)

_WORD = re.compile(r"[\u4e00-\u9fffA-Za-z]{2,}")

_WORDS_FOLDER = Path(__file__).parents[1] / "words"


def cut_words(text: str) -> list[str]:
    """Cut a text into words and marks; placeholders and addresses become a mark each."""
    # Without HMM: the words it guesses are mostly scraps of two others.
    return [word.lower() for word in _words()[0].cut(_NOT_WORDS.sub("；", text), guess=False)]


def is_stop_word(word: str) -> bool:
    """Return true for a stop word that is no word of the shop's."""
    _, stop_words, shop_words = _words()
    return word in stop_words and word not in shop_words


def issue_words(issue: str) -> set[str]:
    """The words that say what an issue is about: no stop words, numbers, placeholders, addresses."""
    text = _NOT_WORDS.sub(" ", issue[:_MAX_TEXT_CHARACTERS])
    return set[str]().union(*map(_telling_words, ChineseWords.pieces(text)))


@lru_cache(maxsize=1 << 12)
def _telling_words(piece: str) -> frozenset[str]:
    """The words of a piece of a text; agents, and rules that quote, say the same ones again and again."""
    all_words, stop_words, shop_words = _words()
    # Without HMM: the words it guesses are mostly scraps of two others.
    words = (word.lower() for word in all_words.cut(piece, guess=False))
    return frozenset(word for word in words if word in shop_words or (_WORD.fullmatch(word) and word not in stop_words))


def plan_words(plan: str) -> set[str]:
    """The words that say what was offered: likewise, and without what agents say whatever they offer."""
    return issue_words(plan) - _agents_words()


@cache
def _agents_words() -> frozenset[str]:
    return frozenset(_word_list("plan_stop_words.txt"))


@cache
def _words() -> tuple[ChineseWords, frozenset[str], frozenset[str]]:
    """All words, among them the shop's; stop words; shop words."""
    all_words = ChineseWords()
    shop_words = _word_list("shop_words.txt")
    for word in shop_words:
        if len(word) > 1:
            all_words.add(word)
    return all_words, frozenset(_word_list("stop_words.txt")), frozenset(shop_words)


def _word_list(name: str) -> list[str]:
    lines = (_WORDS_FOLDER / name).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]
