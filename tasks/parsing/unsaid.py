"""Puts the word for a doubt into a sentence that tells it without one: a condition, hearsay, a bare 不."""

import re
from typing import Final

_OTHERS: Final = "(?:客服|商家|卖家|店家|店铺|平台|坐席|售后|系统)(?:人员|专员|代表)?"

# One of them stands in every mention of others; most sentences have none.
_OTHERS_SIGNS: Final = re.compile("客服|家|平台|坐席|售后|系统|店|agent|seller|repr|shop|store")

_AGENT: Final = "(?:agent|seller|representative|shop|store)"

_SAYS: Final = "表示|声称|称|说|要求|希望|提出|想|强调|坚持|提议"

_CONSENTS: Final = "接受|同意|认可|答应|可以|行|好|撤|不追究|不再|不投诉|成交|满意|ok|没问题"

# 用户称补偿50元就接受, 退一半，我就同意; with 了 it has happened (补偿50元就接受了).
_IF: Final = re.compile(
    "(?<![^,;。!?:])"
    rf"(?P<says>(?:(?!如|若|只要|只有|除非|一旦|要是|假|直到)[^,;。!?:]){{0,16}}?(?:{_SAYS})(?:了|道)?)?"
    "(?P<told>[^,;。!?:]{2,24}?),?(?:用户|客户|顾客|我|他|她)?"
    "(?:就|才|便|即)(?![是此将时为着近地便使刻]|不(?!再|追究|投诉))"
    rf"(?:算了|[^,;。!?了过吧]{{0,6}}?(?:{_CONSENTS})[^,;。!?了过吧]{{0,6}})(?![^,;。!?])"
)

_THEN: Final = frozenset("就才便即")

# What an agent can give, or a customer asks for; without one of them what is told is no condition by itself.
_GIVEN: Final = re.compile(
    r"\d(?:元|块|%|折|倍|点)|[块元]钱|补[发偿差寄贴\d]|再补|补到|赔|退[款货回还掉差一全半钱运\d我]|[送给免减返]"
    "|换新|换货|红包|翻倍|加倍|优惠|到账|发货|到货|今天|当天|明天"
)

_HAPPENED: Final = re.compile(
    "直到|[了过后完]|之时|的?时候|以来|解释|听|多[久想]|很快|接受|同意|拒绝|认可|立[即刻]|马上|当[场即]|直接|最终|最后"
    "|于是|所以|因此|方案|对于?|针对|没|未|一[^半]{1,3}$"
)

_OF_OTHERS: Final = re.compile(f"经?{_OTHERS}")

# A condition behind what it is one of: accepts if it ships today, would agree provided that …
_IF_BEHIND: Final = re.compile(
    r"(?<![^,;.!])(?:(?!\b(?:not|never|neither|nor|cannot|unwilling|refus|declin|reject)|n't|nt\b)[^,;.!]){0,80}?"
    r"\b(?:accept|agree|willing|content|fine|ok)[a-z]*\b"
    r"(?:(?!\b(?:ask|wonder|inquir|enquir|check|see|know|even|question|confirm))[^,;.!]){0,80}?"
    r" (?:only )?(?:if|unless|(?:as|so) long as|provid(?:ed|ing) that|on (?:the )?condition)\b"
)

# Somebody else's word on the customer is no more than that.
_HEARSAY: Final = re.compile(
    rf"(?:据|根据|按照?){_OTHERS}[^,;。!?]{{0,4}},"
    rf"|{_OTHERS}[^,;。!?用客顾买消]{{0,4}}?(?:单方面?|自行|误|主观)?"
    "(?:声称|自称|称|表示|说|认为|觉得|以为|判断|推断|猜测|默认|备注|自动判定|判定)(?=用户|客户|顾客|买家|消费者|对方)"
    rf"|according to the {_AGENT}\b,?"
    rf"|(?:the )?{_AGENT} (?:belie[vf]e?[sd]?|thinks|thought|assume[sd]|said|says|claim(?:s|ed)|note[sd]|state[sd]"
    r"|report(?:s|ed)|feels|felt)(?: that)? (?=(?:the )?(?:user|customer|client|buyer)\b)"
)

# A demand behind a bare yes: 是，但要求今天发货，否则退款.
_HANGS: Final = re.compile(
    r"否则|前提|条件是|\b(?:only if|unless|(?:as|so) long as|provided that|on (?:the )?condition)\b"
)

# What the customer wants first (先退款再同意), and what an offer leaves open (接受，细节待定; 口头接受，未签字).
_FIRST: Final = re.compile(
    r"(?<![^,;。!?:])[^,;。!?先了]{0,8}先(?!是)[^,;。!?了过]{0,8}?(?:退|赔|补|换|送|免|减|发|付|返|到账)[^,;。!?了过]{0,8}?"
    r"再(?:考虑)?(?=同意|接受|认可|答应|和解|撤)"
)

_OPEN_POINT: Final = re.compile(
    r"(?:接受|同意|认可|答应)(?=[^。;!?]{0,16}(?:(?:细节|条款|条件|具体|金额|数额|其[他余它]|剩余|第.{1,2}[条项个点])[^,。;!?]{0,6}"
    r"(?:待|未定|另议|再[议谈商])|(?:未|没有?)签[字署约]))"
)

# A refusal, whatever it would take: 除非退款，否则不接受.
_UNLESS: Final = re.compile(
    r"除非[^,;。!?]{1,24},?否则(?=(?:用户|客户|顾客|[他她我])?.{0,2}?(?:拒绝|[不无没][会愿能肯法可想]{0,2}(?:接受|同意|认可|答应|和解)))"
)

# An offer that the customer makes: would accept for $50.
_PRICED: Final = re.compile(r"(?:\b(?:would|will|could) (?:only )?|\A)accept(?: \w{1,12}){0,3} (?:for|at) ?\D?\d")

_BARE_NO: Final = re.compile("(?:说|表示|回答|回复|答复?):?(?:了个?)?不(?![^,;。!])")

_BUT_NOT: Final = re.compile(r"\bbut not (?=(?:the|an?|his|her|their|any)\b)")


def with_doubt(sentence: str) -> str:
    """The sentence, half-width and simplified, with a hedge for hearsay."""
    return _HEARSAY.sub("似乎 ", sentence) if _OTHERS_SIGNS.search(sentence) else sentence


def hangs_on_more(sentence: str) -> bool:
    """Return true for what is told behind a yes that holds only in some case."""
    return _HANGS.search(sentence) is not None


def with_condition(sentence: str) -> str:
    """The sentence with a word for each condition that stands before 就 or 才 alone, and for a bare 不."""
    if "不" in sentence:
        sentence = _BARE_NO.sub("表示不可以", sentence)
    if " but not " in sentence:  # one thing accepted, another not
        sentence = _BUT_NOT.sub("but rejected ", sentence)
    if "先" in sentence:
        sentence = _FIRST.sub(r"如果\g<0>", sentence)
    if "待" in sentence or "签" in sentence or "议" in sentence or "未定" in sentence:
        sentence = _OPEN_POINT.sub(r"部分\g<0>", sentence)
    if "除非" in sentence:
        sentence = _UNLESS.sub("", sentence)
    if "accept" in sentence:
        sentence = _PRICED.sub(r"if \g<0>", sentence)
    if " " in sentence and any(sign in sentence for sign in (" if ", " unless ", " long as ", " that ", " condition")):
        sentence = _IF_BEHIND.sub(r"if \g<0>", sentence)
    return sentence if _THEN.isdisjoint(sentence) else _IF.sub(_conditional, sentence)


def _conditional(told: re.Match[str]) -> str:
    says, what = told["says"] or "", told["told"]
    if _HAPPENED.search(what) or not (says or (_GIVEN.search(what) and not _OF_OTHERS.match(what))):
        return told[0]
    return f"{says}如果{told[0][len(says) :]}"
