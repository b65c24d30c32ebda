"""Phrases: runs of words that texts share, as free text's stand-in for a dimension."""

import re

from tasks.reporting.rules.words import cut_words, is_stop_word

_MAX_TEXT_CHARACTERS = 200

_MAX_PHRASE_CHARACTERS = 16

_WORDLIKE = re.compile(r"[\u4e00-\u9fffA-Za-z0-9]+")

_PARTICLES = frozenset("的了没吗呢吧啊嘛在是有和与就都也还又再被把给让对从向不很太最我你他她它们这那个")

_NUMBER = re.compile(r"[0-9一二三四五六七八九十百千万两几]+")


def phrases(text: str, longest: int) -> set[str]:
    """Return every run of one to `longest` neighboring words of a text that may name something.

    A run neither begins nor ends with a stop word or a number and has 2 to 16 characters. Words that no dictionary
    knows, such as a new courier's name, fall into single characters and come back as runs of those.
    """
    found: set[str] = set()
    for run in _runs(text[:_MAX_TEXT_CHARACTERS]):
        ends = [not (is_stop_word(word) or word in _PARTICLES or _NUMBER.fullmatch(word)) for word in run]
        for first, may_begin in enumerate(ends):
            if not may_begin:
                continue
            phrase = ""
            for last in range(first, min(first + longest, len(run))):
                phrase += run[last]
                if len(phrase) > _MAX_PHRASE_CHARACTERS:
                    break
                if ends[last] and len(phrase) > 1:
                    found.add(phrase)
    return found


def _runs(text: str) -> list[list[str]]:
    """Split a text into words, anew at every punctuation mark."""
    runs: list[list[str]] = [[]]
    for word in cut_words(text):
        if _WORDLIKE.fullmatch(word):
            runs[-1].append(word)
        elif runs[-1]:
            runs.append([])
    return runs
