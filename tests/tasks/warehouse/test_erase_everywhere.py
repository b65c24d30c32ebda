"""Every place of a warehouse whose document promises an erasure keeps the promise."""

import re
from datetime import UTC, datetime

import orjson
import pyarrow as pa
import pytest

from tasks.clients.folder_store import FolderStore
from tasks.preparing.pseudonyms import Pseudonyms
from tasks.warehouse.erase import erase, find
from tasks.warehouse.rules.erasure import Wanted, as_parquet
from tasks.warehouse.rules.places import PLACES

NOW = datetime(2026, 11, 29, tzinfo=UTC)
MINE, OTHER = "conv-77881", "conv-99002"
TEXTS = {MINE: "用户：蓝色水壶漏水怎么办\n客服：给您换新", OTHER: "用户：红色雨伞断了怎么办\n客服：给您退款"}


def lines(*ids: str) -> bytes:
    rows = [{"conversation_id": id_, "content_hash": f"hash-{id_}", "text": TEXTS[id_], "raw": "否"} for id_ in ids]
    return b"".join(orjson.dumps(row) + b"\n" for row in rows)


def objects_of(folder: str, erased: str) -> dict[str, bytes]:
    """An object of each form that a place may hold, with both customers in it; a page shows mine alone."""
    made: dict[str, bytes] = {}
    if "rows" in erased:
        columns = {"conversation_id": [MINE, OTHER], "content_hash": [f"hash-{MINE}", f"hash-{OTHER}"]}
        made[f"{folder}day=2026-11-22/data.parquet"] = as_parquet(pa.table(columns))
    if "lines" in erased:
        made[f"{folder}day=2026-11-22/data.jsonl"] = lines(MINE, OTHER)
    if "page" in erased or "sheet" in erased:
        for name in ("page.html", "page.md", "page.json", "sheet.csv"):
            made[f"{folder}{name}"] = f"<p>{MINE}</p>".encode()
    return made


PROMISES = [
    (folder, place.erased)
    for place in PLACES
    for folder in place.keys.replace("\\", "").split("|")
    if re.search(r"row|line|page|sheet", place.erased) and folder.endswith("/")
]


def test_the_newer_places_are_among_those_that_promise():
    folders = {folder for folder, _ in PROMISES}
    assert folders >= {"golden/", "question_answers/", "_months/", "_themes/", "themes/", "shadows/", "comparisons/"}
    assert len(PROMISES) >= 16


@pytest.mark.parametrize(("folder", "erased"), PROMISES, ids=[folder for folder, _ in PROMISES])
def test_nothing_of_a_customer_is_left_in_a_place_that_promises_it(folder, erased, tmp_path):
    store = FolderStore(tmp_path)
    # Where a customer's fingerprint and words are learned from.
    known = {"conversation_id": [MINE], "content_hash": [f"hash-{MINE}"], "text": [TEXTS[MINE]]}
    store.write_path("labels/day=2026-11-22/labels.parquet", as_parquet(pa.table(known)))
    planted = objects_of(folder, erased)
    assert planted
    for key, content in planted.items():
        store.write_path(key, content)
    wanted, found = find(store, Wanted.of([MINE], [], Pseudonyms(b"k")))
    assert found.touched
    report = erase(store, wanted, NOW, "run-1")
    assert report.left == []
    left = {found.key: store.read_path(found.key) for found in store.list_objects() if "_private" not in found.key}
    for key, content in left.items():
        assert MINE.encode() not in content, key
        assert "蓝色水壶".encode() not in content, key
    for key in planted:
        if key.endswith((".parquet", ".jsonl")):
            assert OTHER.encode() in left[key]
