"""Denials of nothing in particular: 没有表现出来, 几乎没有, 仅咨询发票，未流露情绪."""

from typing import Final

from tasks.parsing.lexicon import Kind, Lexicon

_SAYS_NOTHING: Final = frozenset(
    {
        Kind.NEGATION,
        Kind.DENIED,
        Kind.BRIDGE,
        Kind.DEGREE,
        Kind.SHOW,
        Kind.TO,
        Kind.USER,
        Kind.OWNED,
        Kind.COORDINATION,
        Kind.END,
        Kind.CONCESSION,
    }
)

_THERE_IS: Final = frozenset(["有", "略有", "稍有", "有点", "有些", "有所", "存在"])

_OF_THE_TEXT: Final = frozenset(
    ["信息", "依据", "线索", "证据", "内容", "发言", "看不出", "看不到", "听不出"]
)  # not of a mood

_MOOD: Final = frozenset(["情绪", "情感", "emotion", "emotions", "sentiment"])


def is_any(sentence: str, lexicon: Lexicon) -> bool | None:
    """Return true for some, false for none (有一点, 几乎没有), in a sentence that names nothing; None for any other."""
    words = [word for clause in lexicon.clauses(sentence) for word in clause]
    denials = sum(kind in (Kind.NEGATION, Kind.DENIED) for _, kind in words)
    if not words or any(kind not in _SAYS_NOTHING or word in _OF_THE_TEXT for word, kind in words):
        return None
    if denials > 1 and any(word == "的" for word, _ in words):  # 没有不该有的冲动
        return None
    return denials % 2 == 0 if denials or words[0][0] in _THERE_IS else None


def names_no_mood(sentence: str, lexicon: Lexicon) -> bool:
    """Return true where a clause denies any mood at all: 仅咨询发票，未流露情绪."""
    return any(
        is_any("".join(word for word, _ in clause), lexicon) is False and any(word in _MOOD for word, _ in clause)
        for clause in lexicon.clauses(sentence)
    )
