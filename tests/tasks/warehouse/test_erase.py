"""Erasing a customer from a warehouse that holds every kind of object."""

import io
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tasks.clients.folder_store import FolderStore
from tasks.preparing.masking import mask_identifier, mask_mapping
from tasks.preparing.pseudonyms import Pseudonyms
from tasks.warehouse.erase import erase, find
from tasks.warehouse.rules.erasure import Wanted, as_parquet, rows_of
from tasks.warehouse.rules.tables import LABELS, REJECTS, RUNS, SUMMARIES

NOW = datetime(2026, 11, 29, tzinfo=UTC)
PSEUDONYMS = Pseudonyms(b"key of the test")
PHONE = "13912345678"
TEXTS = {"mine": "用户：蓝色水壶漏水怎么办\n客服：给您换新", "other": "用户：红色雨伞断了怎么办\n客服：给您退款"}


def summary(name: str, user: str) -> dict:
    attributes = mask_mapping({"user_id": user, "sku": "1"}, pseudonyms=PSEUDONYMS)
    return {
        "conversation_id": mask_identifier(name, PSEUDONYMS),
        "content_hash": f"hash-{name}",
        "issue": "漏水",
        "attributes": list(attributes.items()),
    }


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    made = FolderStore(tmp_path)

    def table(key: str, schema: pa.Schema, rows: list[dict]) -> None:
        made.write_path(key, as_parquet(pa.Table.from_pylist(rows, schema=schema)))

    table("summaries/day=2026-11-22/summaries.parquet", SUMMARIES, [summary(PHONE, PHONE), summary("other", "u2")])
    table("summaries/day=2026-11-23/summaries.parquet", SUMMARIES, [summary("later", PHONE)])
    table("summaries/day=2026-11-24/summaries.parquet", SUMMARIES, [summary("other-2", "u2")])
    table("rejects/day=2026-11-22/rejects.parquet", REJECTS, [{"conversation_id": "later", "detail": "重复"}])
    labels = [
        {"conversation_id": "later", "content_hash": "hash-later", "text": TEXTS["mine"]},
        {"conversation_id": "other", "content_hash": "hash-other", "text": TEXTS["other"]},
    ]
    table("labels/day=2026-11-22/labels.parquet", LABELS, labels)
    lines = [{"content_hash": f"hash-{name}", "text": "否"} for name in (PHONE, "later", "other")]
    made.write_path("_answers/day=2026-11-22/run.jsonl", b"".join(orjson.dumps(line) + b"\n" for line in lines))
    training = [[{"prompt": f"概述：\n{text}", "response": [["好"]]}] for text in TEXTS.values()]
    made.write_path("models/name=m/training.jsonl", b"".join(orjson.dumps(line) + b"\n" for line in training))
    made.write_path("reports/day=2026-11-23/report.html", b"<p>later</p>")
    made.write_path("reports/day=2026-11-24/report.html", b"<p>later-on, other-2</p>")
    book = io.BytesIO()
    with zipfile.ZipFile(book, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/sharedStrings.xml", "<t>later</t>")
    made.write_path("reviews/S1.xlsx", book.getvalue())
    return made


def contents(store: FolderStore) -> dict[str, bytes]:
    return {found.key: store.read_path(found.key) for found in store.list_objects()}


def test_a_dry_run_changes_nothing_and_counts_what_would_go(store):
    before = contents(store)
    wanted, report = find(store, Wanted.of([], [PHONE], PSEUDONYMS))
    assert contents(store) == before
    assert report.touched == {
        "summaries": 2, "rejects": 1, "labels": 1, "_answers": 1, "models": 1, "reports": 1, "reviews": 1,
    }  # fmt: skip
    assert wanted.hashes == {f"hash-{PHONE}", "hash-later"}


@pytest.mark.parametrize("spelled", ["id", "attribute"])
def test_every_trace_of_a_customer_goes_and_nothing_of_others(store, spelled):
    asked = (
        Wanted.of([], [PHONE], PSEUDONYMS) if spelled == "attribute" else Wanted.of([PHONE, "later"], [], PSEUDONYMS)
    )
    before = contents(store)
    wanted, _ = find(store, asked)
    report = erase(store, wanted, NOW, "run-1")
    assert report.left == []
    after = contents(store)
    gone = {key for key in before if key not in after}
    assert gone == {"reports/day=2026-11-23/report.html", "reviews/S1.xlsx"}
    assert rows_of(after["summaries/day=2026-11-22/summaries.parquet"]).column("conversation_id").to_pylist() == [
        "other"
    ]
    assert rows_of(after["summaries/day=2026-11-23/summaries.parquet"]).num_rows == 0
    schema = pq.read_schema(io.BytesIO(after["summaries/day=2026-11-23/summaries.parquet"]))
    assert schema.equals(SUMMARIES)
    assert schema.metadata == SUMMARIES.metadata
    assert rows_of(after["labels/day=2026-11-22/labels.parquet"]).column("text").to_pylist() == [TEXTS["other"]]
    assert b"hash-other" in after["_answers/day=2026-11-22/run.jsonl"]
    assert after["_answers/day=2026-11-22/run.jsonl"].count(b"\n") == 1
    assert "雨伞".encode() in after["models/name=m/training.jsonl"]
    assert "水壶".encode() not in after["models/name=m/training.jsonl"]
    for key in ("summaries/day=2026-11-24/summaries.parquet", "reports/day=2026-11-24/report.html"):
        assert after[key] == before[key]


def test_the_record_of_the_act_does_not_hold_the_data(store):
    wanted, _ = find(store, Wanted.of([PHONE], [], PSEUDONYMS))
    erase(store, wanted, NOW, "run-1")
    [record] = [store.read_path(found.key) for found in store.list_objects("_private/erasures/")]
    assert PHONE.encode() not in record
    assert orjson.loads(record)["touched"] == {"summaries": 1, "_answers": 1}
    again, report = find(store, Wanted.of([PHONE], [], PSEUDONYMS))
    assert report.touched == {}
    assert again.hashes == set()


def test_what_the_scan_still_finds_is_named(store):
    wanted, _ = find(store, Wanted.of(["later"], [], PSEUDONYMS))
    store.write_path("reports/day=2026-11-23/notes.log", b"about later")
    report = erase(store, wanted, NOW, "run-1")
    assert [uri.rpartition("/")[2] for uri in report.left] == ["notes.log"]


def workbook(declared_bytes: int) -> bytes:
    book = io.BytesIO()
    with zipfile.ZipFile(book, "w") as archive:
        archive.writestr("xl/sharedStrings.xml", "<t>nobody</t>")
        archive.filelist[0].file_size = declared_bytes
    return book.getvalue()


UNREADABLE = {"huge": workbook(300 << 20), "cut": workbook(13)[:-9], "none": b"no workbook"}


@pytest.mark.parametrize("kind", UNREADABLE)
def test_a_workbook_that_nobody_can_read_is_no_proof_that_nothing_is_left(store, kind):
    store.write_path("reviews/S2.xlsx", UNREADABLE[kind])
    wanted, _ = find(store, Wanted.of(["later"], [], PSEUDONYMS))
    report = erase(store, wanted, NOW, "run-1")
    assert [uri.rpartition("/")[2] for uri in report.left] == ["S2.xlsx"]
    assert store.read_path("reviews/S2.xlsx") == UNREADABLE[kind]


def test_days_that_lost_rows_are_published_anew_and_no_others(store):
    days = ("2026-11-22", "2026-11-23", "2026-11-24")
    early, late = datetime(2026, 11, 24, 1, tzinfo=UTC), datetime(2026, 11, 24, 2, tzinfo=UTC)
    runs = [
        {"run_id": "first", "finished_at": early, "published_at": early, "last_of_day": False},
        {"run_id": "last", "finished_at": late, "published_at": late, "last_of_day": True},
    ]
    keys = [f"runs/day={day}/runs.parquet" for day in days]
    for key in keys:
        store.write_path(key, as_parquet(pa.Table.from_pylist(runs, schema=RUNS)))
    before = contents(store)
    wanted, _ = find(store, Wanted.of([], [PHONE], PSEUDONYMS))
    assert contents(store) == before
    erase(store, wanted, NOW, "run-1")
    after = contents(store)
    for key in keys[:2]:
        first, last = rows_of(after[key]).to_pylist()
        assert first == rows_of(before[key]).to_pylist()[0]
        assert last.pop("published_at") > late
        assert last == {key: value for key, value in rows_of(before[key]).to_pylist()[1].items() if key in last}
    assert after[keys[2]] == before[keys[2]]
