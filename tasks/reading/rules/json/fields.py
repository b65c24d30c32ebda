"""Fields of a JSON record or message, found by its shape."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from tasks.preparing.prompts import load_prompt, prompt_versions
from tasks.reading.rules.json.texts import words_in
from tasks.reading.rules.transcripts.dialogues import is_dialogue
from tasks.reading.rules.vocabulary import Shape


def text_of(message: Mapping[str, Any], shape: Shape) -> str:
    """Return a message's text: the first of its candidates that holds words."""
    for key in shape.texts or ((shape.text,) if shape.text else ()):
        if found := words_in(message[key]):
            return found
    return ""


def time_of(message: Mapping[str, Any], shape: Shape) -> object:
    """Return a message's time as logged, joined with the date where that has a key of its own."""
    if not shape.time:
        return None
    time = message[shape.time]
    if shape.date and isinstance(time, str) and len(time) < 16:
        return joined(str(message[shape.date]), time)
    return time


def joined(date: str, time: str) -> str:
    """A date and a time of two columns as one; a spreadsheet writes a date with midnight behind it."""
    return f"{date.removesuffix('T00:00:00').removesuffix(' 00:00:00')} {time}"


def number_of(value: Any) -> float | None:
    """Return a message's number; None for anything else."""
    if isinstance(value, str):
        value = int(value) if value.isascii() and value.isdecimal() and len(value) < 19 else None
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def transcript_of(value: Mapping[str, Any], shape: Shape) -> tuple[str, str] | None:
    """Return the key and the text of a record's transcript, None where it has none.

    A key that is called after messages may hold one, too.
    """
    for key in shape.transcripts:
        if isinstance(value[key], str):
            return key, value[key]
    for key in () if shape.speaks else shape.messages:
        if isinstance(value[key], str) and is_dialogue(value[key]):
            return key, value[key]
    return None


def after_instruction(prompt: str) -> str:
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
