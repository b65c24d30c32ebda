"""Reads the verdicts of a clause: what each verdict word comes to once its negations, hedges and subject are known."""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from tasks.parsing.lexicon import Kind, Lexicon, Word

_SIGNS: Final = {
    Kind.YES: True,
    Kind.COMPLAINT: True,
    Kind.MILD_YES: True,
    Kind.GESTURE_YES: True,
    Kind.COURTESY: True,
    Kind.NO: False,
    Kind.MILD_NO: False,
    Kind.GESTURE_NO: False,
}

_PLAIN: Final = frozenset({Kind.YES, Kind.NO, Kind.COMPLAINT})

_GESTURES: Final = frozenset({Kind.GESTURE_YES, Kind.GESTURE_NO, Kind.COURTESY})

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
    }
)

_ASKS: Final = frozenset({Kind.NEGATION, Kind.QUESTION})  # with nothing behind it

_ASKED_ABOUT: Final = frozenset(
    {Kind.COMPLAINT, Kind.MILD_YES, Kind.MILD_NO, Kind.GESTURE_YES, Kind.GESTURE_NO}
)

_ENDS: Final = frozenset({Kind.END, Kind.CONTRAST})

_LISTED: Final = frozenset({Kind.YES, Kind.MILD_YES, Kind.COMPLAINT, Kind.COORDINATION, Kind.BRIDGE, Kind.END})

_ATTRIBUTIVE: Final = frozenset(["的", "地"])

_NO_SUCH_THING: Final = frozenset(["无", "毫无", "no", "without"])  # what follows is a noun, no event

_OF_ATTRIBUTES: Final = frozenset(["不", "未", "无", "没"])

_DENIED_HEDGES: Final = frozenset(["seem", "appear"])  # did not seem

_THERE_IS: Final = frozenset(["有", "略有", "稍有", "有点", "有些", "有所", "存在"])

_OF_THE_TEXT: Final = frozenset(["信息", "依据", "线索", "证据", "内容", "看不出", "看不到", "听不出"])  # not of a mood

_CAUSES: Final = frozenset(["因", "因为", "由于", "because"])

_BEFORE_ABOUT: Final = frozenset(["没", "没有", "未", "能"])  # 没有就赔偿达成一致; elsewhere 就 is then

_COMES: Final = frozenset(["到", "来"])

_COMES_NOT: Final = frozenset(["没", "没有", "未", "还没", "还未", "还没有", "尚未"])

_CARRIES_ON: Final = frozenset(["并", "并且", "而且", "且", "同时", "还", "也"])


class Claim(NamedTuple):
    """The value of a verdict word in its clause; None where it is left unsettled."""

    value: bool | None
    plain: bool = False  # neither mild nor a gesture
    negated: bool = False
    conditional: bool = False  # or only asked about
    silent: bool = False  # no verdict word at all
    partial: bool = False
    turning: bool = False  # behind a contrast
    later: bool = False
    courteous: bool = False  # only thanks
    sign: bool | None = None  # what the word itself says


class _Link(NamedTuple):
    """A verdict as the next one of a list inherits it."""

    sign: bool
    negated: bool
    open_ended: bool  # it is not settled whether a negation reached it


def claims_of(sentence: str, lexicon: Lexicon) -> Iterator[Claim]:
    """The claims of a sentence's clauses, in order."""
    by_agent = conditional = later = turning = False
    denied: bool | None = None  # the sign of the verdict that the clause before ended with, where it was negated
    for clause in lexicon.clauses(sentence):
        reader = ClauseReader(
            agent=by_agent and clause[0][0] in _CARRIES_ON, conditional=conditional, later=later, turning=turning
        )
        # A list may be cut by commas: 没有表现出愤怒，失望，不满等情绪.
        if denied is True and all(kind in _LISTED for _, kind in clause):
            reader.carry_on_list()
        claims = reader.read(clause)
        yield from claims
        denied = reader.denied
        by_agent = reader.agent
        conditional = reader.conditional and not conditional and not claims
        later = reader.early or (reader.later and not claims)
        turning = clause[-1][1] is Kind.CONTRAST


def is_any(sentence: str, lexicon: Lexicon) -> bool | None:
    """Return true for some, false for none (有一点, 几乎没有), in a sentence that names nothing; None for any other."""
    words = [word for clause in lexicon.clauses(sentence) for word in clause]
    denials = sum(kind in (Kind.NEGATION, Kind.DENIED) for _, kind in words)
    if not words or any(kind not in _SAYS_NOTHING or word in _OF_THE_TEXT for word, kind in words):
        return None
    if denials > 1 and any(word == "的" for word, _ in words):  # 没有不该有的冲动
        return None
    return denials % 2 == 0 if denials or words[0][0] in _THERE_IS else None


class ClauseReader:
    """Reads one clause from left to right; knows afterwards what the next clause inherits."""

    def __init__(self, *, agent: bool, conditional: bool, later: bool, turning: bool) -> None:
        self.agent = agent  # the agent is the subject
        self.conditional = conditional
        self.later = later
        self.early = False
        self._turning = turning
        self._asked_to = False  # by the agent
        self._hedged = self._asked = self._rhetoric = self._wavers = self._partly = self._enquires = False
        self._opines = False  # the user says what they think of the agent
        self._used_up = False  # calm behind it is no more
        self._from = False  # a way from one verdict to another is told
        self._negated = self._silent = False  # in reach
        self._doubly = False  # an even number of negations stands before what follows
        self._adjectival = False  # the last of them may belong to an attribute: 不该有的
        self._doubtful = False  # an unknown word stands between the negation and what follows
        self._shown = False  # a negated word of showing stands before what follows
        self._receives = self._of_noun = False
        self._before_cause: bool | None = None  # a negation stood before the cause that is being told
        self._ended = False  # an event ended a negation
        self._eventful = False  # one may have, behind an unknown word
        self._reaches = False  # as far as the next verdict
        self._towards = False  # the last word was a preposition
        self._within = False  # a negation belongs to what a preposition brings: 对没有赠品感到失望
        self._chain: _Link | None = None  # the verdict just read
        self._coordinated = False

    @property
    def denied(self) -> bool | None:
        """The sign of the verdict that the clause ends with, where a negation reached it."""
        return self._chain.sign if self._chain is not None and self._chain.negated else None

    def carry_on_list(self) -> None:
        """Let the negation of the clause before reach into this one."""
        self._negated = True

    def read(self, clause: list[Word]) -> list[Claim]:
        """The claims of the clause, in order."""
        claims: list[Claim] = []
        end = len(clause)
        while end and clause[end - 1][1] in _ENDS:
            end -= 1
        last = ""
        for at, (word, kind) in enumerate(clause, 1):
            if kind in _SIGNS:
                claim = None if self.agent else self._claim(kind, attributive=last == "的")
                self._negated = self._silent = self._doubly = self._doubtful = self._shown = False
                self._eventful = False
                self._reaches = self._coordinated = False
                if claim is not None:
                    claims.append(claim)
            elif word in _COMES and last in _COMES_NOT and not self._reaches:
                self._doubtful = self._eventful = True  # 货没到很生气, but 没到生气的地步
            elif kind is Kind.BRIDGE or kind is Kind.END:
                self._reaches |= self._negated and word == "就" and last in _BEFORE_ABOUT
            elif kind is Kind.OTHER or (kind is Kind.HIDDEN and clause[at : at + 1] == [("的", Kind.OWNED)]):
                self._meet_unknown(clause[at : at + 3])
            elif kind is Kind.SPENT and self._chain is None:
                self._used_up = True
            elif (kind is Kind.DENIED or kind is Kind.SPENT) and self._chain is not None and claims:
                claims[-1] = claims[-1]._replace(value=_faded(claims[-1].value, kind))
            elif at == end and kind is Kind.FAINT and self._chain is not None and claims:
                claims[-1] = claims[-1]._replace(value=None)
            elif kind is Kind.ASKED or (at == end and kind in _ASKS and self._chain is not None):
                if not self._rhetoric:
                    claims = [claim._replace(value=None, conditional=True) for claim in claims]
            else:
                self._pass(word, kind)
            self._towards = kind is Kind.TOWARDS or kind is Kind.PREPOSITION
            last = word
        in_question = self._hedged and any(claim.conditional for claim in claims)  # 未明确是否接受
        if (self._wavers or in_question) and not any(claim.plain and not claim.conditional for claim in claims):
            claims.append(Claim(None, silent=True, turning=self._turning, later=self.later))
        return claims

    def _claim(self, kind: Kind, *, attributive: bool) -> Claim | None:
        if self._enquires and kind in _ASKED_ABOUT:
            return None
        sign = _SIGNS[kind]
        if self._used_up and not sign:
            self._used_up, self._negated = False, not self._negated
        attributive_twice = attributive and self._doubly and self._adjectival
        negated = self._negated or (attributive_twice and self._shown)
        doubtful = self._doubtful or (attributive and self._ended) or (attributive_twice and not self._shown)
        open_ended = self._silent or doubtful
        if not negated and self._chain is not None and (self._coordinated or self._chain.sign == sign):
            negated = self._chain.negated
            open_ended |= self._chain.open_ended
        self._chain = _Link(sign, negated or attributive_twice, open_ended)
        unsettled = self._hedged or open_ended
        if kind in _GESTURES and (negated or unsettled):
            return None
        conditional = self.conditional or self._asked
        return Claim(
            None if unsettled or conditional else sign != negated,
            plain=kind in _PLAIN,
            negated=negated or unsettled,
            conditional=conditional,
            partial=self._partly,
            turning=self._turning,
            later=self.later,
            courteous=kind is Kind.COURTESY,
            sign=sign,
        )

    def _meet_unknown(self, following: Sequence[Word] = ()) -> None:
        """An unknown word leaves open how far a negation reaches, unless it is plainly part of what was shown."""
        if following and following[0][1] is Kind.COORDINATION:
            return
        if (self._negated or self._doubly) and not self._reaches:
            attribute = self._shown and any(word in _ATTRIBUTIVE for word, _ in following)
            self._doubtful |= not attribute
        self._chain = None

    def _pass(self, word: str, kind: Kind) -> None:
        """Take note of a word that is no verdict."""
        match kind:
            case Kind.NEGATION | Kind.RHETORIC | Kind.DENIED:
                # A second negation may be part of a word (没有不必要的抱怨) or of a cause (没有因不发货而生气).
                within_cause = self._negated and self._before_cause is not None
                self._doubtful |= within_cause
                self._doubly = self._negated and not self._doubtful
                self._adjectival = word in _OF_ATTRIBUTES
                self._negated = not self._negated or self._doubtful
                self._within = self._towards and self._negated and not self._reaches
                self._doubtful, self._receives = within_cause, False
                self._of_noun = word in _NO_SUCH_THING
                self._chain = None
                self._rhetoric |= kind is Kind.RHETORIC
            case Kind.SHOW | Kind.DEGREE | Kind.OPINION:
                self._opines |= kind is Kind.OPINION and not self.agent
                self._pass_show(Kind.SHOW if kind is Kind.OPINION else kind)
            case Kind.EVENT | Kind.RECEIVE | Kind.GOODS | Kind.THUS | Kind.HIDDEN:
                self._pass_event(kind)
            case Kind.PREPOSITION:
                self._reaches |= self._negated or self._silent
                self._before_cause = self._negated if word in _CAUSES else self._before_cause
            case Kind.COORDINATION:
                self._coordinated = self._chain is not None
            case Kind.HEDGE | Kind.PARTLY:
                self._hedged |= not (self._negated and word in _DENIED_HEDGES)
                self._partly |= kind is Kind.PARTLY
            case Kind.EXTENT:
                self._hedged |= self._negated
                self._negated = False
            case Kind.SILENCE:
                self._silent = self._wavers = True
            case Kind.QUESTION:
                self._asked = True
            case Kind.ENQUIRY:
                self._enquires = not self._negated
            case Kind.CONDITION:
                self.conditional = True
            case _:
                self._pass_subject(kind)

    def _pass_show(self, kind: Kind) -> None:
        """Take note of what a negation reaches over, or what begins a new predicate: 没按约上门十分不满."""
        if (self._eventful and self._doubtful) or self._within:
            self._break()
            self._within = False
            self._ended = True
        elif kind is Kind.SHOW:
            self._shown |= self._negated

    def _pass_event(self, kind: Kind) -> None:
        """Take note of what a negation denies before a verdict is reached: 没收到货很生气."""
        if kind is Kind.RECEIVE:
            self._receives = self._negated
        elif kind is Kind.THUS and self._before_cause is not None:
            self._end_cause()
        elif kind is Kind.HIDDEN:
            self._negated = self._doubtful = False
        elif self._reaches:
            pass
        elif kind is Kind.THUS:
            if self._doubtful:
                self._break()
            else:
                self._shown |= self._negated
        elif self._negated:
            if self._shown or self._doubtful or self._of_noun or (kind is Kind.GOODS and not self._receives):
                self._eventful = self._doubtful and not (self._shown or self._of_noun)
                self._doubtful = True
                self._chain = None
            else:
                self._break()
                self._ended = True
        else:
            self._break()

    def _end_cause(self) -> None:
        """Take note that what a negation before the cause denies follows; one within it has ended: 因未发货而生气."""
        self._ended |= self._negated and not self._before_cause
        self._negated = self._shown = bool(self._before_cause)
        self._doubly = self._doubtful = self._eventful = False
        self._before_cause = self._chain = None

    def _pass_subject(self, kind: Kind) -> None:
        """Take note of a word that says whose verdict follows, or that it is a later one."""
        match kind:
            case Kind.SEQUEL | Kind.TO:
                if kind is Kind.SEQUEL or self._from:
                    self.later = True
                    self._chain = None
            case Kind.FROM:
                self._from = True
                self._meet_unknown()
            case Kind.AGENT | Kind.THIRD:
                self.agent |= not (self._towards or (self._opines and kind is Kind.AGENT))
            case Kind.USER | Kind.OWNED:
                self.agent &= self._asked_to
            case Kind.LET | Kind.CAUSE:
                if self.agent:
                    self._asked_to = True
                    self._break()
                elif kind is Kind.CAUSE:
                    self._meet_unknown()
            case Kind.AFTER:
                self.agent = self._asked_to = self._enquires = False
                self.later = True
                self._silent = False
                self._meet_unknown()
            case Kind.EARLY:
                self.early = True
            case Kind.TOWARDS:
                pass
            case _:  # faint, in the middle of a clause
                self._meet_unknown()

    def _break(self) -> None:
        if not self._reaches:
            self._negated = self._silent = self._doubly = self._doubtful = self._shown = False
        self._chain = None


def _faded(value: bool | None, kind: Kind) -> bool | None:
    """Return the value of a verdict whose thing is hardly there, or used up.

    What is hardly there was not shown; that there is no sign of calm shows nothing; used-up patience shows anger.
    """
    if kind is Kind.SPENT:
        return True if value is False else None
    return False if value else None
