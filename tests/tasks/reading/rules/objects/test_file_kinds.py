"""Objects that are no logs are named, with a way to make one of them."""

import gzip
import io
import json
import shlex
import subprocess
import sys

import pytest

from tasks.reading.rules.objects.file_kinds import YAML_TO_JSON
from tests.builders.logs import Read, said

YAML = """\
- conversation_id: y1
  turns:
  - speaker: user
    text: 灯不亮了
  - speaker: agent
    text: 给您换
"""

SQL = "-- 2026\n\nCREATE TABLE `m` (`id` int);\nINSERT INTO `m` VALUES (1,'用户','客服：在','2026-11-22 10:00:00');\n"

MAILBOX = "From a@b.example Sun Nov 22 10:00:00 2026\nFrom: a@b.example\nSubject: x\n\nhello\n"


@pytest.mark.parametrize(
    ("text", "kind", "advice"),
    [
        (YAML, "YAML", YAML_TO_JSON),
        (SQL, "an SQL dump", "export the table as CSV"),
        (SQL.partition("CREATE")[1] + SQL.partition("CREATE")[2], "an SQL dump", "mysql --batch"),
        (MAILBOX, "a mailbox", "export the tickets as CSV or JSON"),
        ("%PDF-1.7\n", "a PDF document", "export its text"),
    ],
)
def test_what_is_no_log_is_named_with_advice(text, kind, advice):
    detail = Read(text.encode()).reject.detail
    assert detail.startswith(f"{kind}, not a log that can be read")
    assert advice in detail


def test_the_advice_for_yaml_makes_a_log_of_it():
    command = shlex.split(YAML_TO_JSON)
    made = subprocess.run([sys.executable, *command[1:3]], input=YAML.encode(), capture_output=True, check=True)
    assert isinstance(json.load(io.BytesIO(made.stdout)), list)
    assert said(Read(made.stdout).conversation) == [("user", "灯不亮了"), ("agent", "给您换")]


def test_a_transcript_of_plain_labels_is_no_yaml():
    assert len(Read(b"user: hi\nagent: hello\nuser: it broke\nagent: sorry\n").conversation.turns) == 4


@pytest.mark.parametrize("inner", [gzip.compress(b"x"), b"PK\x03\x04" + b"\0" * 40])
def test_what_is_packed_twice_is_named(inner):
    detail = Read(gzip.compress(inner)).reject.detail
    assert detail == "packed data in packed data, not a log that can be read: unpack the outer one"


def test_a_stream_of_arrow_is_named():
    assert Read(b"\xff\xff\xff\xff\x10\x01" + b"\0" * 40).reject.detail.startswith("an Arrow stream, not a log")
