"""The fields of an answer that plain words of its conversation contradict.

A model may believe a customer who dictates the summary. What people plainly say remains: a last word that refuses or
agrees, an insult, a sum that no agent named. Only such words count here, so that hardly an honest answer is
contradicted; messages that try to steer the reader count for nothing. Values stay as answered: such rows are for people
to review.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from tasks.domain.pattern_signs import SignedPattern
from tasks.domain.records import Fields, Request, Turn
from tasks.preparing.borders import is_suspicious

_SENTENCE: Final = re.compile(r"[^。！？!?；;，,\n~ ]+[！？!?]?")

_REFUSES: Final = re.compile(
    r"不接受|不同意|不认可|接受不了|(?:不能|没法|无法)接受|没道理|凭什么|(?:我要|我会|我去|等着|马上)(?:去)?(?:投诉|举报|曝光|起诉)|"
    r"12315|再也不(?:买|来|用)|^(?:那|这|我|也)?(?:不行|不可以|不要|拒绝)[啊吧]?$|骗子|(?:必须|坚持)(?:要)?(?:退|赔|换)|一定要(?:退|赔)"
)

_AGREES: Final = re.compile(
    r"^(?:那|我|嗯|恩|哦|这样)*(?:好的?|行|可以|没问题|同意|接受|听你的|就这样|就这么办|明白|知道|收到)(?:了|吧|的|呀|啊|哈|呢|嘞|滴|哒)*$"
)

_THANKS: Final = re.compile(r"谢|感谢|辛苦|麻烦你?您?了|thank", re.IGNORECASE)

_ANGRY: Final = re.compile(
    r"骗子|骗人|忽悠|垃圾|扯淡|扯犊子|耍我|敷衍|他妈|妈的|尼玛|傻[逼比叉]|王八蛋|混蛋|不要脸|无耻|黑心|恶心|气死|恶劣|凭什么|"
    r"(?:我要|我会|我去|等着|马上|就)(?:去)?(?:投诉|举报|曝光|起诉|差评)|12315|消协|再也不(?:买|来|用)|太过分"
)

_CALMED: Final = re.compile(r"不|没|别|吗|怎么|如何|垃圾(?:桶|袋|箱|处理|分类)")

_SUM: Final = re.compile(
    r"(?<![0-9.])[0-9]+(?:\.[0-9]+)?(?=[ ]?(?:元|块|万|倍|折))|"
    r"[一二两三四五六七八九十百千万]{2,6}(?=[ ]?(?:元|块钱|万元))|[一二两三四五六七八九十百千万]{1,6}(?=[ ]?倍)"
)

_PROMISE: Final = re.compile(r"赔|补偿|免单|双倍|全额|全款|终身|永久|仅退款")

_IS_REFUSED: Final = SignedPattern(_REFUSES)

_IS_ANGRY: Final = SignedPattern(_ANGRY)

_SUMS: Final = SignedPattern(_SUM)

_QUOTED: Final = 10  # characters that a plan does not share with a user's message by chance


def contradicted_fields(request: Request, fields: Fields) -> tuple[str, ...]:
    """The names of the fields that the conversation's plain words contradict, in the table's order."""
    turns = request.conversation.turns
    if request.suspicious:
        turns = tuple(turn for turn in turns if not is_suspicious(turn.text, by_user=turn.role == "user"))
    found = []
    if fields.plan and _is_the_users_own(fields.plan, request.conversation.turns):
        found.append("plan")
    if fields.accepted is not None and last_word(turns) is (not fields.accepted):
        found.append("accepted")
    if fields.negative_sentiment is False and is_angry(turns):
        found.append("negative_sentiment")
    return tuple(found)


def last_word(turns: Sequence[Turn]) -> bool | None:
    """A user's verdict on what the agent said, where all their words about it are plainly of one kind."""
    agreed = refused = False
    last: bool | None = None
    for sentence in _answers(turns):
        if _IS_REFUSED.search(sentence) and not sentence.endswith(("?", "？")):
            refused, last = True, False
        elif _AGREES.match(sentence):
            agreed, last = True, True
        elif _THANKS.search(sentence):
            agreed = True
    if agreed and refused:
        return None
    return None if last and is_angry(turns) else last


def is_angry(turns: Sequence[Turn]) -> bool:
    """Return true if a user insults, threatens or calls it a fraud, in plain words."""
    return any(
        _CALMED.search(turn.text[max(found.start() - 3, 0) : found.end() + 2]) is None
        for turn in turns
        if turn.role == "user"
        for found in _IS_ANGRY.finditer(turn.text)
    )


def _answers(turns: Sequence[Turn]) -> Iterable[str]:
    """The parts of sentences that a user says after an agent spoke."""
    answered = False
    for turn in turns:
        if turn.role != "user":
            answered = True
        elif answered:
            yield from _SENTENCE.findall(turn.text)


def _is_the_users_own(plan: str, turns: Sequence[Turn]) -> bool:
    """Return true if a plan promises or quotes what the user said and no agent did."""
    agents = "\n".join(turn.text for turn in turns if turn.role != "user")
    users = "\n".join(turn.text for turn in turns if turn.role == "user")
    named = [found[0] for pattern in (_SUMS, _PROMISE) for found in pattern.finditer(plan)]
    quotes = (plan[start : start + _QUOTED] for start in range(len(plan) - _QUOTED + 1))
    return any(words in users and words not in agents for words in (*named, *quotes))
