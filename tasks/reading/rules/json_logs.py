"""JSON values to conversations and messages: whatever kind a record is shows in its keys."""

import json
import re
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import chain
from typing import Any, Final

import orjson

from tasks.domain.records import Conversation, Reason, Reject
from tasks.preparing.prompts import load_prompt, prompt_versions
from tasks.reading.rules.dialogue import (
    TimestampParser,
    Utterance,
    conversation_from,
    speaker_of_flag,
    split_transcript,
)
from tasks.reading.rules.formats import JSON_FORMATS, Shape, Vocabulary
from tasks.reading.rules.messages import Message

Read = Conversation | Reject | Message

_CONVERSATIONS, _MESSAGES, _TRANSCRIPTS, _SFT = JSON_FORMATS

_NEITHER: Final = "neither a conversation nor a message: no messages, no transcript, no role with a text"

_LONE_SURROGATE: Final = re.compile("[\ud800-\udfff]")

_LONG_NUMBER_DIGITS: Final = 18

_EXACT_UP_TO: Final = 2.0**53


def parse_json(text: str | bytes) -> Any:
    """The value, read leniently where strict JSON fails: NaN, raw control characters, half an emoji.

    Raises:
        ValueError: it is no JSON; the message says where, and never quotes it.
    """
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        pass
    else:
        if not _is_rounded(value):
            return value
    try:
        decoded = text.decode() if isinstance(text, bytes) else text
        decoded.encode()
        return _mended(json.loads(decoded, strict=False, parse_int=_number))
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON (at character {error.pos + 1})") from None
    except UnicodeError:
        raise ValueError("not text in the encoding of the file") from None
    except RecursionError:
        raise ValueError("nested too deeply") from None


class JsonRecords:
    """Reads the records of one object.

    Args:
        uri: the object, as rows and rejects name it.
        only: the one kind of record to take (a name of JSON_FORMATS); "" takes all.
    """

    def __init__(self, uri: str, vocabulary: Vocabulary, timestamps: TimestampParser, only: str = "") -> None:
        self._uri = uri
        self._vocabulary = vocabulary
        self._timestamps = timestamps
        self._only = only
        self._line = self._on_line = 0

    def kind(self, value: Any) -> str:
        """The format that a value belongs to (a name of JSON_FORMATS), or ""."""
        if _is_texts(value):
            return _TRANSCRIPTS
        if isinstance(value, list):
            return self._kind_of_record(value[0]) if value and isinstance(value[0], dict) else ""
        return self._kind_of_record(value) if isinstance(value, dict) else ""

    def _kind_of_record(self, value: dict[str, Any]) -> str:
        shape = self._vocabulary.shape(tuple(value))
        if shape.message:
            return _MESSAGES
        if _messages(value, shape) is not None:
            return _CONVERSATIONS
        if shape.entity or (shape.prompt and isinstance(value[shape.prompt], str)):
            return _SFT
        if shape.text and (shape.role or shape.is_agent):
            return _MESSAGES
        return _TRANSCRIPTS if _transcript(value, shape) is not None else ""

    def read(self, value: Any, line: int, list_line: int = 0) -> Iterable[Read]:
        """The conversations or messages of one value; whatever it holds, at least one thing or a reject.

        Args:
            list_line: where the list begins that the value is an element of. Messages in a list that name no
                conversation are one.
        """
        if not isinstance(value, list):
            return self._read_one(value, line, list_line)
        if not value:
            return (self._reject("", Reason.EMPTY, "an empty list", line),)
        if _is_texts(value):
            return self._read_one({"transcript": "\n".join(value)}, line, 0)
        return chain.from_iterable(self._read_one(element, line, line) for element in value)

    def _own_id(self, line: int) -> str:
        """An id for a record that names none; the same at every reading of the object."""
        self._on_line = self._on_line + 1 if line == self._line else 1
        self._line = line
        return f"{self._uri}:{line}" + (f":{self._on_line}" if self._on_line > 1 else "")

    def _read_one(self, value: Any, line: int, list_line: int) -> Iterable[Read]:
        if not isinstance(value, dict):
            return (self._reject("", Reason.UNREADABLE, _NEITHER, line),)
        kind = self._kind_of_record(value)
        shape = self._vocabulary.shape(tuple(value))
        conversation_id = value.get(shape.conversation_id)
        if type(conversation_id) is not str:
            conversation_id = _identity(conversation_id)
        conversation_id = conversation_id.strip()
        if not kind or (self._only and kind != self._only):
            detail = f"a record of {kind}, not of {self._only}" if kind else _NEITHER
            return (self._reject(conversation_id, Reason.UNREADABLE, detail, line),)
        try:
            if kind == _MESSAGES:
                if list_line and not conversation_id:
                    conversation_id = f"{self._uri}:{list_line}"
                return (self._message(value, shape, conversation_id, line),)
            conversation_id = conversation_id or self._own_id(line)
            if shape.entity and kind == _SFT:
                return list(self._entity(value[shape.entity], line, conversation_id))
            return (self._conversation(value, kind, shape, conversation_id, line),)
        except TypeError:  # orjson does not write what is nested this deeply
            return (self._reject(conversation_id, Reason.UNREADABLE, "nested too deeply", line),)

    def _conversation(
        self, value: dict[str, Any], kind: str, shape: Shape, conversation_id: str, line: int
    ) -> Conversation | Reject:
        key, said, preamble = self._speech(value, kind, shape)
        if isinstance(said, str):
            return self._reject(conversation_id, Reason.UNREADABLE, said, line)
        started_key = shape.started_at or shape.time
        used = {key, shape.conversation_id, started_key, shape.channel, *self._vocabulary.left_out}
        if kind == _SFT:
            used |= {"response", "system"}
        attributes = {name: _as_text(kept) for name, kept in value.items() if kept is not None and name not in used}
        if preamble:
            attributes["preamble"] = preamble
        return conversation_from(
            said,
            self._timestamps,
            conversation_id,
            self._uri,
            line,
            value.get(started_key),
            _as_text(value.get(shape.channel)),
            attributes,
        )

    def _entity(self, content: Any, line: int, conversation_id: str) -> Iterator[Read]:
        """A row of a platform data set: its content is JSON in a string."""
        try:
            rows = parse_json(content) if isinstance(content, str) else None
        except ValueError:
            rows = None
        if not rows or not isinstance(rows, list):
            yield self._reject(conversation_id, Reason.UNREADABLE, "the entity's content is no list", line)
            return
        for number, row in enumerate(rows, 1):
            row_id = conversation_id if number == 1 else f"{conversation_id}:{number}"
            yield from self._read_one({**row, "conversation_id": row_id} if isinstance(row, dict) else row, line, 0)

    def _speech(self, value: dict[str, Any], kind: str, shape: Shape) -> tuple[str, list[Utterance] | str, str]:
        """The key that holds the dialogue, its messages or what is wrong with them, what stands before them."""
        if kind == _CONVERSATIONS:
            key, messages = _messages(value, shape) or ("", [])
            return key, self._said(messages), ""
        if kind == _SFT:
            said = split_transcript(_after_instruction(value[shape.prompt])).said
            return shape.prompt, said or "the prompt has no speaker's label, such as 用户：", ""
        key, text = _transcript(value, shape) or ("", "")
        preamble, said, _ = split_transcript(text)
        if text.strip() and not said:
            return key, "the transcript has no speaker's label, such as 用户：", ""
        return key, said, preamble

    def _said(self, messages: list[Any]) -> list[Utterance] | str:
        """The messages, or what is wrong with them."""
        if _is_texts(messages):
            said = split_transcript("\n".join(messages)).said
            return said or "its messages have no speaker's label, such as 用户："
        said = list[Utterance]()
        shape_of, speaker_of = self._vocabulary.shape, self._vocabulary.speaker
        for message in messages:
            if not isinstance(message, dict):
                return f"message {len(said) + 1} is no object"
            shape = shape_of(tuple(message))
            speaker = speaker_of(message[shape.role]) if shape.role else None
            if speaker is None and shape.is_agent:
                speaker = speaker_of_flag(message[shape.is_agent])
            if speaker is None:
                return f"message {len(said) + 1} has no role that is known; a mapping can name it under roles"
            text = message[shape.text] if shape.text else ""
            if type(text) is not str:
                text = _words(text)
            said.append((speaker, "" if text.isspace() else text, message[shape.time] if shape.time else None))
        return said

    def _message(self, value: dict[str, Any], shape: Shape, conversation_id: str, line: int) -> Read:
        speaker = self._vocabulary.speaker(value[shape.role]) if shape.role else None
        if speaker is None and shape.is_agent:
            speaker = speaker_of_flag(value[shape.is_agent])
        if speaker is None:
            detail = "the message has no role that is known; a mapping can name it under roles"
            return self._reject(conversation_id, Reason.UNREADABLE, detail, line)
        if not conversation_id:
            return self._reject("", Reason.UNREADABLE, "the message names no conversation", line)
        text = value[shape.text]
        if type(text) is not str:
            text = _words(text)
        return Message(
            conversation_id,
            self._uri,
            line,
            speaker,
            "" if text.isspace() else text,
            _scalar(value[shape.time]) if shape.time else None,
            _scalar(value[shape.started_at]) if shape.started_at else None,
            _as_text(value[shape.channel]) if shape.channel else "",
            {key: _as_text(kept) for key in shape.rest if (kept := value[key]) is not None} if shape.rest else None,
        )

    def _reject(self, conversation_id: str, reason: Reason, detail: str, line: int) -> Reject:
        return Reject(conversation_id, reason, detail, self._uri, line)


def _is_texts(value: Any) -> bool:
    return bool(value) and isinstance(value, list) and all(isinstance(element, str) for element in value)


def _messages(value: dict[str, Any], shape: Shape) -> tuple[str, list[Any]] | None:
    """The key and the list of messages; a list may be written as a string of JSON, and null is an empty one."""
    empty = None
    for key in shape.messages:
        messages = value[key]
        if isinstance(messages, list):
            return key, messages
        if isinstance(messages, str) and messages.lstrip()[:2] in ("[{", "[]"):
            try:
                parsed = orjson.loads(messages)
            except orjson.JSONDecodeError:
                continue
            return key, parsed
        if messages is None:
            empty = key, list[Any]()
    return empty if _transcript(value, shape) is None and not (shape.role or shape.prompt) else None


def _transcript(value: dict[str, Any], shape: Shape) -> tuple[str, str] | None:
    for key in shape.transcripts:
        if isinstance(value[key], str):
            return key, value[key]
    return None


def _words(content: Any) -> str:
    """The text of a message's content that is no string: a number, or parts of which some are text."""
    if isinstance(content, list | dict):
        parts = content if isinstance(content, list) else [content]
        texts = (part.get("text") if isinstance(part, dict) else part for part in parts)
        return "".join(text for text in texts if isinstance(text, str))
    return _as_text(content)


def _identity(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


def _scalar(value: Any) -> str | float | None:
    return value if isinstance(value, str | int | float) and value != "" else None


def _as_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else orjson.dumps(value).decode()


def _after_instruction(prompt: str) -> str:
    """The conversation in a training row's prompt: what follows a released prompt's last line."""
    for last_line in _instructions():
        _, found, conversation = prompt.partition(last_line)
        if found:
            return conversation
    return prompt


@cache
def _instructions() -> tuple[str, ...]:
    leads = [load_prompt(version).template.partition("{conversation}")[0] for version in prompt_versions()]
    return tuple(lead.rstrip().rsplit("\n", 1)[-1] for lead in leads if lead.strip())


def _is_rounded(value: Any) -> bool:
    """Whether a record has a number of its own that may have lost digits: two ids must not become one."""
    if isinstance(value, list):
        return any(_is_rounded(element) for element in value if isinstance(element, dict))
    return isinstance(value, dict) and any(type(kept) is float and abs(kept) >= _EXACT_UP_TO for kept in value.values())


def _number(digits: str) -> int | str:
    return int(digits) if len(digits) <= _LONG_NUMBER_DIGITS else digits


def _mended(value: Any) -> Any:
    """Half an emoji becomes U+FFFD, NaN and infinities null: nothing downstream can write them."""
    if isinstance(value, str):
        return _LONE_SURROGATE.sub("\ufffd", value)
    if isinstance(value, float):
        return value if abs(value) < float("inf") else None
    if isinstance(value, list):
        return [_mended(element) for element in value]
    if isinstance(value, dict):
        return {_mended(key): _mended(element) for key, element in value.items()}
    return value
