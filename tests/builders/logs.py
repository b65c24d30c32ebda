"""Log objects out of bytes, for the tests of reading."""

import io
import tempfile
from functools import partial
from pathlib import Path

from tasks.domain.records import Conversation, Reject
from tasks.preparing.prompts import load_prompt
from tasks.preparing.requests import prepare
from tasks.reading.conversations import DetectedFormat, LogObject, LogReader
from tasks.reading.tally import ReadingTally

PREPARE = partial(prepare, prompt=load_prompt("sft-v1"), model="m", max_input_tokens=2000)


class Read:
    """Everything read from a day of objects, by kind, in order."""

    def __init__(self, *contents, **options):
        objects = [LogObject(f"log-{at}", partial(io.BytesIO, content)) for at, content in enumerate(contents)]
        with tempfile.TemporaryDirectory() as scratch:
            self.tally = ReadingTally()
            found = list(LogReader(PREPARE, Path(scratch), **options).read(objects, self.tally))
            assert list(Path(scratch).iterdir()) == []
        self.all = found
        self.detected = [item for item in found if isinstance(item, DetectedFormat)]
        self.conversations = [item for item in found if isinstance(item, Conversation)]
        self.rejects = [item for item in found if isinstance(item, Reject)]

    @property
    def conversation(self):
        assert self.rejects == []
        (conversation,) = self.conversations
        return conversation

    @property
    def reject(self):
        assert self.conversations == []
        (reject,) = self.rejects
        return reject


def said(conversation):
    """The turns as (role, text)."""
    return [(turn.role, turn.text) for turn in conversation.turns]
