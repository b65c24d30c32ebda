"""Rules find their words in traditional characters, too."""

from pathlib import Path

import pytest

from tasks.domain.traditional import CHARACTERS, TABLE, simplified
from tasks.parsing import lexicon
from tasks.parsing.verdicts import accepted_of, negative_sentiment_of

# No traditional text writes them otherwise, or what it writes is a character of its own there (着 as 著).
_SAME_IN_BOTH = set("着诮嘞综")


def is_simplified_only(character: str) -> bool:
    """Return true for a character that the simplified set has and the traditional one has not."""
    try:
        character.encode("gb2312")
    except UnicodeEncodeError:
        return False
    try:
        character.encode("big5")
    except UnicodeEncodeError:
        return True
    return False


def test_every_character_of_a_verdicts_word_has_its_traditional_form():
    words = Path(lexicon.__file__).with_name("verdicts.toml").read_text(encoding="utf-8")
    simple = {character for character in words if "\u4e00" <= character < "\ua000" and is_simplified_only(character)}
    assert simple - {chr(code) for code in TABLE.values()} - _SAME_IN_BOTH == set()


def test_simplified_changes_no_place_and_nothing_twice():
    text = "".join(sorted(CHARACTERS))
    assert len(simplified(text)) == len(text)
    assert simplified(simplified(text)) == simplified(text)


@pytest.mark.parametrize(
    ("text", "negative"),
    [("用戶很著急", True), ("用戶態度尷尬，帶著怒氣", True), ("沒有顯著不滿", False), ("用戶沒有著急", False)],
)
def test_a_mood_in_traditional_characters_is_read(text, negative):
    assert negative_sentiment_of(text) is negative


def test_acceptance_in_traditional_characters_is_read():
    assert accepted_of("審核通過後用戶接受") is True
    assert accepted_of("用戶懶得換") is False
