"""Reads the verdicts of a clause: what each verdict word comes to once its negations, hedges and subject are known."""

from typing import Final, NamedTuple

from tasks.parsing.lexicon import Kind, Lexicon, Word
from tasks.parsing.scope import CAUSES, Scope

_SIGNS: Final = {
    Kind.YES: True,
    Kind.COMPLAINT: True,
    Kind.HALF: True,
    Kind.MILD_YES: True,
    Kind.GESTURE_YES: True,
    Kind.COURTESY: True,
    Kind.NO: False,
    Kind.REFUSAL: False,
    Kind.MILD_NO: False,
    Kind.GESTURE_NO: False,
}

_PLAIN: Final = frozenset({Kind.YES, Kind.HALF, Kind.NO, Kind.REFUSAL, Kind.COMPLAINT})

_GESTURES: Final = frozenset({Kind.GESTURE_YES, Kind.GESTURE_NO, Kind.COURTESY})

_ASKS: Final = frozenset({Kind.NEGATION, Kind.QUESTION, Kind.SILENCE, Kind.HEDGE})  # with nothing behind it

_ASKED_ABOUT: Final = frozenset({Kind.COMPLAINT, Kind.MILD_YES, Kind.MILD_NO, Kind.GESTURE_YES, Kind.GESTURE_NO})

_ENDS: Final = frozenset({Kind.END, Kind.CONCESSION, Kind.CONTRAST})

_LISTED: Final = frozenset({Kind.YES, Kind.MILD_YES, Kind.COMPLAINT, Kind.COORDINATION, Kind.BRIDGE, Kind.END})

_ASSERTS: Final = frozenset(["有", "是", "只是"])  # a verdict, behind a denied one: 没有愤怒，有失望

_STOPS: Final = frozenset("。;!")

_DENIED_HEDGES: Final = frozenset(["seem", "appear"])  # did not seem

_CONCLUDES: Final = frozenset(["就", "便", "则"])

# Before 才 they make a demand of what is told: 要先退款才同意.
_DEMANDS: Final = frozenset(["要", "必须", "须", "须先", "需", "需要", "得", "坚持", "先"])

_BESIDE: Final = frozenset(["和", "及", "以及", "、", "and"])

_ARTICLES: Final = frozenset(["a", "an", "the", "any"])

_NAMED: Final = frozenset({Kind.OTHER, Kind.GOODS})  # behind a mood: a product or a page that is called so

_GOVERNED: Final = frozenset({Kind.BRIDGE, Kind.TOWARDS, Kind.EVENT, Kind.GOODS, Kind.SHOW, Kind.TO, Kind.OWNED})

_THINGS: Final = frozenset({Kind.OTHER, Kind.AGENT, Kind.THIRD, Kind.GOODS})

_VERBS: Final = frozenset({Kind.OTHER, Kind.EVENT, Kind.RECEIVE})  # may be one

_PARTED: Final = frozenset(["的", "均", "皆", "都", "也", "全"])  # from the verdict that a word behind them is about

_FADES: Final = frozenset({Kind.DENIED, Kind.SPENT, Kind.REACHED})

_SHOWS_NOTHING: Final = frozenset({Kind.SHOW, Kind.BRIDGE, Kind.DEGREE, Kind.END, Kind.CONCESSION, Kind.CONTRAST})

_UNSURE: Final = frozenset({Kind.HEDGE, Kind.BRIDGE, Kind.USER, Kind.END, Kind.CONTRAST, Kind.NEGATION})

_CARRIES_ON: Final = frozenset(["并", "并且", "而且", "且", "同时", "还", "也"])


class Claim(NamedTuple):
    """The value of a verdict word in its clause; None where it is left unsettled."""

    value: bool | None
    sign: bool | None = None  # what the word itself says
    plain: bool = False  # neither mild nor a gesture
    negated: bool = False
    conditional: bool = False  # or only asked about
    silent: bool = False  # no verdict word at all
    partial: bool = False
    turning: bool = False  # behind a contrast
    later: bool = False
    gesture: bool = False
    courteous: bool = False  # only thanks
    granted: bool = False  # behind a concession


def claims_of(sentence: str, lexicon: Lexicon) -> list[Claim]:
    """The claims of a sentence's clauses, in order."""
    found: list[Claim] = []
    by_agent = conditional = later = turning = False
    conceded = 0  # claims that a concession made, right before this clause
    denied: bool | None = None  # the sign of the verdict that the clause before ended with, where it was negated
    conceding = False
    for clause in lexicon.clauses(sentence):
        reader = ClauseReader(
            agent=by_agent and clause[0][0] in _CARRIES_ON, conditional=conditional, later=later, turning=turning
        )
        # A list may be cut by commas: 没有表现出愤怒，失望，不满等情绪.
        if denied is True and all(kind in _LISTED and word not in _ASSERTS for word, kind in clause):
            reader.carry_on_list()
        claims = reader.read(clause)
        if reader.provides:  # 同意，前提是今天发货
            found = [claim._replace(value=None, partial=True) if claim.value else claim for claim in found]
        if turning and conceded and not claims and any(kind is Kind.OTHER for _, kind in clause):
            # 虽然没骂人，但话很冲: what is told against a denial may be what it denies.
            found[-conceded:] = [claim._replace(value=None) for claim in found[-conceded:]]
        found += [claim._replace(granted=True) for claim in claims] if conceding else claims
        is_turn = len(clause) == 1 and clause[0][1] is Kind.CONTRAST
        if not is_turn:
            conceded = sum(claim.negated and claim.value is False for claim in claims) if conceding else 0
            conceded = conceded if conceded == len(claims) else 0
        denied = reader.denied if clause[-1][0] not in _STOPS else None
        by_agent = reader.agent
        conditional = reader.conditional and not (reader.concludes or conditional or claims)
        later = reader.early or (reader.later and not claims)
        turning = clause[-1][1] is Kind.CONTRAST
        conceding = clause[-1][1] is Kind.CONCESSION
    return found


class ClauseReader:
    """Reads one clause from left to right; knows afterwards what the next clause inherits."""

    def __init__(self, *, agent: bool, conditional: bool, later: bool, turning: bool) -> None:
        self.agent = agent  # the agent is the subject
        self.conditional = conditional
        self.later = later
        self.early = False
        self.concludes = False  # what follows from its condition: 再不处理就退货
        self.provides = False  # a condition of what the clauses before say
        self._scope = Scope()
        self._turning = turning
        self._asked_to = False  # by the agent
        self._hedged = self._asked = self._rhetoric = self._wavers = self._partly = self._enquires = False
        self._main_agent: bool | None = None  # before the cause that is being told
        self._opines = False  # the user says what they think of the agent
        self._refuses = False  # what follows
        self._used_up = False  # calm behind it is no more
        self._from = False  # a way from one verdict to another is told
        self._demands = self._demanded = False  # something is wanted before what follows
        self._user_named = self._of_other = False
        self._addressed = False  # the user is whom the agent turns to
        self._towards = False  # the last word was a preposition

    @property
    def denied(self) -> bool | None:
        """The sign of the verdict that the clause ends with, where a negation reached it."""
        link = self._scope.link
        return link.sign if link is not None and link.negated else None

    def carry_on_list(self) -> None:
        """Let the negation of the clause before reach into this one."""
        self._scope.negated = True

    def read(self, clause: list[Word]) -> list[Claim]:
        """The claims of the clause, in order."""
        claims: list[Claim] = []
        end = len(clause)
        while end and clause[end - 1][1] in _ENDS:
            end -= 1
        last: Word = ("", Kind.END)
        for at, (word, kind) in enumerate(clause, 1):
            if self._refuses and kind in _SIGNS:
                continue  # what is refused: 拒绝和解
            self._demands |= word in _DEMANDS
            governed = (kind in _GOVERNED or kind is Kind.OTHER) and not (kind is Kind.TO and self._from)
            self._refuses = kind is Kind.REFUSAL or (self._refuses and governed)  # not after 到: 从拒绝到接受
            if kind in _SIGNS:
                names = last[1] is Kind.ENQUIRY and at < end and clause[at][1] in _NAMED  # 咨询焦虑自测表
                claim = self._claim(kind, attributive=last[0] == "的", describes=names or _describes(clause, at))
                if self.agent or (self._of_other and last[0] == "的"):
                    self._scope.link = None
                elif claim is not None:
                    claims.append(claim)
            elif (
                revised := self._revised(claims, kind, last, ends=at == end, denies=_denies(clause, at, end))
            ) is not None:
                claims = revised
            elif self._is_listed_object(kind, clause[at : at + 1]):
                continue
            elif kind is Kind.OTHER or (kind is Kind.HIDDEN and clause[at : at + 1] == [("的", Kind.OWNED)]):
                self._scope.unknown(clause[at : at + 3])
            elif not (kind is Kind.AGENT and _is_object(clause, at)):
                self._pass(word, kind, last[0])
            self._towards = kind is Kind.TOWARDS or kind is Kind.PREPOSITION or (self._towards and word in _ARTICLES)
            last = word, kind
        in_question = self._hedged and any(claim.conditional for claim in claims)  # 未明确是否接受
        only_hedges = self._hedged and all(kind in _UNSURE for _, kind in clause)  # 不明确，用户说考虑
        if (self._wavers or in_question or only_hedges) and not any(
            claim.plain and not claim.conditional for claim in claims
        ):
            claims.append(Claim(None, silent=True, turning=self._turning, later=self.later))
        elif self._partly and not claims:  # partially: agreed to return it
            claims.append(Claim(None, silent=True, partial=True))
        return claims

    def _is_listed_object(self, kind: Kind, following: list[Word]) -> bool:
        """Return true for what a denied verdict is about, where a list goes on behind it: 没有催促快递或抱怨."""
        link = self._scope.link
        return (
            kind in (Kind.EVENT, Kind.GOODS)
            and link is not None
            and link.negated
            and any(kind is Kind.COORDINATION and word != "and" for word, kind in following)
        )

    def _revised(self, claims: list[Claim], kind: Kind, last: Word, *, ends: bool, denies: bool) -> list[Claim] | None:
        """The claims as a word behind them leaves them; None where it is no such word.

        Args:
            claims: of the clause so far.
            kind: of the word.
            last: the word before it.
            ends: the word ends the clause.
            denies: the word is a negation that only showing follows: 不满并未表现.
        """
        behind = self._scope.link is not None
        # 有接受补发的可能, 抱怨和指责均无
        parted = behind or last[0] in _PARTED
        if denies and not self.agent:
            kind = Kind.DENIED
        asks = kind is Kind.ASKED or (ends and parted and kind in _ASKS)
        in_case = kind is Kind.IN_CASE and last[1] is not Kind.AGENT and last[0][-1:] != "说"  # 客服的话, 说的话
        self.conditional |= in_case
        self._wavers |= asks and kind is Kind.SILENCE
        if asks or in_case:
            rhetoric = asks and self._rhetoric
            return claims if rhetoric else [claim._replace(value=None, conditional=True) for claim in claims]
        if not claims:
            return None
        if not behind:  # 耐心在等待中耗尽
            *earlier, claim = claims
            if kind is Kind.DENIED:  # what an unknown word names, or the verdict
                return [*earlier, claim._replace(value=None)]
            return [*earlier, claim._replace(value=claim.value or None)] if kind is Kind.SPENT else None
        if kind in _FADES:
            return [claim._replace(value=_faded(claim, kind)) for claim in claims]
        return [claim._replace(value=None) for claim in claims] if ends and kind is Kind.FAINT else None

    def _claim(self, kind: Kind, *, attributive: bool, describes: bool) -> Claim | None:
        sign = _SIGNS[kind]
        spent = self._used_up and not sign
        self._used_up &= not spent
        link = self._scope.verdict(sign=sign, attributive=attributive, spent=spent)
        depends = (self.conditional or self._demanded) and sign != link.negated
        unsettled = self._hedged or describes or link.open_ended or (kind is Kind.HALF and not link.negated)
        if (self._enquires and kind in _ASKED_ABOUT) or (kind in _GESTURES and (link.negated or unsettled)):
            return None
        conditional = self.conditional or self._asked or self._demanded
        return Claim(
            None if unsettled or conditional else sign != link.negated,
            sign,
            plain=kind in _PLAIN,
            negated=link.negated or unsettled,
            conditional=conditional,
            partial=self._partly or kind is Kind.HALF or depends,
            turning=self._turning,
            later=self.later,
            gesture=kind in _GESTURES,
            courteous=kind is Kind.COURTESY,
        )

    def _pass(self, word: str, kind: Kind, last: str) -> None:
        """Take note of a word that is no verdict: how sure what follows is."""
        match kind:
            case Kind.BRIDGE | Kind.END:
                self._scope.bridge(word, last)
                self._demanded |= (word == "才" and self._demands) or (word == "会" and last == "才")
                self.concludes |= self.conditional and word in _CONCLUDES
            case Kind.HEDGE | Kind.PARTLY:
                self._hedged |= not (self._scope.negated and word in _DENIED_HEDGES)
                self._partly |= kind is Kind.PARTLY
            case Kind.EXTENT:
                self._hedged |= self._scope.negated
                self._scope.negated = False
            case Kind.SILENCE:
                self._scope.silence()
                self._wavers = True
            case Kind.QUESTION:
                self._asked = True
            case Kind.ENQUIRY:
                self._enquires = not self._scope.negated
            case Kind.CONDITION:
                self.conditional = True
            case Kind.PROVIDED:
                self.conditional = self.provides = True
            case Kind.SPENT:
                self._used_up = True
            case _:
                self._pass_reach(word, kind, last)

    def _pass_reach(self, word: str, kind: Kind, last: str) -> None:
        """Take note of a word that negates, or that a negation meets."""
        scope = self._scope
        match kind:
            case Kind.NEGATION | Kind.DENIED | Kind.RHETORIC:
                scope.negate(word, brought=self._towards)
                self._rhetoric |= kind is Kind.RHETORIC
            case Kind.SHOW:
                scope.show()
            case Kind.OPINION:
                scope.show()
                self._opines |= not self.agent
            case Kind.DEGREE:
                scope.degree()
            case Kind.EVENT | Kind.GOODS:
                scope.event(word, goods=kind is Kind.GOODS)
            case Kind.RECEIVE:
                scope.receive()
            case Kind.HIDDEN:
                scope.hide()
            case Kind.THUS:
                scope.thus(word)
                self.agent = self._main_agent if self._main_agent is not None else self.agent
                self._main_agent = None
            case Kind.PREPOSITION:
                scope.prepose(word)
                self._main_agent = self.agent if word in CAUSES else self._main_agent
            case Kind.COORDINATION:
                scope.coordinate(word)
            case _:
                self._pass_subject(word, kind, last)

    def _pass_subject(self, word: str, kind: Kind, last: str) -> None:
        """Take note of a word that says whose verdict follows, or that it is a later one."""
        scope = self._scope
        match kind:
            case Kind.SEQUEL | Kind.TO:
                self._pass_sequel(word, kind, last)
            case Kind.FROM:
                self._from = True
                scope.unknown()
            case Kind.AGENT | Kind.THIRD:
                causes = last in CAUSES and not self._user_named  # 因客服态度恶劣，用户换了一家
                beside = last in _BESIDE and (self._user_named or scope.about)  # 用户和家人都很生气, 对商品和客服不满
                subject = causes or not (beside or self._towards or (self._opines and kind is Kind.AGENT))
                self.agent |= subject
                self._of_other = subject
            case Kind.USER | Kind.OWNED:
                self._user_named |= kind is Kind.USER
                addressed = self._towards or (kind is Kind.OWNED and self._addressed)  # 商家对用户的差评
                if word == "被" and self._main_agent is None:
                    self._main_agent = self.agent  # 客服被用户的问题弄得很无奈
                self._of_other &= word == "的"  # 用户转述同事的抱怨
                self.agent &= addressed or self._asked_to
                self._addressed = self._towards
            case Kind.LET | Kind.CAUSE:
                if self.agent:
                    self._asked_to = True
                    scope.cut()
                elif kind is Kind.CAUSE:
                    scope.unknown()
            case Kind.AFTER:
                self.agent = self._asked_to = self._enquires = False
                self.later = True
                scope.after()
            case Kind.EARLY:
                self.early = True
            case Kind.TOWARDS:
                scope.open_phrase()
            case _:  # faint, in the middle of a clause
                scope.unknown()

    def _pass_sequel(self, word: str, kind: Kind, last: str) -> None:
        """Take note that what follows came later."""
        if kind is Kind.SEQUEL or self._from:
            self.later = True
            self._scope.link = None
            self._scope.speak()
        self._scope.bridge(word, last)


def _denies(clause: list[Word], at: int, end: int) -> bool:
    """Return true for a negation that only showing follows: 不满并未表现."""
    shown = clause[at:end]
    return clause[at - 1][1] is Kind.NEGATION and bool(shown) and all(kind in _SHOWS_NOTHING for _, kind in shown)


def _describes(clause: list[Word], at: int) -> bool:
    """Return true for a verdict that only describes what another verb is about: 取消了已接受的方案, 遇到愤怒的乘客."""
    described = clause[at : at + 1] == [("的", Kind.OWNED)] and clause[at + 1 : at + 2]
    if not described:
        return False
    thing, kind = described[0]
    return (kind in _THINGS or thing == "方案") and any(kind in _VERBS for _, kind in clause[: at - 1])


def _is_object(clause: list[Word], at: int) -> bool:
    """Return true for an agent that another verb takes, where the subject goes on behind: 选择相信客服并同意."""
    goes_on = clause[at : at + 1] and clause[at][0] in _CARRIES_ON
    return bool(goes_on) and any(kind is Kind.OTHER for _, kind in clause[: at - 1])


def _faded(claim: Claim, kind: Kind) -> bool | None:
    """Return the value of a verdict whose thing is hardly there, used up, or not reached (没到生气的地步).

    What is hardly there was not shown; that there is no sign of calm shows nothing; used-up patience shows anger.
    """
    if kind is Kind.REACHED:
        return not claim.sign if claim.negated else claim.value
    if kind is Kind.SPENT:
        return True if claim.sign is False and claim.value is not None else None
    return False if claim.value else None
