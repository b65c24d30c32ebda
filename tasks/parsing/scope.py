"""The reach of a negation in a clause: over which words it still turns the next verdict around."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from tasks.parsing.lexicon import Kind, Word

_ATTRIBUTIVE: Final = frozenset(["的", "地"])

_NO_SUCH_THING: Final = frozenset(["无", "毫无", "no", "without"])  # what follows is a noun, no event

_OF_ATTRIBUTES: Final = frozenset(["不", "未", "无", "没"])

CAUSES: Final = frozenset(["因", "因为", "由于", "because"])

_BEFORE_ABOUT: Final = frozenset(["没", "没有", "未", "能"])  # 没有就赔偿达成一致; elsewhere 就 is then

_MAY_BE_DENIED: Final = frozenset(["因此", "因而", "而", "使得"])  # 没有因此生气, but 没回复所以生气

_THEN: Final = frozenset(["就", "便", "才"])

_COMES: Final = frozenset(["到", "来"])

_COMES_NOT: Final = frozenset(["没", "没有", "未", "还没", "还未", "还没有", "尚未"])


class Link(NamedTuple):
    """A verdict as the next one of a list inherits it."""

    sign: bool
    negated: bool
    open_ended: bool  # it is not settled whether a negation reached it


class Scope:
    """The reach of the negations of a clause, up to the word that was read last."""

    def __init__(self) -> None:
        self.negated = False  # what follows
        self.link: Link | None = None  # the verdict just read, where nothing has parted it from what follows
        self.about = False  # what the clause's verdict is about has been named: 对商品
        self._silent = False  # it is not known whether what follows holds
        self._doubly = False  # an even number of negations stands before what follows
        self._adjectival = False  # the last of them may belong to an attribute: 不该有的
        self._aspectual = False  # the last of them is said of an event alone: 没过两天
        self._doubtful = False  # an unknown word stands between the negation and what follows
        self._shown = False  # a negated word of showing stands before what follows
        self._receives = self._of_noun = False
        self._before_cause: bool | None = None  # a negation stood before the cause that is being told
        self._ended = False  # an event ended a negation
        self._eventful = False  # one may have, behind an unknown word
        self._reaches = False  # as far as the next verdict
        self._within = False  # a negation belongs to what a preposition brings: 对没有赠品感到失望
        self._outside: bool | None = None  # a negation stood before the phrase that is open
        self._coordinated = False

    def verdict(self, *, sign: bool, attributive: bool, spent: bool) -> Link:
        """Meet a verdict, which ends what reached it.

        Args:
            sign: what the word itself says.
            attributive: 的 stands before it.
            spent: what it names is used up: 耗尽了耐心.
        """
        negated = self.negated is not spent
        attributive_twice = attributive and self._doubly and self._adjectival
        negated |= attributive_twice and self._shown
        doubtful = self._doubtful or (attributive and self._ended) or (attributive_twice and not self._shown)
        open_ended = self._silent or doubtful
        if not negated and self.link is not None and (self._coordinated or self.link.sign == sign):
            negated = self.link.negated
            open_ended |= self.link.open_ended
        self.link = Link(sign, negated or attributive_twice, open_ended)
        self.negated = self._silent = self._doubly = self._doubtful = self._shown = self._eventful = False
        self._reaches = self._coordinated = False
        return Link(sign, negated, open_ended)

    def negate(self, word: str, *, brought: bool) -> None:
        """Meet a negation; a preposition brings it where it stands right before."""
        # A second negation may be part of a word (没有不必要的抱怨) or of a cause (没有因不发货而生气).
        within_cause = self.negated and self._before_cause is not None
        self._doubtful |= within_cause
        self._doubly = self.negated and not self._doubtful
        self._adjectival = word in _OF_ATTRIBUTES
        self._aspectual = word in ("没", "不")
        self.negated = not self.negated or self._doubtful
        self._within = brought and self.negated and not self._reaches
        self._receives = False
        self._of_noun = word in _NO_SUCH_THING
        self.link = None

    def silence(self) -> None:
        """Meet words that leave open whether what follows holds."""
        self._silent = True

    def speak(self) -> None:
        """End a silence: what follows came later."""
        self._silent = False

    def open_phrase(self) -> None:
        """Meet a word that brings a phrase: a negation within it ends with it (在确认无误后)."""
        self._outside = self.negated

    def after(self) -> None:
        """Meet the end of such a phrase."""
        self.speak()
        if self._outside is False and not self._reaches:
            self.cut()
        else:
            self.unknown()
        self._outside = None

    def bridge(self, word: str, last: str) -> None:
        """Meet a word that a negation reaches over, and the word before it."""
        if word in _COMES and last in _COMES_NOT and not self._reaches:
            self._doubtful = self._eventful = True  # 货没到很生气, but 没到生气的地步
        if word == "也" and not self.negated:
            self._doubtful = False  # 不接受换货也不接受退款: no list's negation reaches over 也
        ended = self._aspectual or not self.negated
        if self._doubtful and ended and word in _THEN and not self._reaches:
            self.cut()  # 没多想就同意了, but 没有……就赔偿达成一致
        self._reaches |= self.negated and word == "就" and last in _BEFORE_ABOUT

    def prepose(self, word: str) -> None:
        """Meet a preposition: a negation before it reaches over all that it brings."""
        self.about |= word not in CAUSES
        self._reaches |= self.negated or self._silent
        self._before_cause = self.negated if word in CAUSES else self._before_cause

    def coordinate(self, word: str) -> None:
        """Meet a conjunction of a list; `and` may begin a new predicate, `or` and `nor` do not."""
        if word == "and" and self._doubtful and not (self._shown or self._of_noun):
            self.cut()
        self._coordinated = self.link is not None and word != "and"

    def unknown(self, following: Sequence[Word] = ()) -> None:
        """Meet an unknown word: how far a negation reaches is open, unless the word is plainly part of what was shown.

        Args:
            following: the words behind it.
        """
        if following and following[0][1] is Kind.COORDINATION and following[0][0] != "and":
            return
        if (self.negated or self._doubly) and not self._reaches:
            attribute = self._shown and any(word in _ATTRIBUTIVE for word, _ in following)
            self._doubtful |= not attribute
        elif self.link is not None and self.link.negated:
            self._doubtful = True  # 没有抱怨或……生气: it may reach as far
        self.link = None

    def show(self) -> None:
        """Meet a word of showing."""
        if not self._predicate():
            self._shown |= self.negated

    def degree(self) -> None:
        """Meet a word of degree."""
        self._predicate()

    def receive(self) -> None:
        """Meet a word of receiving, whose goods follow: 没收到货."""
        self._receives = self.negated

    def hide(self) -> None:
        """Meet a word of hiding: not hidden is shown."""
        self.negated = self._doubtful = False

    def thus(self, word: str) -> None:
        """Meet a word behind a cause: what a negation before the cause denies follows, one within it has ended."""
        if self._before_cause is not None:
            self._ended |= self.negated and not self._before_cause
            self.negated = self._shown = bool(self._before_cause)
            self._doubly = self._doubtful = self._eventful = False
            self._before_cause = self.link = None
        elif not self._reaches:
            if self._doubtful and word not in _MAY_BE_DENIED:
                self.cut()
            elif not self._doubtful:
                self._shown |= self.negated

    def event(self, word: str, *, goods: bool) -> None:
        """Meet an event, or the goods of one, which a negation denies and nothing behind it: 没收到货很生气."""
        if self._reaches:
            return
        if self.negated and len(word) == 1 and not goods:  # 没发很生气, but 没发怨言
            self._eventful = not (self._shown or self._of_noun)
            self._doubtful = True
            self.link = None
            return
        if not self.negated:
            doubtful = self._doubtful or (self.link is not None and self.link.negated)
            self.cut()
            self._doubtful = doubtful  # 没有催促快递、抱怨
        elif self._shown or self._doubtful or self._of_noun or (goods and not self._receives):
            self._eventful = self._doubtful and not (self._shown or self._of_noun)
            self._doubtful = True
            self.link = None
        else:
            self.cut()
            self._ended = True

    def cut(self) -> None:
        """End what does not reach as far as the next verdict."""
        if not self._reaches:
            self.negated = self._silent = self._doubly = self._doubtful = self._shown = False
        self.link = None

    def _predicate(self) -> bool:
        """Return true where a new predicate begins, which no negation before it reaches: 没按约上门十分不满."""
        begins = (self._eventful and self._doubtful) or self._within
        if begins:
            self.cut()
            self._within = False
            self._ended = True
        return begins
