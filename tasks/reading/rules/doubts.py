"""Doubts about a file that was read: signs in what came of it that it was read otherwise than it is meant.

A file in an unknown shape is a reject; a file in a misunderstood shape gives tables that lie. Its conversations tell on
it: ids that no two messages share, one side that is silent throughout, time stamps and labels within the texts.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

from tasks.domain.records import Conversation, Reason, Reject
from tasks.reading.rules.candidate import Detected
from tasks.reading.rules.dialogue import plain_text
from tasks.reading.rules.messages import Message
from tasks.reading.rules.reasons import TRY_LOGS
from tasks.reading.rules.transcripts.labels import DATE, OF_DAY

_CONVERSATIONS: Final = 100  # looked at in each file

_MESSAGES: Final = 1_000

_FEWEST_MESSAGES: Final = 4

_SHARE: Final = 0.3  # of conversations that must show a sign: customers paste anything now and then

_STAMP: Final = re.compile(
    rf"(?:\n|<br ?/?>)\W{{0,3}}(?:{DATE}[ ,，T]{{1,3}})?{OF_DAY}|\A\W{{0,3}}{DATE}[ ,，T]{{1,3}}{OF_DAY}|"
    rf"\(\s?(?:\d{{1,3}}m )?\d{{1,5}}s\s?\)(?:\s|\Z)"
)

_LABEL: Final = re.compile(
    r"(?:\n|<br ?/?>)[\s*\[【]{0,4}(?:用户|客户|顾客|买家|访客|客服|坐席|商家|"
    r"user|customer|visitor|agent|assistant|bot|operator)\S{0,12}?\s?[:：]",
    re.I,
)

_MARKUP: Final = re.compile(r"</?(?:br|p|div|span|td|tr|li)\b|&lt;|&nbsp;", re.I)

_JSON: Final = re.compile(r'\A\s{0,40}[{\[][\s{]{0,40}"[^"\n]{1,60}"\s{0,40}:.*[}\]]\s{0,40}\Z', re.S)

_SIGNS: Final = {
    "time stamps": _STAMP,
    "speakers' labels": _LABEL,
    "HTML": _MARKUP,
    "JSON": _JSON,
}

_TIME: Final = re.compile(rf"{DATE}[ T,，]{{1,3}}{OF_DAY}.{{0,20}}|1[5-9]\d{{8}}(?:\d{{3}})?(?:\.\d{{1,6}})?")

_ID: Final = re.compile(r"(?:.*[a-z_-])?(?:id|key|no|uuid|guid|sid)|.*(?:编号|編號|号|號|流水|标识)", re.I)

_OF_CUSTOMER: Final = re.compile(
    r"(?:用户|客户|顾客|买家|访客|会员|用戶|客戶|顧客|買家|user|customer|client|visitor|buyer|member|open|union)"
    r"[\s_-]?(?:id|编号|号|no|key|编码|账号)",
    re.I,
)

_NAMES_SHOWN: Final = 3


class Doubts:
    """Looks at a file's first conversations and messages as they are read.

    Args:
        detected: what the file was taken for.
        uri: its address, which stands for the ids of conversations that name none.
    """

    def __init__(self, detected: Detected, uri: str) -> None:
        self._detected = detected
        self._own_id = f"{uri}:"
        self._conversations = self._messages = self._rejects = 0
        self._nameless = 0
        self._untimed: Counter[str] = Counter()
        self._sides: Counter[str] = Counter()
        self._ids: set[str] = set()
        self._signs: Counter[str] = Counter()
        self._names: dict[str, None] = {}

    def take(self, found: Conversation | Message | Reject) -> None:
        """Look at what a record gave."""
        if isinstance(found, Message):
            if self._messages < _MESSAGES:
                self._take_message(found)
        elif isinstance(found, Reject):
            self._take_reject(found)
        elif self._conversations < _CONVERSATIONS:
            self._take_conversation(found)

    def _take_message(self, found: Message) -> None:
        self._messages += 1
        self._ids.add(found.conversation_id)
        if found.speaker in ("user", "agent"):
            self._sides[found.speaker] += 1
        if found.time is None and found.started_at is None and found.attributes:
            self._untimed.update(_times_in(found.attributes))
        text = plain_text(found.text) if "<" in found.text else found.text
        self._signs.update(name for name, sign in _SIGNS.items() if sign.search(text))

    def _take_reject(self, found: Reject) -> None:
        self._rejects += 1
        if found.reason is Reason.ONE_SIDED and not self._messages:
            self._sides["user" if "the user" in found.detail else "agent"] += 1

    def _take_conversation(self, found: Conversation) -> None:
        self._conversations += 1
        self._sides.update(("user", "agent"))
        attributes = found.attributes or {}
        if found.conversation_id.startswith(self._own_id):
            self._nameless += 1
            self._names |= dict.fromkeys(name for name in attributes if _ID.fullmatch(name))
        if found.started_at is None:
            self._untimed.update(_times_in(attributes))
        texts = [turn.text for turn in found.turns]
        for name, sign in _SIGNS.items():
            self._signs[name] += any(sign.search(text) for text in texts)

    def remarks(self) -> Iterator[tuple[str, str]]:
        """Yield each doubt: its kind, and a sentence that says what to do."""
        if not (self._conversations or self._messages or self._rejects):
            yield "silent", "nothing in it is a message that somebody says. If some is, a mapping names its columns."
        yield from self._of_ids()
        yield from self._of_sides()
        yield from self._of_texts()

    def _of_ids(self) -> Iterator[tuple[str, str]]:
        if self._nameless and (self._nameless > 1 or self._detected.format != "transcript"):
            yield "ids", self._about_ids()
        if self._messages >= _FEWEST_MESSAGES and len(self._ids) == self._messages:
            yield (
                "a message each",
                f"no two of its messages share an id{self._by('conversation_id')}: each would be a conversation. "
                f"A mapping names the column of the conversation; {TRY_LOGS}.",
            )
        elif (name := self._name_of("conversation_id")) and _OF_CUSTOMER.fullmatch(name.strip()):
            yield (
                "customers",
                f"its messages are parted by {name}, which names a customer: all that one says counts as one "
                "conversation.",
            )

    def _of_sides(self) -> Iterator[tuple[str, str]]:
        enough = self._messages >= _FEWEST_MESSAGES or (not self._conversations and self._sides.total() > 1)
        if len(self._sides) == 1 and enough:
            (side,) = self._sides
            yield (
                "one side",
                f"only the {side} speaks in it{self._by('role')}. If that is wrong, a mapping names the column that "
                f"says who speaks, or names under roles; {TRY_LOGS}.",
            )
        guesses = self._detected.log.guesses if self._detected.log else {}
        if guesses.get("company"):
            yield (
                "company",
                "its speakers are names: who speaks in several conversations is taken for the agent, who speaks in one "
                "for its customer. A mapping names them under roles where that is wrong.",
            )
        if guesses.get("pairs"):
            yield (
                "pairs",
                "its messages name no conversation: all that two people write to each other counts as one.",
            )
        for side in ("user", "agent"):
            if guesses.get(side):
                yield (
                    f"taken for the {side}",
                    f"a name that no word explains is taken for the {side}'s where only the other side is known. A "
                    "mapping names it under roles if it is not.",
                )

    def _of_texts(self) -> Iterator[tuple[str, str]]:
        read = self._conversations + self._messages
        if found := [name for name, count in self._untimed.items() if count * 2 > read]:
            yield (
                "times",
                f"it has no times, though {_listed(found)} may hold some; a mapping says so: columns = "
                f'{{ "{found[0]}" = "time" }}.',
            )
        if signs := [name for name, count in self._signs.items() if count and count >= _SHARE * read]:
            yield (
                "texts",
                f"its texts still hold {' and '.join(signs)}: messages may run together. python -m flows.try_logs "
                "shows how it is read, and a mapping may mend it.",
            )
        if self._detected.log and self._detected.log.guesses.get("blank lines"):
            yield (
                "blank lines",
                "blank lines part dialogues of both sides in it, which are read as one conversation. If they are "
                "several, part them by a line of ----- or a heading.",
            )

    def _about_ids(self) -> str:
        hint = ""
        if self._names:
            names = list(self._names)
            columns = f'columns = {{ "{names[0]}" = "conversation_id" }}'
            hint = f" {_listed(names)} may hold it: {columns} in a mapping."
        return f"its conversations name no id; the file's name and a line stand for it.{hint}"

    def _name_of(self, meaning: str) -> str:
        return next((name for name, meant in self._detected.columns.items() if meant == meaning), "")

    def _by(self, meaning: str) -> str:
        name = self._name_of(meaning)
        return f" ({name})" if name else ""


def _times_in(attributes: Mapping[str, str]) -> list[str]:
    return [name for name, value in attributes.items() if value and _TIME.fullmatch(value)]


def _listed(names: list[str]) -> str:
    return ", ".join(names[:_NAMES_SHOWN])
