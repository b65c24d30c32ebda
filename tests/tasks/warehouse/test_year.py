"""Fourteen months of nights in a warehouse, time moved and not waited for: what runs leave behind stays bounded."""

import os
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
import yaml  # type: ignore[import-untyped]

from tasks.clients.folder_store import FolderStore
from tasks.domain.layout import answers_prefix, batches_prefix, lease_key, partition_key
from tasks.warehouse.expire import expire
from tasks.warehouse.rules.erasure import as_parquet
from tasks.warehouse.rules.retention import Keep
from tasks.warehouse.rules.tables import RUNS
from tests.conftest import ROOT

FIRST, NIGHTS = date(2025, 1, 6), 440
ANSWERS = b"x" * 600  # a line
RUN = as_parquet(pa.Table.from_pylist([{"run_id": "r", "status": "done"}], schema=RUNS))


class Machine:
    """A warehouse to which each night writes as runs do, dated by the night.

    Args:
        folder: the warehouse's.
    """

    def __init__(self, folder: Path) -> None:
        self.store = FolderStore(folder)
        self._folder = folder

    def night(self, day: date) -> datetime:
        """Publish a day; each tenth run dies first. Return when it was."""
        at = datetime(day.year, day.month, day.day, 18, 30, tzinfo=UTC)
        written = {f"{answers_prefix(day)}run.jsonl": ANSWERS, partition_key("runs", day): RUN}
        written |= {partition_key(table, day): b"x" for table in ("summaries", "rejects", "metrics")}
        written |= {f"{answers_prefix(day, name)}run.jsonl": ANSWERS for name in ("shadow", "questions")}
        if day.toordinal() % 10 == 0:
            written |= {f"{answers_prefix(day)}dead.jsonl": ANSWERS, lease_key(day): b"{}"}
            written |= {f"_staging/runs/{day}/part": b"x", f"_staging/shards/{day}/done": b"x"}
            written |= {f"{batches_prefix(day)}submission.json": b"{}"}
        if day.day == 1:
            written |= {f"{answers_prefix(None, 'evaluations')}{day}.jsonl": ANSWERS}
        for key, content in written.items():
            path = self._folder / key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)  # the store's own way waits for the disk each time
            os.utime(path, (at.timestamp(), at.timestamp()))
        return at

    def count(self) -> Counter[str]:
        return Counter(found.key.partition("/")[0] for found in self.store.list_objects())


def weekly_keep() -> Keep:
    """For how long the deployed clean-up keeps what."""
    stanzas = yaml.safe_load((ROOT / "deployments" / "prefect.yaml").read_text(encoding="utf-8"))["deployments"]
    (parameters,) = [stanza["parameters"] for stanza in stanzas if stanza["name"] == "weekly-cleanup"]
    return Keep(answers_days=parameters["keep_answers_days"])


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    (folder := tmp_path_factory.mktemp("year") / "warehouse").mkdir()
    made = Machine(folder)
    for number in range(NIGHTS):
        at = made.night(FIRST + timedelta(days=number))
        if at.weekday() == 6 and number % 56 == 55:  # one of eight of the weekly ones, which is harder
            expire(made.store, weekly_keep(), at)
    expire(made.store, weekly_keep(), at)
    return made


def test_answers_of_a_year_are_kept_and_no_more(machine):
    answers = list(machine.store.list_objects("_answers/"))
    nights = 366
    assert len(answers) <= 3 * nights + nights // 10 + 1 + 13
    assert sum(found.size for found in answers) == len(answers) * len(ANSWERS)
    assert min(found.key for found in answers if found.key.startswith("_answers/day=")) > f"_answers/day={FIRST}"


def test_work_in_progress_of_dead_runs_is_gone_after_a_week(machine):
    assert machine.count()["_staging"] <= 4


@pytest.mark.parametrize("table", ["summaries", "rejects", "metrics", "runs"])
def test_every_table_is_there_still(machine, table):
    assert machine.count()[table] == NIGHTS


def test_a_day_that_was_never_published_keeps_its_answers(tmp_path):
    (folder := tmp_path / "warehouse").mkdir()
    made = Machine(folder)
    at = made.night(FIRST)
    made.store.delete(partition_key("runs", FIRST))
    assert expire(made.store, weekly_keep(), at + timedelta(days=NIGHTS))["answers"] == 2, "shadow and questions"
    assert made.store.stat(f"{answers_prefix(FIRST)}run.jsonl") is not None
