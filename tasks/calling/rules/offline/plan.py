"""An agent's proposal: the most substantial of their sentences, small talk left out."""

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from tasks.calling.rules.offline.phrases import alternatives
from tasks.calling.rules.offline.sentences import EDGE, LONGEST, bare, is_question, remembered, sentences
from tasks.domain.pattern_signs import SignedPattern
from tasks.domain.records import Turn


class Plan(NamedTuple):
    """The quoted plan, and the index of the turn in which it begins."""

    text: str
    turn: int


_WORTH_ADDING: Final = 5

_PROPOSAL: Final = re.compile(alternatives("proposal"))

_DONE: Final = re.compile(alternatives("done"))

_ACTION: Final = re.compile(alternatives("action"))

_SMALL_TALK: Final = re.compile(alternatives("small_talk"))

# An offer in the form of a question.
_OFFERED: Final = re.compile(r"(?:可以|好|行|是否可以|您看)(?:吗|么|不|嘛)?$|(?:帮|为|给)您(?!查|看|核).{1,6}[吗么]$")

# Comes before what is proposed.
_REGRET: Final = re.compile(r"^(?:[^，,]{0,8}(?:抱歉|对不起|不好意思|理解您?|见谅|久等)[^，,]{0,8}[，,])+")

# Said to everybody, whatever they ask.
_CANNED: Final = SignedPattern(
    re.compile(
        r"(?:产品|商品).{0,6}比较清楚|优先下单|感动得|^(?:预计|应该|估计|一般|目前)?是的$|^(?:建议|请|麻烦|辛苦)?您?(?:也|先)?保持.{0,6}畅通[^，,]{0,10}$"
    )
)

# A question of the agent's: by its end, once what addresses the customer is taken off, or by what it asks for.
_ADDRESS: Final = re.compile(r"(?<![呢哦哈呀啊哟 ，,])[呢哦哈呀啊哟 ，,]*(?:亲爱[的哒](?:客户|顾客|用户)?|亲{1,6}|您)$")

_ADDRESS_ENDS: Final = ("的", "哒", "客户", "顾客", "用户", "亲", "您")

_ASKED_FOR: Final = re.compile(
    r"(?:告知|报|发)一?下.{0,6}(?:单号|编号|号码|订单)|(?:复制|提供|报)给(?:我(?!们)|小妹|妹子|这边)|"
    r"(?:因|是|未)?为什么|什么(?:原因|问题|情况|不|没)|[对是](?:么|吗|不)$|哪(?:个|里|款|一)|是不是|有没有(?!问题)|是否(?!可以(?:[吗么呢哦]|$)|还)"
)

# In an agent's mouth 呢 is a courtesy, unless the sentence asks for something.
_ASKING: Final = re.compile(r"什么|哪|几|多少|怎[么样]|谁|如何|何时")

# Asks which goods it is about, with their titles before or behind.
_IDENTIFIES: Final = SignedPattern(re.compile(r"这[个款单件]?(?:商品|订单|产品)?(?:[吗么对]|是[吗么])"))

# A product's number, or its brand in both scripts.
_MODEL: Final = re.compile(
    r"(?=.*[A-Z]{2})(?:[^\u4e00-\u9fff]|\[[^\[\]]*\])*|[\u4e00-\u9fff]{1,8}[(（][A-Za-z ]+[)）][A-Za-z0-9 ]*"
)

_MASKED: Final = re.compile(r"\[[^\[\]]{1,12}\]")

_WORDS: Final = re.compile(r"[\u4e00-\u9fff]")

# Of a product's title or its parts: TK75, A1863, 说明书x1.
_CODE: Final = re.compile(r"(?<![\]\d])[A-Za-z]{1,4}-?(?:\[数字|\d)")

# A statement has one of these: a sentence with neither is a product's name.
_NUMBER: Final = re.compile(r"\d|\[(?:数字|金额|时间|日期)")

_STATES: Final = re.compile(r"[已属缺转是有能可会用装配带送到为请调改收发要按没不多少适]|支持")

# What a product's title ends with.
_PRODUCT: Final = re.compile(r"(?:手机|平板|电脑|电视|冰箱|洗衣机|空调|耳机|套装|礼盒|双待|通版|内存|存储)$")

_HALF: Final = SignedPattern(
    re.compile(
        r"(?:的话|如果|因为|由于|为了|或者|以及|和|然后|时候|通过|方式)$|^(?:如果|若|假如)[^，,]{0,12}$|^(?:的话|以及|或者)"
    )
)

_SHORT_ANSWER: Final = re.compile(
    r"(?:已经?|还没有?|还未|尚未|暂未)[\u4e00-\u9fff]{2,4}[哦呢哈啊呀哒]*|"
    r"(?:这个|暂时|目前|现在|一般|应该)?(?:是|都是)?(?:可以|不可以|不行|有|没有|不是|能|不能|会|不会|支持|不支持|需要|不需要|免费|包邮|没货|有货|缺货)(?:的|了)?[哦呢哈啊呀哒亲爱的]*"
)

_ACTS: Final = SignedPattern(_ACTION)

_TALKS_SMALL: Final = SignedPattern(_SMALL_TALK)

_ASKS_FOR: Final = SignedPattern(_ASKED_FOR)

_IS_DONE: Final = SignedPattern(_DONE)

_SHORTEST: Final = 4  # characters of a proposal

_SHORTEST_BARE: Final = 6  # of one that says neither what was done nor what to do


def plan_of(turns: Sequence[Turn]) -> Plan | None:
    """The agent's one or two most substantial sentences; where none is a proposal, the first answer to a question."""
    found: dict[str, tuple[int, int]] = {}
    answer: Plan | None = None
    asked = False
    for index, turn in enumerate(turns):
        if turn.role != "agent":
            asked = asked or any(
                is_question(sentence.rstrip(EDGE)) or len(sentence) > 5 for sentence in sentences(turn.text)
            )
            continue
        for sentence in sentences(turn.text):
            said = _without_regret(sentence)
            score = _substance(said)
            if score > 0:
                found.setdefault(said, (score, index))
            elif (
                asked
                and (answer is None or (len(answer.text) < _SHORTEST_BARE < len(said)))
                and _answers(said)
                and _IDENTIFIES.search(turn.text) is None
            ):
                answer = Plan(said[:LONGEST], index + 1)
    if not found:
        return answer
    best = sorted(found, key=lambda said: -found[said][0])
    first = best[0]
    second = next((said for said in best[1:] if said not in first and first not in said), "")
    if not second or found[second][0] < _WORTH_ADDING:
        return Plan(first[:LONGEST], found[first][1] + 1)
    both = [said for said in found if said in (first, second)]
    return Plan("；".join(said[:LONGEST] for said in both), found[both[0]][1] + 1)


@remembered
def _without_regret(sentence: str) -> str:
    return _REGRET.sub("", bare(sentence))


@remembered
def _substance(said: str) -> int:
    """Score an agent's sentence as a proposal; 0 for none."""
    if len(said) < _SHORTEST or _HALF.search(said) or _CANNED.search(said) or _asks_for(said):
        return 0
    score = 2 * min(len(set(_PROPOSAL.findall(said))), 3)
    if not score:
        return 0
    if _is_asking(said) and not _OFFERED.search(said.rstrip("?？")):
        return max(score - 3, 0) if _ACTS.search(said) else 0
    if _TALKS_SMALL.search(said):
        if not _ACTS.search(said):
            return 0
        score -= 3
    if _IS_DONE.search(said) or _ACTS.search(said):
        score += 2
    elif len(said) < _SHORTEST_BARE:
        return 0
    if len(said) >= 12:
        score += 1
    return max(score, 0)


def _unaddressed(said: str) -> str:
    return _ADDRESS.sub("", said) if said.endswith(_ADDRESS_ENDS) else said


def _asks_for(said: str) -> bool:
    return _ASKS_FOR.search(_unaddressed(said)) is not None


def _is_asking(said: str) -> bool:
    plain = _unaddressed(said)
    return is_question(plain.rstrip("呢")) or (plain.endswith("呢") and _ASKING.search(plain) is not None)


def _says_anything(said: str) -> bool:
    """Return true for a sentence with words or a number beside the placeholders of masked names and addresses."""
    return _NUMBER.search(said) is not None or len(_WORDS.findall(_MASKED.sub("", said))) > 2


@remembered
def _answers(said: str) -> bool:
    """Return true if an agent's sentence proposes nothing but answers a question: 有的, 配的是两米的线."""
    if _SHORT_ANSWER.fullmatch(said):
        return True
    if len(said) < _SHORTEST_BARE or _MODEL.fullmatch(said) or not _says_anything(said):
        return False
    if not _STATES.search(said) and (_CODE.search(said) or _PRODUCT.search(said) or not _NUMBER.search(said)):
        return False
    return not (_is_asking(said) or _asks_for(said) or _TALKS_SMALL.search(said) or _HALF.search(said))
