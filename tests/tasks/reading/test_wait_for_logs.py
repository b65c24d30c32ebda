"""Waiting for logs over a real folder, with a clock that the test moves."""

import asyncio
import logging
import os
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tasks.clients.folder_store import FolderStore
from tasks.domain.errors import NoLogs
from tasks.reading.rules.arrival import ArrivedLogs
from tasks.reading.wait_for_logs import find_logs, look_again

DAY = date(2026, 11, 22)
HALF_PAST_TWO = datetime(2026, 11, 23, 2, 30, tzinfo=ZoneInfo("Asia/Shanghai"))


class Night:
    """A folder that fills while a clock runs: `writes` is what is written after so many minutes."""

    def __init__(self, root: Path, writes: dict[float, str]) -> None:
        self.root = root
        self.now = HALF_PAST_TWO
        self.writes = writes
        self.waited = 0
        self.write()

    def minutes(self) -> float:
        return (self.now - HALF_PAST_TWO).total_seconds() / 60

    def find(self, *, wait_minutes: float) -> ArrivedLogs:
        while isinstance(found := self.look(wait_minutes), float):
            assert 0 < found <= 300
            self.now += timedelta(seconds=found)
            self.waited += 1
            self.write()
        return found

    def look(self, wait_minutes: float) -> ArrivedLogs | float:
        return asyncio.run(
            find_logs.fn(
                FolderStore(self.root),
                DAY.isoformat(),
                day=DAY,
                due=HALF_PAST_TWO,
                wait_seconds=wait_minutes * 60,
                quiet_seconds=600,
                logger=logging.getLogger("night"),
                now=lambda: self.now,
            )
        )

    def write(self) -> None:
        for minute, name in list(self.writes.items()):
            if minute <= self.minutes():
                path = self.root / DAY.isoformat() / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text("x", encoding="utf-8")
                written_at = (HALF_PAST_TWO + timedelta(minutes=minute)).timestamp()
                os.utime(path, (written_at, written_at))
                del self.writes[minute]


@pytest.fixture
def night(tmp_path: Path) -> Callable[[dict[float, str]], Night]:
    return lambda writes: Night(tmp_path, writes)


def test_find_logs_begins_at_once_when_all_has_been_quiet(night):
    tonight = night({-90: "a.jsonl", -30: "b.jsonl"})
    assert [log.key for log in tonight.find(wait_minutes=120).objects] == [f"{DAY}/a.jsonl", f"{DAY}/b.jsonl"]
    assert (tonight.minutes(), tonight.waited) == (0, 0)


def test_find_logs_waits_for_late_logs_until_they_are_quiet(night):
    tonight = night({40: "a.jsonl", 45: "b.jsonl"})
    assert len(tonight.find(wait_minutes=120).objects) == 2
    assert (tonight.minutes(), tonight.waited) == (55, 11)


def test_find_logs_takes_the_marker_for_the_end(night):
    tonight = night({-5: "a.jsonl", 2: "b.jsonl", 3: "_SUCCESS"})
    assert len(tonight.find(wait_minutes=120).objects) == 2
    assert (tonight.minutes(), tonight.waited) == (5, 1)


def test_find_logs_goes_on_at_the_deadline_and_says_so(night, caplog):
    tonight = night({float(minute): f"{minute:03}.jsonl" for minute in range(0, 200, 5)})
    with caplog.at_level(logging.INFO, "night"):
        assert len(tonight.find(wait_minutes=33).objects) == 7
    assert (tonight.minutes(), tonight.waited) == (33, 7)
    *looks, going_on = [record.getMessage() for record in caplog.records if record.name == "night"]
    assert [said.split(" in ")[0] for said in looks] == [f"{DAY}: {number} log objects" for number in range(1, 8)]
    assert "going on with 7 log objects by 2026-11-23T03:03:00+08:00, though more may come" in going_on


def test_find_logs_trusts_fresh_files_of_a_night_that_is_long_over(night, caplog):
    tonight = night({5000.0: "a.jsonl"})
    tonight.now += timedelta(minutes=5001)
    tonight.write()
    assert tonight.find(wait_minutes=120).complete
    assert (tonight.waited, caplog.records) == (0, [])


@pytest.mark.parametrize("wait_minutes", [0, 120])
def test_look_again_marks_logs_that_grew_during_the_run(night, wait_minutes):
    tonight, logger = night({-90: "a.jsonl", 20: "b.jsonl"}), logging.getLogger("night")
    store = FolderStore(tonight.root)
    found = tonight.find(wait_minutes=wait_minutes)
    assert look_again(store, str(DAY), found, logger) == found
    tonight.now += timedelta(minutes=20)
    tonight.write()
    again = look_again(store, str(DAY), found, logger)
    assert (again.objects, again.complete) == (found.objects, False)


def test_look_again_keeps_its_verdict_where_logs_were_moved_away(night):
    tonight = night({-90: "a.jsonl"})
    found = tonight.find(wait_minutes=120)
    (tonight.root / str(DAY) / "a.jsonl").unlink()
    assert look_again(FolderStore(tonight.root), str(DAY), found, logging.getLogger("night")).complete


def test_find_logs_says_until_when_it_waited_for_nothing(night):
    tonight = night({})
    with pytest.raises(NoLogs, match=f"no logs of {DAY} in .* by 2026-11-23T03:00:00\\+08:00"):
        tonight.find(wait_minutes=30)


def test_find_logs_waits_for_nothing_when_it_is_not_told_to(night, caplog):
    tonight = night({-1: "a.jsonl"})
    assert len(tonight.find(wait_minutes=0).objects) == 1
    assert (tonight.waited, caplog.records) == (0, [])


def test_find_logs_names_the_day_where_there_is_not_even_a_folder(tmp_path):
    nowhere = Night(tmp_path / "none", {})
    with pytest.raises(NoLogs, match=f"no logs of {DAY} in .*none/{DAY}\\."):
        nowhere.find(wait_minutes=0)
