"""One message, before its time is read."""

from typing import NamedTuple

from tasks.reading.rules.speakers import Speaker


class Utterance(NamedTuple):
    """Speaker, text, the time in whatever form the log holds it, and the message's number and key where it has them.

    `number` orders messages of equal times; of two with the same `key` and text one was delivered twice. A speaker
    who is None is one that the log's words do not tell.
    """

    speaker: Speaker | None
    text: str
    time: object = None
    number: float | None = None
    key: str = ""
