"""Messages."""

from typing import NamedTuple

from tasks.reading.rules.dialogue import Speaker


class Message(NamedTuple):
    """One row of a log that holds a message a row; `time` and `started_at` are as logged."""

    conversation_id: str
    uri: str
    line: int
    speaker: Speaker
    text: str
    time: str | float | None = None
    started_at: str | float | None = None
    channel: str = ""
    attributes: dict[str, str] | None = None
