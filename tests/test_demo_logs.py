"""The sample logs and their labels: readable in every format, and one label for each conversation."""

import json
from pathlib import Path

import pytest

from tasks.domain.records import Conversation, Reason, Reject
from tasks.preparing.masking import mask
from tasks.reading.conversations import DetectedFormat, LogObject, LogReader
from tests.builders.logs import PREPARE

DEMO = Path(__file__).parents[1] / "deployments" / "demo"
DAYS = sorted((DEMO / "logs").iterdir())
READ = Conversation | Reject | DetectedFormat


def read_day(day: Path, scratch: Path) -> list[READ]:
    logs = [
        LogObject(path.relative_to(DEMO / "logs").as_posix(), lambda path=path: path.open("rb"))  # type: ignore[misc]
        for path in sorted(day.rglob("*"))
        if path.is_file()
    ]
    return list(LogReader(PREPARE, scratch).read(logs))


@pytest.fixture(scope="module")
def readings(tmp_path_factory):
    return {day.name: read_day(day, tmp_path_factory.mktemp("scratch")) for day in DAYS}


def test_every_conversation_has_one_label(readings):
    labels = [json.loads(line) for line in (DEMO / "labels.jsonl").read_text(encoding="utf-8").splitlines()]
    ids = {found.conversation_id for day in readings.values() for found in day if isinstance(found, Conversation)}
    assert len(ids) >= 210
    assert sorted(ids) == sorted(label["conversation_id"] for label in labels)
    for label in labels:
        assert set(label) == {"conversation_id", "issue", "plan", "accepted", "negative_sentiment"}
        assert label["issue"]
        assert label["plan"]
        assert {label["accepted"], label["negative_sentiment"]} <= {True, False, None}


def test_every_day_has_a_few_rejects_and_no_more(readings):
    for day in readings.values():
        rejects = [found for found in day if isinstance(found, Reject)]
        assert 0 < len(rejects) < 0.1 * len(day)
    reasons = {found.reason for day in readings.values() for found in day if isinstance(found, Reject)}
    assert reasons == {Reason.UNREADABLE, Reason.EMPTY, Reason.ONE_SIDED}


def test_the_logs_show_most_formats_and_encodings(readings):
    detected = [found for day in readings.values() for found in day if isinstance(found, DetectedFormat)]
    assert {found.format for found in detected} - {"unknown"} >= {
        "csv",
        "tsv",
        "jddc",
        "jsonl-conversations",
        "jsonl-messages",
        "jsonl-transcripts",
        "jsonl-sft",
        "transcript",
    }
    assert {found.encoding for found in detected} == {"utf-8", "gb18030"}
    assert any(found.compressed for found in detected)


def test_the_logs_have_personal_data_of_every_kind_to_mask(readings):
    turns = [
        turn.text
        for day in readings.values()
        for found in day
        if isinstance(found, Conversation)
        for turn in found.turns
    ]
    masked = "\n".join(map(mask, turns))
    for placeholder in ("[手机号]", "[身份证号]", "[银行卡号]", "[邮箱]", "[订单号]"):
        assert placeholder in masked
        assert not any(placeholder in text for text in turns)


def test_the_logs_stay_small():
    assert sum(path.stat().st_size for path in DEMO.rglob("*") if path.is_file()) < 600_000
