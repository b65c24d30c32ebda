"""What a sentence says of acceptance and of mood: true, false, or null, as a careful human would say.

A value is a word (`是`, `No`), a sentence, or both (`否，用户坚持退款`). A sentence is cut into clauses, a clause
into the words of a lexicon (words/verdicts.toml), and read from left to right:

- A negation turns the next verdict around, two do not (并非不接受). It reaches over bridges (没有表现出不满), over
  what a preposition brings (没有因为快递慢而生气) and along a coordination (没有不满或抱怨), and ends at anything
  else: 没收到货很生气 is anger. Words that only look like negations (非常, 不得不) are listed as what they are.
- A denial behind the verdict (负面情绪不明显) turns it around, too, and for the mood a denial of nothing in particular
  (没有表现出来, 几乎没有) is one of it. A bare negation that ends a verdict's clause asks about it (接受了没有), and a
  low degree (负面情绪程度低) unsettles it.
- A hedge (可能, 未明确), a question (是否) or a condition (如果) leaves a verdict unsettled; so does a negation of its
  extent (没有完全接受, not fully accepted).
- What the agent accepts, refuses or feels says nothing of the user; nor does what the agent asks the user to do.

Where humans would argue, this is the rule:

- Acceptance: people change their minds, so what they settle on last counts (起初拒绝，最后同意了; 从不接受到接受).
  Grudging and broad acceptance (勉强, 无奈, 基本) is acceptance; partial acceptance (部分接受; 接受退货，但拒绝付运费)
  is null, and so are neither accepting nor refusing, and not yet (尚未接受). Not refusing is accepting. Gestures (感谢,
  耐心等待, 坚持退款) count where nothing plainer is said; that it is not clear (感谢，但未明确是否接受) is plainer.
- Negative sentiment: shown once is shown, however the conversation ended (开始有些着急，最后表示感谢 is true).
- A leading 是 or 否 that its own explanation contradicts is null; partial acceptance contradicts both.
"""

import re
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping
from enum import IntEnum, auto
from pathlib import Path
from typing import Final, NamedTuple

_YES_WORDS: Final = "是 是的 对 对的 有 有的 yes y true t 1 √ ✓ ✔ ✅"

_NO_WORDS: Final = "否 不 不是 不是的 没有 没 no n false f 0 × ✗ ✘ ❌"

_WORDS: Final = {**dict.fromkeys(_YES_WORDS.split(), True), **dict.fromkeys(_NO_WORDS.split(), False)}

_NO_MOOD_WORDS: Final = frozenset(["无", "none", "nil", "没有情绪", "无情绪"])


class _Kind(IntEnum):
    """What a word does in its clause; words/verdicts.toml lists the words and explains the kinds."""

    END = auto()
    CONTRAST = auto()
    NEGATION = auto()
    RHETORIC = auto()
    DENIED = auto()
    FAINT = auto()
    EXTENT = auto()
    BRIDGE = auto()
    PREPOSITION = auto()
    TOWARDS = auto()
    COORDINATION = auto()
    HEDGE = auto()
    PARTLY = auto()
    SILENCE = auto()
    QUESTION = auto()
    ASKED = auto()
    CONDITION = auto()
    USER = auto()
    AGENT = auto()
    CAUSE = auto()
    OWNED = auto()
    AFTER = auto()
    EARLY = auto()
    SEQUEL = auto()
    FROM = auto()
    TO = auto()
    YES = auto()
    NO = auto()
    MILD_YES = auto()
    MILD_NO = auto()
    GESTURE_YES = auto()
    GESTURE_NO = auto()
    OTHER = auto()


_SIGNS: Final = {
    _Kind.YES: True,
    _Kind.MILD_YES: True,
    _Kind.GESTURE_YES: True,
    _Kind.NO: False,
    _Kind.MILD_NO: False,
    _Kind.GESTURE_NO: False,
}

_GESTURES: Final = frozenset({_Kind.GESTURE_YES, _Kind.GESTURE_NO})

_SAYS_NOTHING: Final = frozenset({_Kind.NEGATION, _Kind.DENIED, _Kind.BRIDGE, _Kind.TO, _Kind.USER, _Kind.END})

_ASKS: Final = frozenset({_Kind.NEGATION, _Kind.QUESTION})  # with nothing behind it

_ENDS: Final = frozenset({_Kind.END, _Kind.CONTRAST})

_THERE_IS: Final = frozenset(["有", "略有", "稍有", "有点", "有些", "有所", "存在"])

_CARRIES_ON: Final = frozenset(["并", "并且", "而且", "且", "同时", "还", "也"])

_LEAD: Final = re.compile(rf"({'|'.join(sorted({*_WORDS, '无'}, key=len, reverse=True))})[,.。;:!()—-]")

# The field's name, when a bare verdict follows; in front of a sentence it is a verdict itself: 【情绪激动】用户催促.
_BRACKETED: Final = re.compile(r"^[【\[]([^【】\[\]:]{1,16})[】\]]:?(?=(?:是|否|有|无|没有)(?:[,.。;!]|$))")

# The field's name before its value; 不接受：… is no name, it is the value itself.
_ECHO: Final = re.compile(
    r"(?=[^:]{0,16}(?:是否|有无|与否)|[^:不没未无拒]{0,24}:)"
    r"[^:,.。;!?]{0,12}(?:接受|方案|情绪|accept|sentiment|negative)[^:,.。;!?]{0,4}:"
    r"|负面:(?=(?:是|否|有|无|没有)$)"
)

_ADVERB: Final = re.compile("[a-z]{2,16}ly")

_MARKUP: Final = re.compile(r"[\"'“”‘’「」『』《》*_`~#>\u200b-\u200f\u2060\ufeff]+")

_CHINESE_SPACE: Final = re.compile(r"(?<![a-z]) | (?![a-z])")

_EDGES: Final = " ,.。;:!、-—…()[]"

_LONGEST: Final = 2_000  # characters; what is not said within them is not said


class _Lexicon(NamedTuple):
    """The kinds by word, and what finds the longest word at a place, a Latin word or a run of anything else."""

    kinds: Mapping[str, _Kind]
    find: re.Pattern[str]


class _Claim(NamedTuple):
    """What a verdict word comes to; `value` is None where it is left unsettled."""

    value: bool | None
    plain: bool = False  # neither mild nor a gesture
    negated: bool = False
    conditional: bool = False  # or only asked about
    silent: bool = False  # no verdict word at all
    partial: bool = False
    turning: bool = False  # behind a contrast
    later: bool = False


def accepted_of(text: str) -> bool | None:
    """Whether the user accepted what the agent offered."""
    if (word := _WORDS.get(text)) is not None:
        return word
    lead, sentence = _parts(text, none=None)
    claims = [claim for claim in _claims(sentence, _ACCEPTANCE) if not claim.conditional]
    settled = _settled(claims)
    if settled is None and any(claim.partial for claim in claims):
        return None
    return _agreed(lead, settled)


def negative_sentiment_of(text: str) -> bool | None:
    """Whether the user showed negative sentiment."""
    if (word := _WORDS.get(text)) is not None:
        return word
    lead, sentence = _parts(text, none=False)
    if lead is None and sentence in _NO_MOOD_WORDS:
        return False
    values = [claim.value for claim in _claims(sentence, _SENTIMENT) if not (claim.conditional or claim.silent)]
    if not values and lead is None:
        return _bare(sentence)
    shown = True if True in values else None if None in values else False if values else None
    return _agreed(lead, shown)


def _bare(sentence: str) -> bool | None:
    """Whether there is any, said without saying of what: 有一点, 几乎没有."""
    words = [word for clause in _clauses(sentence, _SENTIMENT) for word in clause]
    denials = sum(kind in (_Kind.NEGATION, _Kind.DENIED) for _, kind in words)
    if not words or any(kind not in _SAYS_NOTHING for _, kind in words):
        return None
    return denials % 2 == 0 if denials or words[0][0] in _THERE_IS else None


def _parts(text: str, *, none: bool | None) -> tuple[bool | None, str]:
    """A leading verdict, and the sentence behind it in plain form; `none` is what a leading 无 says."""
    normal = " ".join(_MARKUP.sub("", unicodedata.normalize("NFKC", text[:_LONGEST])).lower().split())
    plain = _BRACKETED.sub(r"\1:", _CHINESE_SPACE.sub("", normal)).strip(_EDGES)
    if echo := _ECHO.match(plain):
        plain = plain[echo.end() :].strip(_EDGES)
    if plain in _WORDS:
        return _WORDS[plain], ""
    if lead := _LEAD.match(plain):
        return _WORDS.get(lead[1], none), plain[lead.end() :].strip(_EDGES)
    return None, plain


def _agreed(lead: bool | None, explained: bool | None) -> bool | None:
    if lead is None or explained is None:
        return explained if lead is None else lead
    return lead if lead == explained else None


def _settled(claims: list[_Claim]) -> bool | None:
    """What the claims come to when the last one counts."""
    if not any(claim.plain for claim in claims):
        values = [claim.value for claim in claims]
        return None if None in values or not values else values[-1]
    value: bool | None = None
    negated = False
    begun = False
    for claim in claims:
        if claim.silent:
            if claim.turning or claim.later:
                value = None
        elif claim.plain:
            # Neither accepted nor refused; or one thing accepted and another refused.
            neither = negated and claim.negated and value is not claim.value
            partly = value is True and claim.value is False
            open_ended = begun and not claim.later and (neither or partly)
            value, negated, begun = None if open_ended else claim.value, claim.negated, True
    return value


def _claims(sentence: str, lexicon: _Lexicon) -> Iterator[_Claim]:
    by_agent = conditional = later = turning = False
    for clause in _clauses(sentence, lexicon):
        reader = _ClauseReader(
            agent=by_agent and clause[0][0] in _CARRIES_ON, conditional=conditional, later=later, turning=turning
        )
        claims = reader.read(clause)
        yield from claims
        by_agent = reader.agent
        conditional = reader.conditional and not conditional and not claims
        later = reader.early or (reader.later and not claims)
        turning = clause[-1][1] is _Kind.CONTRAST


def _clauses(sentence: str, lexicon: _Lexicon) -> Iterator[list[tuple[str, _Kind]]]:
    """The words of each clause with their kinds, the one that ends it included."""
    clause: list[tuple[str, _Kind]] = []
    for word in lexicon.find.findall(sentence):
        kind = lexicon.kinds.get(word, _Kind.BRIDGE if _ADVERB.fullmatch(word) else _Kind.OTHER)
        clause.append((word, kind))
        if kind is _Kind.END or kind is _Kind.CONTRAST or word == "?":
            yield clause
            clause = []
    if clause:
        yield clause


class _ClauseReader:
    """Reads one clause from left to right; knows afterwards what the next clause inherits."""

    def __init__(self, *, agent: bool, conditional: bool, later: bool, turning: bool) -> None:
        self.agent = agent  # the agent is the subject
        self.conditional = conditional
        self.later = later
        self.early = False
        self._turning = turning
        self._asked_to = False  # by the agent
        self._hedged = self._asked = self._rhetoric = self._wavers = self._partly = False
        self._from = False  # a way from one verdict to another is told
        self._negated = self._silent = False  # in reach
        self._reaches = False  # as far as the next verdict
        self._towards = False  # the last word was a preposition
        self._chain: tuple[bool, bool] | None = None  # sign and negation of the verdict just read
        self._coordinated = False

    def read(self, clause: list[tuple[str, _Kind]]) -> list[_Claim]:
        """The claims of the clause, in order."""
        claims: list[_Claim] = []
        end = len(clause)
        while end and clause[end - 1][1] in _ENDS:
            end -= 1
        for at, (_, kind) in enumerate(clause, 1):
            if kind in _SIGNS:
                claim = None if self.agent else self._claim(kind)
                self._negated = self._silent = self._reaches = self._coordinated = False
                if claim is not None:
                    claims.append(claim)
            elif kind is _Kind.BRIDGE or kind is _Kind.END:
                pass
            elif kind is _Kind.DENIED and self._chain is not None and claims:
                # What is not there, or hardly, was not shown; that there is no sign of calm shows nothing.
                claims[-1] = claims[-1]._replace(value=False if claims[-1].value else None)
            elif at == end and kind is _Kind.FAINT and self._chain is not None and claims:
                claims[-1] = claims[-1]._replace(value=None)
            elif kind is _Kind.ASKED or (at == end and kind in _ASKS and self._chain is not None):
                if not self._rhetoric:
                    claims = [claim._replace(value=None, conditional=True) for claim in claims]
            else:
                self._pass(kind)
            self._towards = kind in (_Kind.TOWARDS, _Kind.PREPOSITION)
        in_question = self._hedged and any(claim.conditional for claim in claims)  # 未明确是否接受
        if (self._wavers or in_question) and not any(claim.plain and not claim.conditional for claim in claims):
            claims.append(_Claim(None, silent=True, turning=self._turning, later=self.later))
        return claims

    def _claim(self, kind: _Kind) -> _Claim | None:
        sign = _SIGNS[kind]
        negated = self._negated
        if not negated and self._chain is not None and (self._coordinated or self._chain[0] == sign):
            negated = self._chain[1]
        self._chain = sign, negated
        unsettled = self._hedged or self._silent
        if kind in _GESTURES and (negated or unsettled):
            return None
        conditional = self.conditional or self._asked
        return _Claim(
            None if unsettled or conditional else sign != negated,
            plain=kind is _Kind.YES or kind is _Kind.NO,
            negated=negated or unsettled,
            conditional=conditional,
            partial=self._partly,
            turning=self._turning,
            later=self.later,
        )

    def _pass(self, kind: _Kind) -> None:
        """Take note of a word that is no verdict."""
        match kind:
            case _Kind.NEGATION | _Kind.RHETORIC | _Kind.DENIED:
                self._negated = not self._negated
                self._chain = None
                self._rhetoric |= kind is _Kind.RHETORIC
            case _Kind.PREPOSITION:
                self._reaches |= self._negated or self._silent
            case _Kind.COORDINATION:
                self._coordinated = self._chain is not None
            case _Kind.HEDGE | _Kind.PARTLY:
                self._hedged = True
                self._partly |= kind is _Kind.PARTLY
            case _Kind.EXTENT:
                self._hedged |= self._negated
                self._negated = False
            case _Kind.SILENCE:
                self._silent = self._wavers = True
            case _Kind.QUESTION:
                self._asked = True
            case _Kind.CONDITION:
                self.conditional = True
            case _Kind.EARLY:
                self.early = True
            case _Kind.OTHER | _Kind.FAINT:
                self._break()
            case _:
                self._pass_to(kind)

    def _pass_to(self, kind: _Kind) -> None:
        """Take note of a word that says whose verdict follows, or that it is a later one."""
        match kind:
            case _Kind.SEQUEL | _Kind.TO:
                if kind is _Kind.SEQUEL or self._from:
                    self.later = True
                    self._chain = None
            case _Kind.FROM:
                self._from = True
                self._break()
            case _Kind.AGENT:
                self.agent |= not self._towards
            case _Kind.USER | _Kind.OWNED:
                self.agent &= self._asked_to
            case _Kind.CAUSE:
                self._asked_to |= self.agent
                self._break()
            case _Kind.AFTER:
                self.agent = self._asked_to = False
                self.later = True
                self._break()

    def _break(self) -> None:
        if not self._reaches:
            self._negated = self._silent = False
        self._chain = None


def _lexicon(name: str) -> _Lexicon:
    tables = tomllib.loads((Path(__file__).with_name("verdicts.toml")).read_text(encoding="utf-8"))
    kinds = {
        word: _Kind[kind.upper()]
        for table in (tables["shared"], tables[name])
        for kind, words in table.items()
        for word in words.split()
    }
    rests: dict[str, list[str]] = {}
    for word in sorted(kinds, key=len, reverse=True):
        rests.setdefault(word[0], []).append(re.escape(word[1:]))
    found = "|".join(
        f"{re.escape(first)}(?:{'|'.join(endings)})" for first, endings in rests.items() if not first.isascii()
    )
    firsts = re.escape("".join(rests))
    return _Lexicon(kinds, re.compile(rf"[a-z]+|{found}|[^\s{firsts}]+|\S"))


_ACCEPTANCE: Final = _lexicon("acceptance")

_SENTIMENT: Final = _lexicon("sentiment")
