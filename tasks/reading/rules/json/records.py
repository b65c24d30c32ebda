"""JSON values to conversations and messages: whatever kind a record is shows in its keys."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any, Final

from tasks.domain.records import Conversation, Reason, Reject
from tasks.reading.rules.context import LogContext
from tasks.reading.rules.dialogue import Header, can_spare, conversation_from, unread_among
from tasks.reading.rules.formats import JSON_FORMATS
from tasks.reading.rules.json.exports import in_the_usual_way, is_of_the_export, last_answer
from tasks.reading.rules.json.fields import after_instruction, number_of, text_of, time_of, transcript_of
from tasks.reading.rules.json.lenient import parse_json
from tasks.reading.rules.json.message_lists import MessageLists, opening_message
from tasks.reading.rules.json.people import named_by_the_other_side
from tasks.reading.rules.json.plain_records import PlainRecords
from tasks.reading.rules.json.reshaping import ListedRows, as_records, is_columns
from tasks.reading.rules.json.texts import as_text, identity, name_of, scalar
from tasks.reading.rules.json.typed_values import are_typed
from tasks.reading.rules.json.unwrapping import records_in
from tasks.reading.rules.messages import Message
from tasks.reading.rules.reasons import any_speaks, names_of, neither, no_label, strangers_in
from tasks.reading.rules.speakers import (
    Speaker,
    is_of_no_words,
    is_unsaid,
    speaker_of_flag,
    speaker_of_user_flag,
)
from tasks.reading.rules.transcripts.dialogues import split_transcript
from tasks.reading.rules.utterances import Utterance
from tasks.reading.rules.vocabulary import KINDS, Shape, lifted, normalized

Read = Conversation | Reject | Message

_CONVERSATIONS, _MESSAGES, _TRANSCRIPTS, _SFT = JSON_FORMATS

_LOOKED_THROUGH: Final = 5  # messages


class JsonRecords:
    """Reads the records of one object.

    Args:
        log: the object.
        only: the one kind of record to take (a name of JSON_FORMATS); "" takes all.
    """

    def __init__(self, log: LogContext, only: str = "") -> None:
        self._log = log
        self._uri = log.uri
        self._vocabulary = log.vocabulary
        self._only = only
        taken = JSON_FORMATS if not only else (only,)
        self._plain = PlainRecords(
            log, lists=_CONVERSATIONS in taken, transcripts=_TRANSCRIPTS in taken, messages=_MESSAGES in taken
        )
        self._line = self._on_line = 0
        self._rows = ListedRows(log.vocabulary)
        self._lists = MessageLists(log.vocabulary)

    def kind(self, value: Any) -> str:
        """The format that a value belongs to (a name of JSON_FORMATS), or ""."""
        if isinstance(value, list) and self._rows.is_header(value):
            return _MESSAGES
        if _is_texts(value):
            return _TRANSCRIPTS
        if isinstance(value, list):
            return self.kind(value[0]) if value and isinstance(value[0], dict | list) else ""
        if not isinstance(value, dict):
            return ""
        value = self._lifted(value)
        return self._kind_of_record(value) or next(map(self.kind, self._records_in(value)), "")

    def _records_in(self, value: dict[str, Any]) -> list[Any]:
        """The records of an object that is none itself."""
        return as_records(value, self._vocabulary) or records_in(value, self.kind, self._own_kind)

    def _own_kind(self, value: Any) -> str:
        return self._kind_of_record(self._lifted(value)) if isinstance(value, dict) else ""

    def _kind_of_record(self, value: Mapping[str, Any]) -> str:
        shape = self._vocabulary.shape(tuple(value))
        columns = shape.message and isinstance(value[shape.text], list | dict) and is_columns(value)
        if columns or are_typed(value):
            return ""
        if shape.message and not isinstance(value[shape.text], list):
            return _MESSAGES
        if (shape.messages or shape.transcripts) and self._lists.of(value, shape) is not None:
            return _CONVERSATIONS
        if shape.entity or (shape.prompt and isinstance(value[shape.prompt], str)):
            return _SFT
        if shape.text and (shape.speaks or self._log.tells_sides):
            return _MESSAGES
        _, transcript = transcript_of(value, shape) or ("", "{")
        return "" if transcript[:1] == "{" else _TRANSCRIPTS

    def read(self, value: Any, line: int, list_line: int = 0) -> Iterable[Read]:
        """The conversations or messages of one value; whatever it holds, at least one thing or a reject.

        Args:
            list_line: where the list begins that the value is an element of. Messages in a list that name no
                conversation are one.
        """
        if type(value) is dict and (plain := self._plain.read(value, line)):
            return (plain,)
        if not isinstance(value, list) or self._rows.takes(value):
            return self._read_one(value, line, list_line)
        if not value:
            return (self._log.reject("", Reason.EMPTY, "an empty list", line),)
        if _is_texts(value):
            return self._read_one({"transcript": "\n".join(value)}, line, 0)
        if list_line and _is_messages(value, self.kind):
            return self._read_one({"messages": value}, line, 0)
        return chain.from_iterable(self._read_one(element, line, line) for element in value)

    def _own_id(self, line: int) -> str:
        """An id for a record that names none; the same at every reading of the object."""
        self._on_line = self._on_line + 1 if line == self._line else 1
        self._line = line
        return f"{self._uri}:{line}" + (f":{self._on_line}" if self._on_line > 1 else "")

    def _lifted(self, value: dict[str, Any]) -> dict[str, Any]:
        value = lifted(value, self._vocabulary.paths) if self._vocabulary.paths else value
        value = in_the_usual_way(value) if "log" in value or "data" in value else value
        between = self._log.mapping.between
        return {**value, **between.worked_out(value, self._vocabulary)} if between else value

    def _read_one(self, value: Any, line: int, list_line: int) -> Iterable[Read]:
        if isinstance(value, list) and self._rows.takes(value):
            value = self._rows.record(value)
            if value is None:
                return ()
        if isinstance(value, list) and _is_messages(value, self.kind):
            value = {"messages": value}
        if not isinstance(value, dict):
            elements = value if isinstance(value, list) and value[:1] and isinstance(value[0], dict) else ()
            read = chain.from_iterable(self._read_one(element, line, 0) for element in elements)
            return read if elements else (self._log.unreadable(line, neither(None)),)
        value = self._lifted(value)
        kind = self._kind_of_record(value)
        if not kind and (records := self._records_in(value)):
            if len(records) == 1:
                records = [self._named_as(value, records[0])]
            return chain.from_iterable(self._read_one(record, line, 0) for record in records)
        shape = self._vocabulary.shape(tuple(value))
        conversation_id = identity(value.get(shape.conversation_id))
        if not kind or (self._only and kind != self._only):
            detail = f"a record of {kind}, not of {self._only}" if kind else neither(shape)
            reject = self._log.unreadable(line, detail, "" if kind == _MESSAGES else conversation_id)
            none = not kind and (_is_of_no_words(value, shape) or is_of_the_export(value))
            return () if none else (reject,)
        if list_line and kind == _MESSAGES:
            conversation_id = conversation_id or f"{self._uri}:{list_line}"
        try:
            return self._read_record(value, kind, shape, conversation_id, line)
        except TypeError:  # orjson does not write what is nested this deeply
            return (self._log.unreadable(line, "nested too deeply", conversation_id),)

    def _named_as(self, around: Mapping[str, Any], record: Any) -> Any:
        """The only record of an envelope, with the envelope's id where it has none itself."""
        name = self._vocabulary.shape(tuple(around))
        if not name.names_its_conversation or not isinstance(record, dict):
            return record
        own = self._vocabulary.shape(tuple(record)).conversation_id
        return record if own else {name.conversation_id: around[name.conversation_id], **record}

    def _read_record(
        self, value: dict[str, Any], kind: str, shape: Shape, conversation_id: str, line: int
    ) -> Iterable[Read]:
        if kind == _MESSAGES:
            return self._message(value, shape, conversation_id, line)
        if kind == _CONVERSATIONS and (rows := self._rows_of_several(value, shape, conversation_id)):
            return chain.from_iterable(self._message(*row, line) for row in rows)
        conversation_id = conversation_id or self._id_in_messages(value, shape) or self._own_id(line)
        if shape.entity and kind == _SFT:
            return list(self._entity(value[shape.entity], line, conversation_id))
        return (self._conversation(value, kind, shape, conversation_id, line),)

    def _rows_of_several(
        self, value: Mapping[str, Any], shape: Shape, conversation_id: str
    ) -> list[tuple[dict[str, Any], Shape, str]]:
        """The messages of a list that names several conversations, each with its shape and its conversation."""
        _, messages = self._lists.of(value, shape) or ("", [])
        _, first = self._first_that_names(messages)
        if first is None:
            return []
        rows = []
        for message in [self._lifted(message) for message in messages if isinstance(message, dict)]:
            own = self._vocabulary.shape(tuple(message))
            rows.append((message, own, identity(message.get(own.conversation_id)) or conversation_id))
        named = len({row[2] for row in rows})
        if named == len(rows) and all(row[1].conversation_id == shape.conversation_id for row in rows):
            return []  # what names a record names each of its messages, too
        return rows if named > 1 else []

    def _id_in_messages(self, value: Mapping[str, Any], shape: Shape) -> str:
        _, messages = self._lists.of(value, shape) or ("", [])
        message, shape_of_it = self._first_that_names(messages)
        return identity(message[shape_of_it.conversation_id]) if shape_of_it else ""

    def _first_that_names(self, messages: list[Any]) -> tuple[dict[str, Any], Shape | None]:
        """The first message that names its conversation, among the first few; an event above may name none."""
        for message in messages[:_LOOKED_THROUGH]:
            if isinstance(message, dict):
                found = self._lifted(message)
                shape = self._vocabulary.shape(tuple(found))
                if shape.names_its_conversation:
                    return found, shape
        return {}, None

    def _conversation(
        self, value: Mapping[str, Any], kind: str, shape: Shape, conversation_id: str, line: int
    ) -> Conversation | Reject:
        key, spoken, preamble = self._speech(value, kind, shape)
        if isinstance(spoken, str):
            return self._log.unreadable(line, spoken, conversation_id)
        started_key = shape.started_at or shape.time
        used = {key, shape.conversation_id, started_key, shape.channel, *self._vocabulary.left_out}
        if kind == _SFT:
            used |= {"response", "system"}
        elif kind == _TRANSCRIPTS and (answered := last_answer(value, key, spoken)):
            used.add(answered)
            spoken = [*spoken, Utterance("agent", value[answered])]
        attributes = {name: as_text(kept) for name, kept in value.items() if kept is not None and name not in used}
        if preamble:
            attributes["preamble"] = preamble
        header = Header(
            conversation_id, self._uri, line, value.get(started_key), name_of(value.get(shape.channel)), attributes
        )
        return conversation_from(spoken, self._log.timestamps, header, unread_among(spoken))

    def _entity(self, content: Any, line: int, conversation_id: str) -> Iterator[Read]:
        """A row of a platform data set: its content is JSON in a string."""
        try:
            rows = parse_json(content) if isinstance(content, str) else None
        except ValueError:
            rows = None
        if not rows or not isinstance(rows, list):
            yield self._log.unreadable(line, "the entity's content is no list", conversation_id)
            return
        for number, row in enumerate(rows, 1):
            row_id = conversation_id if number == 1 else f"{conversation_id}:{number}"
            yield from self._read_one({**row, "conversation_id": row_id} if isinstance(row, dict) else row, line, 0)

    def _speech(self, value: Mapping[str, Any], kind: str, shape: Shape) -> tuple[str, list[Utterance] | str, str]:
        """The key that holds the dialogue, its messages or what is wrong with them, what stands before them."""
        if kind == _CONVERSATIONS:
            key, messages = self._lists.of(value, shape) or ("", [])
            return key, self._utterances([*opening_message(value, self._log.mapping.first), *messages], value), ""
        if kind == _SFT:
            spoken = split_transcript(after_instruction(value[shape.prompt])).utterances
            return shape.prompt, spoken or no_label("the prompt"), ""
        key, text = transcript_of(value, shape) or ("", "")
        found = split_transcript(text, self._log.labels)
        self._log.counts_guess(found.guessed)
        if found.strangers:
            return key, strangers_in(found.strangers, self._log), ""
        if text.strip() and not found.utterances:
            others = [name for name in value if name != key] if key in shape.texts else []
            return key, no_label("the transcript", others), ""
        return key, found.utterances, found.preamble

    def _utterances(self, messages: list[Any], around: Mapping[str, Any]) -> list[Utterance] | str:
        """The messages, or what is wrong with them."""
        if _is_texts(messages):
            return self._labeled(messages)
        spoken: list[Utterance] = []
        silent = 0
        problem = ""
        shape_of, utterance_of = self._vocabulary.shape, self._utterance
        if self._vocabulary.paths or self._log.mapping.between:
            messages = [self._lifted(message) if isinstance(message, dict) else message for message in messages]
        speaker_of = None if self._log.mapping.skip or self._log.tells_sides else self._vocabulary.speakers.get
        for number, message in enumerate(messages, 1):
            if message is None:
                continue
            if not isinstance(message, dict):
                return f"message {number} is no object"
            shape = shape_of(tuple(message))
            if (
                speaker_of
                and shape.plain
                and (not shape.conversation_id or shape.names_its_conversation)
                and not (shape.kinds and any(is_unsaid(message[kind]) for kind in shape.kinds))
                and type(role := message[shape.role]) is str
                and (speaker := speaker_of(role))
            ):
                text = message[shape.text]
                if type(text) is str and text and text[0] != "{" and not text.isspace():
                    spoken.append(Utterance(speaker, text, message[shape.time] if shape.time else None))
                    continue
            said = utterance_of(message, shape, around)
            if said is None:
                silent += 1
            else:
                if said.speaker is None:
                    problem = problem or f"message {number} has {said.text}"
                spoken.append(said)
        if problem and not can_spare(spoken):
            named, others = named_by_the_other_side([message for message in messages if message], self._vocabulary)
            self._log.counts_guess(others)
            return self._utterances(named, around) if named else f"{problem}; say whose it is in a mapping, under roles"
        if silent and not any(said.speaker != "system" for said in spoken) and not any_speaks(messages, shape_of):
            keys = names_of(messages[0])
            return f"its messages name no speaker (their keys: {keys}); a mapping can say which key does"
        return spoken

    def _labeled(self, texts: list[str]) -> list[Utterance] | str:
        """The messages of texts that begin with labels, or what is wrong with them."""
        found = split_transcript("\n".join(texts), self._log.labels)
        self._log.counts_guess(found.guessed)
        if found.strangers:
            return strangers_in(found.strangers, self._log)
        return found.utterances or no_label("the list of texts")

    def _utterance(self, message: Mapping[str, Any], shape: Shape, around: Mapping[str, Any]) -> Utterance | None:
        """Return a message's utterance; None for an event, a note or a recalled one. Without a speaker its text is the
        reason.
        """
        log = self._log
        if (shape.flags or log.mapping.skip) and log.is_left_out(message, shape):
            return None
        text = message[shape.text] if shape.text else ""
        if type(text) is not str or not text or text[0] == "{":
            text = text_of(message, shape)
        speaker = self._speaker(message, shape, around)
        if speaker is None:
            if not text.strip() or not (shape.speaks or log.tells_sides):
                return None
            role = message[shape.role] if shape.role else None
            return Utterance(None, self._vocabulary.unknown_role(role))
        return Utterance(
            speaker,
            "" if text.isspace() else text,
            time_of(message, shape),
            number_of(message[shape.number]) if shape.number else None,
            identity(message[shape.message_id]) if shape.message_id else self._own_key(message, shape, around),
        )

    def _own_key(self, message: Mapping[str, Any], shape: Shape, around: Mapping[str, Any]) -> str:
        """The key of a message in a list, by its own `id`."""
        own = shape.conversation_id
        return identity(message[own]) if own and message is not around and not shape.names_its_conversation else ""

    def _speaker(self, message: Mapping[str, Any], shape: Shape, around: Mapping[str, Any]) -> Speaker | None:
        if self._log.tells_sides and (speaker := self._log.compared_side(message, around)):
            return speaker
        speaker = self._vocabulary.speaker(message[shape.role]) if shape.role else None
        if speaker is None and shape.is_agent:
            speaker = speaker_of_flag(message[shape.is_agent])
        if speaker is None and shape.is_user:
            told = message[shape.is_user]
            speaker = self._vocabulary.speaker(told) if isinstance(told, dict) else speaker_of_user_flag(told)
        if speaker is None and shape.role and not message[shape.role]:
            kinds = (value for key, value in message.items() if normalized(key) in KINDS)
            speaker = "system" if self._vocabulary.is_of_system(message[shape.role], kinds) else None
        return speaker

    def _message(self, value: Mapping[str, Any], shape: Shape, conversation_id: str, line: int) -> tuple[Read, ...]:
        said = self._utterance(value, shape, value)
        if said is None:
            return ()
        conversation_id = conversation_id or self._log.only_conversation
        if not conversation_id:
            return (self._log.unreadable(line, "the message names no conversation"),)
        if said.speaker is None:
            return (Message(conversation_id, self._uri, line, None, said.text),)
        return (
            Message(
                conversation_id,
                self._uri,
                line,
                said.speaker,
                said.text,
                scalar(said.time),
                scalar(value[shape.started_at]) if shape.started_at else None,
                name_of(value[shape.channel]) if shape.channel else "",
                {key: as_text(kept) for key in shape.rest if (kept := value[key]) is not None} if shape.rest else None,
                -line if said.number is None and self._log.newest_first else said.number,
                said.key,
            ),
        )


def _is_of_no_words(value: Mapping[str, Any], shape: Shape) -> bool:
    """True for a message that is a picture, say, and has no text for that reason."""
    return bool(shape.speaks and shape.conversation_id) and any(is_of_no_words(value[name]) for name in shape.kinds)


def _is_texts(value: Any) -> bool:
    return bool(value) and isinstance(value, list) and all(isinstance(element, str) for element in value)


def _is_messages(value: list[Any], kind: Any) -> bool:
    return bool(value) and isinstance(value[0], dict) and kind(value[0]) == _MESSAGES
