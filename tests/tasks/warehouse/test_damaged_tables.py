"""A damaged table, met by whatever reads published days: one sentence that names it, and what to do."""

from collections.abc import Callable
from datetime import UTC, date
from pathlib import Path

import pyarrow as pa
import pytest

from tasks.clients.folder_store import FolderStore
from tasks.domain.errors import TableDamaged
from tasks.domain.layout import known_themes_prefix, partition_key
from tasks.preparing.pseudonyms import Pseudonyms
from tasks.questions.ask import choose_conversations
from tasks.questions.assign_themes import find_new_texts
from tasks.reporting.report import aggregate_published
from tasks.reviewing.reviews import offer_days
from tasks.themes.assigner import open_assigner
from tasks.themes.known_themes import read_known_themes, store_known_themes
from tasks.themes.proposals import find_proposals
from tasks.themes.rules.known import known_themes
from tasks.tuning.published_uncertainty import published_uncertainty
from tasks.warehouse.catalog import compact_month
from tasks.warehouse.erase import find
from tasks.warehouse.parquet import parquet_bytes
from tasks.warehouse.rules.erasure import Wanted
from tests.builders.summary_days import summaries

DAYS = [date(2026, 11, 21), date(2026, 11, 22)]
DAMAGED = partition_key("summaries", DAYS[0])
DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda data: b"",
    "cut short": lambda data: data[: len(data) // 2],
    "a hole in it": lambda data: data[:40] + bytes(len(data) // 2) + data[40 + len(data) // 2 :],
}
READERS: dict[str, Callable[[FolderStore, Path], object]] = {
    "report of a span": lambda store, scratch: aggregate_published.fn(store, DAYS, UTC),
    "file of a month": lambda store, scratch: compact_month(store, "summaries", DAYS, scratch),
    "proposed themes": lambda store, scratch: find_proposals.fn(store, DAYS[0], DAYS[1], 2, open_assigner()),
    "texts without a theme": lambda store, scratch: find_new_texts.fn(store, DAYS, known_themes([])),
    "conversations to ask about": lambda store, scratch: choose_conversations.fn(store, DAYS[0], "all", 1.0),
    "sample to review": lambda store, scratch: offer_days.fn(store, DAYS, 5, 0),
    "uncertainty of a sample": lambda store, scratch: published_uncertainty(store, DAYS),
    "erasure": lambda store, scratch: find(store, Wanted(frozenset({"c1"}), frozenset(), Pseudonyms(b"key"))),
}


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    """Two published days."""
    warehouse = FolderStore(tmp_path / "warehouse")
    for day in DAYS:
        table = pa.Table.from_batches([summaries(40, day=day)])
        warehouse.write_path(partition_key("summaries", day), parquet_bytes(table))
    return warehouse


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("reader", READERS)
def test_whoever_meets_a_damaged_table_names_it_in_one_sentence(reader, damage, store, tmp_path):
    READERS[reader](store, tmp_path)
    store.write_path(DAMAGED, DAMAGES[damage](store.read_path(DAMAGED)))
    with pytest.raises(TableDamaged, match=r"can't be read: .*answers are kept") as told:
        READERS[reader](store, tmp_path)
    assert DAMAGED in str(told.value)
    assert "\n" not in str(told.value)


def test_themes_that_a_model_gave_are_passed_over_where_their_file_is_damaged(store, caplog):
    store_known_themes(store, "v1", "first", {1: "refund"})
    store_known_themes(store, "v1", "second", {2: "refund"})
    store.write_path(f"{known_themes_prefix('v1')}first.parquet", b"PAR1nothing")
    assert read_known_themes(store, "v1").keys.tolist() == [2]
    assert "first.parquet can't be read" in caplog.text
