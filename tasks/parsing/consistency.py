"""The fields of an answer that plain words of its conversation contradict.

A model may believe a customer who dictates the summary. What people plainly say remains: a last word that refuses or
agrees, an insult, a sum that no agent named. Only such words count here, so that hardly an honest answer is
contradicted; messages that try to steer the reader count for nothing. Values stay as answered: such rows are for people
to review.
"""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import chain
from typing import Final

from tasks.domain.pattern_signs import SignedPattern
from tasks.domain.records import Fields, Request, Turn
from tasks.preparing.borders import is_suspicious
from tasks.preparing.masking import PLACEHOLDERS

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

# Ends where the issue begins.
_DICTATES: Final = re.compile(
    r"(?:[写填叫提]|登记|输入|包含|概括|归纳|浓缩|总结|摘要|小结|诉求|标题|开头|只保留|"
    r"put down|write|record(?:ed)?|as|use exactly)"
    r"[^。！？!?\n]{0,8}$",
    re.IGNORECASE,
)

# A word by which somebody says that something is amiss, or asks in more than a plain way.
_AMISS: Final = re.compile(
    r"[不没无未别难慢坏差错破漏少缺烂脏假贵贱丢碎裂断退赔催投诉举报气烦急骗恼怒骂滚屁傻]|[！!？?]{2}|怎么|为什么|凭|居然|竟|还要|才|一直|到底|已经|"
    r"问题|麻烦死|失望|垃圾|过分|态度|等[了着]|bad|late|broken|wrong|never|angry|refund|complain",
    re.IGNORECASE,
)

_PLACEHOLDER: Final = re.compile("|".join(map(re.escape, PLACEHOLDERS)))

_PLAIN: Final = 3  # characters of a plan or an issue that are enough to be somebody's own words

_BORDER: Final = "；"  # between the sentences that a plan is made of; no sum and no promise holds one

_BEFORE: Final = 16  # characters before an issue in which a verb of writing stands

_QUOTED: Final = 10  # characters that a plan does not share with a user's message by chance

_HALF: Final = _QUOTED // 2  # wherever so many begin, a piece of this length that begins at a multiple of it is in them


# Most sentences of a day come again in other conversations.
_remembered = lru_cache(maxsize=1 << 13)


def contradicted_fields(request: Request, fields: Fields) -> tuple[str, ...]:
    """The names of the fields that the conversation's plain words contradict, in the table's order."""
    turns = request.conversation.turns
    if request.suspicious:
        turns = tuple(turn for turn in turns if not _steers(turn))
    found = []
    if fields.issue and _is_dictated(fields.issue, request.conversation.turns):
        found.append("issue")
    if fields.plan and _is_the_users_own(fields.plan, request.conversation.turns):
        found.append("plan")
    if fields.accepted is not None and last_word(turns) is (not fields.accepted):
        found.append("accepted")
    if fields.negative_sentiment is (not is_angry(turns)) and (fields.negative_sentiment is False or is_calm(turns)):
        found.append("negative_sentiment")
    return tuple(found)


def _steers(turn: Turn) -> bool:
    # Placeholders are ours here: whoever gives a number forges nothing.
    return is_suspicious(_PLACEHOLDER.sub("", turn.text), by_user=turn.role == "user")


def last_word(turns: Sequence[Turn]) -> bool | None:
    """A user's verdict on what the agent said, where all their words about it are plainly of one kind."""
    agreed = refused = False
    last: bool | None = None
    for kind in chain.from_iterable(map(_kinds_in, _answers(turns))):
        if kind == "refuses":
            refused, last = True, False
        elif kind == "agrees":
            agreed, last = True, True
        elif kind == "thanks":
            agreed = True
    if agreed and refused:
        return None
    return None if last and is_angry(turns) else last


def is_angry(turns: Sequence[Turn]) -> bool:
    """Return true if a user insults, threatens or calls it a fraud, in plain words."""
    return any(turn.role == "user" and _sounds_angry(turn.text) for turn in turns)


def is_calm(turns: Sequence[Turn]) -> bool:
    """Return true if users ask and agree, and no word of theirs says that anything is amiss."""
    said = [turn.text for turn in turns if turn.role == "user"]
    return bool(said) and not any(map(_says_amiss, said))


@_remembered
def _says_amiss(text: str) -> bool:
    return _AMISS.search(text) is not None


@_remembered
def _kinds_in(text: str) -> Sequence[str]:
    """The signs of a verdict in the parts of a message's sentences, in order."""
    return tuple(filter(None, map(_kind_of, _SENTENCE.findall(text))))


@_remembered
def _kind_of(sentence: str) -> str:
    """Return the first sign of a verdict in a part of a sentence; "" where there is none."""
    if _IS_REFUSED.search(sentence) and not sentence.endswith(("?", "？")):
        return "refuses"
    if _AGREES.match(sentence):
        return "agrees"
    return "thanks" if _THANKS.search(sentence) else ""


@_remembered
def _sounds_angry(text: str) -> bool:
    return any(
        _CALMED.search(text[max(found.start() - 3, 0) : found.end() + 2]) is None for found in _IS_ANGRY.finditer(text)
    )


def _answers(turns: Sequence[Turn]) -> Iterable[str]:
    """The messages of a user after an agent spoke."""
    answered = False
    for turn in turns:
        if turn.role != "user":
            answered = True
        elif answered:
            yield turn.text


def _is_the_users_own(plan: str, turns: Sequence[Turn]) -> bool:
    """Return true if a plan promises or quotes what the user said and no agent did, or is in the user's words only."""
    agents = "\n".join(turn.text for turn in turns if turn.role != "user")
    if plan in agents:
        return False
    users = "\n".join(turn.text for turn in turns if turn.role == "user")
    # Several sentences of the agents': whatever stands in one of them is theirs, and users say nothing with its border.
    if _BORDER not in users and all(part in agents for part in plan.split(_BORDER)):
        return False
    named = [found[0] for pattern in (_SUMS, _PROMISE) for found in pattern.finditer(plan)]
    if any(words in users and words not in agents for words in (*named, *_quotes(plan, users))):
        return True
    return len(plan) >= _PLAIN and plan in users and not any(pair in agents for pair in _pairs(plan))


def _quotes(plan: str, users: str) -> Iterable[str]:
    """The pieces of a plan that are long enough to be quotes; none where no half of one is in the users' words."""
    if any(plan[start : start + _HALF] in users for start in range(0, len(plan) - _HALF + 1, _HALF)):
        return (plan[start : start + _QUOTED] for start in range(len(plan) - _QUOTED + 1))
    return ()


def _is_dictated(issue: str, turns: Sequence[Turn]) -> bool:
    """Return true if an issue stands word by word behind a verb of writing, and nobody else speaks of it."""
    issue = issue.strip("。.！! ")
    if len(issue) < _PLAIN:
        return False
    for index, turn in enumerate(turns):
        at = turn.text.find(issue) if turn.role == "user" else -1
        if at < 1 or _DICTATES.search(turn.text, max(at - _BEFORE, 0), at) is None:
            continue
        others = "\n".join(other.text for number, other in enumerate(turns) if number != index)
        return not any(pair in others for pair in _pairs(issue))
    return False


def _pairs(words: str) -> Iterable[str]:
    return (words[start : start + 2] for start in range(len(words) - 1))
