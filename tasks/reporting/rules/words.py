"""TermCounts."""

import re
from functools import cache
from pathlib import Path
from typing import Any

import jieba

from tasks.domain.chinese_words import load_dictionary

_MAX_TEXT_CHARACTERS = 300

_NOT_WORDS = re.compile(r"\[[^\[\]]{1,20}\]|(?:https?://|www\.)[\x21-\x7e]+", re.IGNORECASE)

_WORD = re.compile(r"[\u4e00-\u9fffA-Za-z]{2,}")

_WORDS_FOLDER = Path(__file__).parents[1] / "words"


def cut_words(text: str) -> list[str]:
    """Cut a text into words and marks; placeholders and addresses become a mark each."""
    # Without HMM: the words it guesses are mostly scraps of two others.
    return [word.lower() for word in _tokenizer()[0].cut(_NOT_WORDS.sub("；", text), HMM=False)]


def is_stop_word(word: str) -> bool:
    """Return true for a stop word that is no word of the shop's."""
    _, stop_words, shop_words = _tokenizer()
    return word in stop_words and word not in shop_words


def issue_words(issue: str) -> set[str]:
    """The words that say what an issue is about: no stop words, numbers, placeholders, addresses."""
    tokenizer, stop_words, shop_words = _tokenizer()
    text = _NOT_WORDS.sub(" ", issue[:_MAX_TEXT_CHARACTERS])
    # Without HMM: the words it guesses are mostly scraps of two others.
    words = (word.lower() for word in tokenizer.cut(text, HMM=False))
    return {word for word in words if word in shop_words or (_WORD.fullmatch(word) and word not in stop_words)}


def plan_words(plan: str) -> set[str]:
    """The words that say what was offered: likewise, and without what agents say whatever they offer."""
    return issue_words(plan) - _agents_words()


@cache
def _agents_words() -> frozenset[str]:
    return frozenset(_word_list("plan_stop_words.txt"))


@cache
def _tokenizer() -> tuple[Any, frozenset[str], frozenset[str]]:
    """A tokenizer of our own (jieba's default one scores models and must stay as it is), stop words, shop words."""
    jieba.setLogLevel("WARNING")
    tokenizer = load_dictionary(jieba.Tokenizer())
    shop_words = _word_list("shop_words.txt")
    for word in shop_words:
        if len(word) > 1:
            tokenizer.add_word(word)
    return tokenizer, frozenset(_word_list("stop_words.txt")), frozenset(shop_words)


def _word_list(name: str) -> list[str]:
    lines = (_WORDS_FOLDER / name).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]
