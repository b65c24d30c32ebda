"""Acceptance and mood of a user, read off the words of a dialogue; None where the words give no sign."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from tasks.calling.rules.offline.phrases import alternatives
from tasks.calling.rules.offline.sentences import EDGE, LONGEST_MESSAGE, remembered, sentences
from tasks.domain.pattern_signs import SignedPattern
from tasks.domain.records import Turn

_CLOSING: Final = re.compile(
    r"(?:还有|还需要|有没有|是否还有).{0,8}(?:其他|其它|别的|什么|问题|疑问)|可以(?:帮|为).{0,4}(?:到|您)|需要(?:帮|为|什么).{0,6}(?:助|您|么|吗)|评价|再见|祝您"
)

_WAIT: Final = re.compile(r"稍等|稍候|正在(?:为|帮)|(?:马上|这就).{0,4}(?:查|核实|看)")

_OFFERS: Final = re.compile(
    r"(?:为|帮|给|替)您?.{0,8}(?:申请|登记|反馈|催|安排|取消|提交|升级|补|退|改|拦截|开|办理|备注|延|换)|建议|可以|预计|尽快|会在|联系"
)

_NO_MORE: Final = re.compile(
    r"^(?:暂时|其他|目前)?(?:没有?了?|没啦|没|木有了?|没有?问题了?|不用了?|不需要了?|不用啦|无|没事了?|不了|可以了|好了)(?:吧|哦|啊|哈|呢|喔|的|啦)*(?:谢+|多谢|感谢|再见|[，,~～]|$)"
)

_REFUSAL: Final = re.compile(alternatives("refusal"))

_GIVES_UP: Final = re.compile(r"算了|那不(?:要|买|换|退|改)了?")

_CONSENT: Final = re.compile(alternatives("consent"), re.IGNORECASE)

_THANKS: Final = re.compile(r"谢|感谢|辛苦|thank", re.IGNORECASE)

_ACKNOWLEDGED: Final = re.compile(r"^(?:哦|噢|喔|啊|额|呃)+[哦的好]?$")

_QUESTION: Final = re.compile(r"(?:可以|行|好)(?:的)?(?:吗|么|不|嘛)|[?？]$|(?:吗|么)$")

_REFUSED_CONSENT: Final = re.compile(r"(?:不|没|别|怎么|哪|才|能)(?:太|是|会|怎么|有|能)?$")

_ANGRY: Final = re.compile(alternatives("angry"), re.IGNORECASE)

_SORE: Final = re.compile(alternatives("sore"))

_UNEASY: Final = re.compile(alternatives("uneasy"))

_URGING: Final = SignedPattern(re.compile(alternatives("urging")))

_REPROACH: Final = SignedPattern(re.compile(alternatives("reproach")))

_RESTLESS: Final = SignedPattern(re.compile(alternatives("restless")))

_DENIED: Final = re.compile(
    r"(?:(?<![是这])不|没|没有|不会|(?<!是)不是|别|未|并非|不算|谈不上|不用|从不让人)(?:想|要|有|是|很|太|再|会|去)?$"
)

_REASSURED: Final = re.compile(r"不(?:着|用|太)?急|不着急|别急|着急用$|加急|紧急")

_ABOUT: Final = SignedPattern(
    re.compile(r"(?:如何|怎么|怎样|能不能|可以)(?:才能)?(?:投诉|举报)|投诉(?:电话|渠道|流程|入口|单)")
)

_POLITE: Final = re.compile(alternatives("polite"))

# What the agent says over and over, and the user after them.
_TWICE: Final = re.compile(r"([\u4e00-\u9fff]{2,3})[，,]?\1")

# An agent who hears anger.
_SOOTHES: Final = SignedPattern(re.compile(r"消消?气|息怒|(?:别|不要)(?:生气|动怒|激动)|赔个?不是"))

_ASKS_OR_TELLS: Final = re.compile(r"[吗么啥咋谁?？\d\[]|怎[么样]|什么|多久|哪|^[没无不]|希望|差不多")

_IS_POLITE: Final = SignedPattern(_POLITE)

_IS_UNEASY: Final = SignedPattern(_UNEASY)

_IS_ANGRY: Final = SignedPattern(_ANGRY)

_IS_SORE: Final = SignedPattern(_SORE)

_REFUSES: Final = SignedPattern(_REFUSAL)

_CONSENTS: Final = SignedPattern(_CONSENT)

_REPEATED: Final = 8  # characters of a message that says something when it comes again

_ANY_WORDS: Final = 4  # characters; a greeting alone tells nothing

_SIGNS: Final = 2

_BRIEF: Final = 3  # messages of a user who wrote only to complain: one sign will do


class _Message(NamedTuple):
    """A message of the user's, without their questions about how to complain, and the signs of a mood in it."""

    text: str
    is_angry: bool
    uneasy: Sequence[str]
    restless: Sequence[str]
    said_twice: str
    is_calm: bool


def acceptance_of(turns: Sequence[Turn], since: int) -> bool | None:
    """The user's acceptance by their words from turn `since` on. The last clear sign counts; thanks alone accept."""
    plan = turns[since - 1].text if since else ""
    verdict: bool | None = None
    gave_up = False
    signs: set[str] = set()
    for said, before in _said_after(turns, since):
        kind = _kind_of(said)
        if _closes(before) and _NO_MORE.match(said):
            verdict = True if verdict is None and not (gave_up or signs) else verdict
        elif kind == "refuses":
            verdict, gave_up = False, False
        elif kind == "gives up":
            verdict, gave_up = None, True
        elif kind == "is angry":
            verdict = False
        elif kind == "consents":
            renewed = _offers(before)
            offered = renewed or before is plan or not _WAIT.search(before)
            if (verdict is not False and not gave_up and offered) or renewed:
                verdict, gave_up = True, False
                signs.clear()
        elif kind == "thanks":
            verdict = True if verdict is None and not (gave_up or signs) else verdict
        elif not kind:
            signs.update(_uneasy_words(said))
    if gave_up:
        return False if verdict is None and not _ended_kindly(turns) else None
    if verdict is None and len(signs) >= _SIGNS:
        return False
    return verdict


def mood_of(turns: Sequence[Turn]) -> bool | None:
    """The user's mood: one strong word or several impatient ones are a complaint; None for few or no words."""
    uneasy: set[str] = set()
    restless: set[str] = set()
    said_before: set[str] = set()
    calm = soothed = False
    heard = ""
    for turn in turns:
        if turn.role != "user":
            heard = turn.text[:LONGEST_MESSAGE]
            soothed |= _SOOTHES.search(heard) is not None
            continue
        message = _message(turn.text[:LONGEST_MESSAGE])
        if message.is_angry:
            return True
        uneasy.update(message.uneasy)
        restless.update(message.restless)
        text = message.text
        if len(text) >= _REPEATED and "[" not in text:
            if text in said_before:
                restless.add("repetition")
            said_before.add(text)
        if message.said_twice and message.said_twice in heard:
            return True  # 核实核实，就会核实
        calm |= message.is_calm
    signs = len(uneasy) + len(restless) / 2 + soothed + talks_back(turns)
    brief = sum(turn.role == "user" for turn in turns) <= _BRIEF
    if signs >= _SIGNS or (uneasy and brief and not calm):
        return True
    if signs >= 1 and not _ended_kindly(turns):
        return None
    return False if calm else None


def talks_back(turns: Sequence[Turn]) -> bool:
    """Return true where the user's last word on the agent's answer neither takes it, nor asks or tells anything."""
    last = max((index for index, turn in enumerate(turns) if turn.role == "user"), default=0)
    text = turns[last].text[:LONGEST_MESSAGE] if turns else ""
    answers = any(turn.role == "agent" for turn in turns[:last])
    return answers and len(text) >= _REPEATED and _is_mere_talk(text)


@remembered
def _kind_of(said: str) -> str:
    """Return the first clear sign in a sentence of the user's; "" where there is none."""
    asks = _QUESTION.search(said) is not None
    if not asks and _stands(_REFUSES, said, _DENIED):
        return "refuses"
    if _GIVES_UP.search(said):
        return "gives up"
    if _stands(_IS_ANGRY, said, _DENIED):
        return "is angry"
    if not asks and _stands(_CONSENTS, said, _REFUSED_CONSENT):
        return "consents"
    if _THANKS.search(said):
        return "thanks"
    return "acknowledges" if _ACKNOWLEDGED.match(said) else ""


@remembered
def _uneasy_words(said: str) -> Sequence[str]:
    return _IS_UNEASY.findall(said)


@remembered
def _closes(heard: str) -> bool:
    """Return true for an agent's message that asks for more questions or says goodbye."""
    return _CLOSING.search(heard) is not None


@remembered
def _offers(heard: str) -> bool:
    return _OFFERS.search(heard) is not None


@remembered
def _message(said: str) -> _Message:
    text = _ABOUT.sub("", said)
    if _stands(_IS_ANGRY, text, _DENIED) or _stands(_IS_SORE, text, _DENIED):
        return _Message(text, True, (), (), "", False)
    uneasy: Sequence[str] = ()
    restless: Sequence[str] = ()
    if not _REASSURED.search(text):
        uneasy = _apart(text, (_IS_UNEASY, _URGING, _REPROACH))
        restless = [word for word in _RESTLESS.findall(text) if not any(word in sign for sign in uneasy)]
    twice = _TWICE.search(text)
    polite = len(text) >= _ANY_WORDS and _IS_POLITE.search(text) is not None
    calm = polite or _THANKS.search(text) is not None or _stands(_CONSENTS, text, _REFUSED_CONSENT)
    return _Message(text, False, uneasy, restless, twice[1] if twice else "", calm)


@remembered
def _is_mere_talk(text: str) -> bool:
    return not any(pattern.search(text) for pattern in (_THANKS, _CONSENTS, _IS_POLITE, _ASKS_OR_TELLS))


def _apart(text: str, signs: Iterable[SignedPattern]) -> list[str]:
    """The signs in a text that don't overlap: 又过了两天还没 is one."""
    found = sorted(
        (match.span() for sign in signs for match in sign.finditer(text)), key=lambda span: (span[0], -span[1])
    )
    apart: list[str] = []
    end = 0
    for start, stop in found:
        if start >= end:
            apart.append(text[start:stop])
            end = stop
    return apart


def _said_after(turns: Sequence[Turn], since: int) -> Iterator[tuple[str, str]]:
    """The user's sentences from a turn on, each with the agent's message before it."""
    before = turns[since - 1].text if 0 < since <= len(turns) else ""
    for turn in turns[since:]:
        if turn.role != "user":
            before = turn.text
            continue
        for sentence in sentences(turn.text):
            yield sentence.strip(EDGE), before


def _ended_kindly(turns: Sequence[Turn]) -> bool:
    return _is_kind(next((turn.text for turn in reversed(turns) if turn.role == "user"), ""))


@remembered
def _is_kind(last: str) -> bool:
    return bool(_THANKS.search(last) or _CONSENTS.search(last)) and not _QUESTION.search(last)


def _stands(words: SignedPattern, text: str, denial: re.Pattern[str]) -> bool:
    """Return true if one of the words occurs without a denial right in front of it."""
    return any(denial.search(text, max(found.start() - 4, 0), found.start()) is None for found in words.finditer(text))
