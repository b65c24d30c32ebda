"""Records in the shape that nearly every JSON log has, read without a second glance.

Whatever is not plain is left to `tasks.reading.rules.json.records`, which gives the same for what is.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from tasks.domain.records import Conversation, Turn
from tasks.reading.rules.context import LogContext
from tasks.reading.rules.dialogue import MESSAGES_LIMIT, in_order, new_turn, plain_text
from tasks.reading.rules.json.reshaping import ANSWERED, ASKED
from tasks.reading.rules.json.texts import as_text, name_of, scalar, undressed
from tasks.reading.rules.messages import Message, new_message
from tasks.reading.rules.speakers import is_unsaid
from tasks.reading.rules.transcripts.dialogues import plain_transcript
from tasks.reading.rules.vocabulary import Shape

_PLANS_KEPT: Final = 1_000

_LISTS: Final = ("[{", "[]")


class _Plan(NamedTuple):
    """The keys of a plain record; `candidates` may hold its messages, the first of `transcripts` its dialogue."""

    conversation_id: str
    messages: str
    transcript: str
    candidates: tuple[str, ...]
    started_at: str
    channel: str
    rest: tuple[str, ...]


class PlainRecords:
    """Reads the plain records of one object.

    Args:
        log: the object.
        lists: False where no record may hold a list of messages.
        transcripts: False where no record may hold a transcript.
        messages: False where no record may be a message.
    """

    def __init__(self, log: LogContext, *, lists: bool, transcripts: bool, messages: bool) -> None:
        mapping = log.mapping
        plain = not (mapping.skip or mapping.first or mapping.between or log.tells_sides or log.vocabulary.paths)
        self._log = log
        self._lists = plain and lists
        self._transcripts = plain and transcripts and not mapping.roles
        self._messages = plain and messages and not log.newest_first
        self._plans: dict[tuple[str, ...], _Plan | Shape | None] = {}

    def read(self, value: dict[str, Any], line: int) -> Conversation | Message | None:
        """The conversation or the message of a record, or None where it wants a closer look."""
        keys = tuple(value)
        try:
            plan = self._plans[keys]
        except KeyError:
            plan = self._planned(keys)
        if plan is None:
            return None
        return self._message(value, plan, line) if isinstance(plan, Shape) else self._conversation(value, plan, line)

    def _conversation(self, value: Mapping[str, Any], plan: _Plan, line: int) -> Conversation | None:
        conversation_id = value[plan.conversation_id]
        if type(conversation_id) is not str or not (conversation_id := undressed(conversation_id)):
            return None
        key, turns = self._turns(value, plan)
        if not turns or all(turn[0] == turns[0][0] for turn in turns):
            return None
        started = self._log.timestamps.parse(value[plan.started_at]) if plan.started_at else None
        return Conversation(
            conversation_id,
            tuple(turns),
            self._log.uri,
            line,
            started or next((turn[2] for turn in turns if turn[2]), None),
            name_of(value[plan.channel]) if plan.channel else "",
            {name: as_text(kept) for name in plan.rest if name != key and (kept := value[name]) is not None},
        )

    def _message(self, value: Mapping[str, Any], shape: Shape, line: int) -> Message | None:
        conversation_id, role, text = value[shape.conversation_id], value[shape.role], value[shape.text]
        if type(conversation_id) is not str or type(role) is not str or not _is_plain(text):
            return None
        if shape.kinds and any(is_unsaid(value[kind]) for kind in shape.kinds):
            return None
        speaker = self._log.vocabulary.speakers.get(role)
        if speaker is None or not (conversation_id := undressed(conversation_id)):
            return None
        time = value[shape.time] if shape.time else None
        rest = {key: as_text(kept) for key in shape.rest if (kept := value[key]) is not None} if shape.rest else None
        uri = self._log.uri
        return new_message((conversation_id, uri, line, speaker, text, scalar(time), None, "", rest, None, ""))

    def _planned(self, keys: tuple[str, ...]) -> _Plan | Shape | None:
        if len(self._plans) >= _PLANS_KEPT:
            self._plans.clear()
        plan = self._plans[keys] = self._new_plan(keys)
        return plan

    def _new_plan(self, keys: tuple[str, ...]) -> _Plan | Shape | None:
        shape = self._log.vocabulary.shape(keys)
        if shape.message and shape.plain and shape.conversation_id and not (shape.started_at or shape.channel):
            return shape if self._messages else None
        if not shape.conversation_id or shape.speaks or shape.prompt or shape.entity:
            return None
        messages = shape.messages[0] if shape.messages and self._lists else ""
        transcript = shape.transcripts[0] if shape.transcripts and self._transcripts else ""
        if transcript in ASKED and not {*ANSWERED}.isdisjoint(keys):
            return None
        started = shape.started_at or shape.time
        used = {shape.conversation_id, started, shape.channel, *self._log.vocabulary.left_out}
        rest = tuple(key for key in keys if key not in used)
        return _Plan(shape.conversation_id, messages, transcript, shape.messages, started, shape.channel, rest)

    def _turns(self, value: Mapping[str, Any], plan: _Plan) -> tuple[str, list[Turn] | None]:
        """The key that holds the dialogue, and its turns."""
        if plan.messages and type(messages := value[plan.messages]) is list:
            return plan.messages, self._of_messages(messages)
        if not plan.transcript or type(text := value[plan.transcript]) is not str:
            return "", None
        if any(type(kept := value[key]) is not str or kept.lstrip()[:2] in _LISTS for key in plan.candidates):
            return "", None
        return plan.transcript, plain_transcript(text)

    def _of_messages(self, messages: list[Any]) -> list[Turn] | None:
        """The turns of messages that are a known role, a text and perhaps a time each; else None."""
        if len(messages) > MESSAGES_LIMIT:
            return None
        vocabulary, parse = self._log.vocabulary, self._log.timestamps.parse
        shape_of, speakers = vocabulary.shape, vocabulary.speakers
        turns: list[Turn] = []
        keys: tuple[str, ...] = ()
        own = ""  # the key of a message's own id
        role = said_in = time = ""
        kinds: tuple[str, ...] = ()
        for message in messages:
            if type(message) is not dict:
                return None
            if (these := tuple(message)) != keys:
                shape: Shape = shape_of(these)
                if not shape.plain or shape.names_its_conversation:
                    return None
                keys, role, said_in, time, kinds = these, shape.role, shape.text, shape.time, shape.kinds
                own = shape.conversation_id
            text = message[said_in]
            if kinds and any(is_unsaid(message[kind]) for kind in kinds):
                continue
            if not _is_plain(text) or type(message[role]) is not str:
                return None
            speaker = speakers.get(message[role])
            if speaker is None:
                return None
            if speaker == "system" or (("<" in text or "&#" in text) and not (text := plain_text(text))):
                continue
            turns.append(new_turn((speaker, text, parse(message[time]) if time else None)))
        return None if own and _may_repeat(messages, own) else in_order(turns)


def _may_repeat(messages: list[dict[str, Any]], own: str) -> bool:
    """True for messages whose own ids come again, or count down: what stands twice or last is told by them."""
    ids = [str(message.get(own)) for message in messages]
    return len(set(ids)) < len(ids) or (len(ids) > 1 and ids[0] > ids[-1] and len(ids[0]) == len(ids[-1]))


def _is_plain(text: object) -> bool:
    """True for words as such: no blank, and no part written as JSON."""
    return type(text) is str and text != "" and text[0] != "{" and not text.isspace()
