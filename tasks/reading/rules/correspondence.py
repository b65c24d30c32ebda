"""Messages that name a sender and a receiver and no conversation: the pair, or the room, is the conversation."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from tasks.reading.rules.company import Said, sides_by_company
from tasks.reading.rules.json.texts import words_in
from tasks.reading.rules.speakers import Speaker, speaker_of
from tasks.reading.rules.vocabulary import Vocabulary, normalized

# The names of what is worked out for each message, which no export uses itself.
PAIR, SIDE = "(pair)", "(side)"

WORKED_OUT: Final[Mapping[str, str]] = {PAIR: "conversation_id", SIDE: "role"}

_OF_WHOM: Final = (
    r"(?:user|account|number|phone|address|email|uid|id|nick|name|nickname|userid|username|昵称|账号|id|编号|名称)?"
)

_SENDER: Final = re.compile(rf"(?:from|sender|src|msgfrom|发送[者人方]|發送[者人方]|发信人|寄件人){_OF_WHOM}")

_RECEIVER: Final = re.compile(
    rf"(?:to|tolist|receivers?|recipients?|target|dst|msgto|接收[者人方]|收信人|收件人|接受[者人方]){_OF_WHOM}"
)

_ROOM: Final = re.compile(r"(?:room|group|team|群)(?:id|no|聊id|编号|id)?")

# A shop's account of 旺旺, and that of one who works for it.
_SUB_ACCOUNT: Final = re.compile(r"[^:：\s]{1,30}[:：][^:：\s]{1,30}")

# A customer in 企业微信's archive of conversations; its staff have ids of their own choice.
_EXTERNAL_CONTACT: Final = re.compile(r"w[mo][\w-]{20,40}")

_NAMES_IN: Final = ("uid", "id", "userid", "name", "nick", "account", "username")

_SIDES_IN: Final = ("role", "type", "kind")

_FEWEST: Final = 2


class Between(NamedTuple):
    """The names of a message's sender, its receiver, and of the room that it is said in, if any."""

    sender: str
    receiver: str
    room: str = ""

    def worked_out(self, record: Mapping[str, Any], vocabulary: Vocabulary) -> dict[str, Any]:
        """The conversation of a message and its sender's side; nothing for what names nobody."""
        sender, receivers = _person(record.get(self.sender)), _people(record.get(self.receiver))
        room = _person(record.get(self.room)) if self.room else ""
        if not sender or not (receivers or room):
            return {}
        pair = room or " & ".join(sorted({sender, *receivers}))
        return {PAIR: pair, SIDE: self._side(record, sender, receivers, vocabulary)}

    def _side(self, record: Mapping[str, Any], sender: str, receivers: list[str], vocabulary: Vocabulary) -> str:
        """The sender's side; of an unknown sender, the other one than the receivers are on; else the sender."""
        if told := _told(record.get(self.sender), sender, vocabulary):
            return told
        others = {_told(record.get(self.receiver), name, vocabulary) for name in receivers}
        known: set[Speaker] = {side for side in others if side in ("user", "agent")}
        if "agent" in known:
            return "user"
        return "agent" if known == {"user"} else sender


def correspondence_in(rows: Sequence[Mapping[str, Any]], vocabulary: Vocabulary) -> Between | None:
    """The names by which messages say who writes to whom, where both write; None where a conversation is named."""
    names = tuple(dict.fromkeys(name for row in rows for name in row))
    if len(rows) < _FEWEST or not (between := _named(names)):
        return None
    shape = vocabulary.shape(names)
    if shape.names_its_conversation and not _ROOM.fullmatch(normalized(shape.conversation_id)):
        return None
    if not shape.texts or set(shape.messages) - set(shape.texts):
        return None
    written = {(_person(row.get(between.sender)), *_people(row.get(between.receiver))[:1]) for row in rows}
    if not any(len(pair) == 2 and pair[0] != pair[1] and pair[::-1] in written for pair in written):
        return None
    if all(speaker_of(name) and name.isalpha() for pair in written for name in pair):
        return None  # a customer and an agent as such are nobody's names
    return between


def learn_correspondence(rows: Iterable[Mapping[str, Any]], between: Between, vocabulary: Vocabulary) -> None:
    """Learn from a sample what is worked out for each message, and which names are agents'."""
    vocabulary.learn(WORKED_OUT)
    sides = sides_by_company(list(said_between(rows, between, vocabulary)))
    vocabulary.learn_roles({name: side for name, side in sides.items() if side == "agent"})


def said_between(rows: Iterable[Mapping[str, Any]], between: Between, vocabulary: Vocabulary) -> Iterator[Said]:
    """Yield what names say in a sample, of which no word tells the side."""
    for row in rows:
        sender = _person(row.get(between.sender))
        found = between.worked_out(row, vocabulary)
        if found and not _told(row.get(between.sender), sender, vocabulary):
            shape = vocabulary.shape(tuple(row))
            yield Said(found[PAIR], sender, words_in(row[shape.texts[0]]) if shape.texts else "")


def _named(names: Sequence[str]) -> Between | None:
    words = {name: normalized(name.rpartition(".")[2]) for name in names}
    senders = [name for name, word in words.items() if _SENDER.fullmatch(word)]
    receivers = [name for name, word in words.items() if _RECEIVER.fullmatch(word)]
    rooms = [name for name, word in words.items() if _ROOM.fullmatch(word)]
    if not senders or not receivers:
        return None
    return Between(senders[0], receivers[0], rooms[0] if rooms else "")


def _person(value: Any) -> str:
    """A person's name or id; of an object, the first of what names somebody."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, Mapping):
        words = {normalized(str(key)): kept for key, kept in value.items()}
        return next((str(words[name]) for name in _NAMES_IN if isinstance(words.get(name), str | int)), "")
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


def _people(value: Any) -> list[str]:
    if isinstance(value, list):
        return [name for person in value if (name := _person(person))]
    name = _person(value)
    return [name] if name else []


def _told(value: Any, name: str, vocabulary: Vocabulary) -> Speaker | None:
    """The side that a person's name or role is known to be on."""
    if isinstance(value, Mapping):
        words = {normalized(str(key)): kept for key, kept in value.items()}
        for key in _SIDES_IN:
            if isinstance(word := words.get(key), str) and (side := speaker_of(word)):
                return side
    if _EXTERNAL_CONTACT.fullmatch(name):
        return "user"
    return vocabulary.roles.get(name) or speaker_of(name) or ("agent" if _SUB_ACCOUNT.fullmatch(name) else None)
