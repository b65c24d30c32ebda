from datetime import date
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.domain.shards import Shard
from tasks.summarizing.rules.shard_watch import MOST_ATTEMPTS, STALLED_SECONDS, STARTING_SECONDS, ShardWatch, stalled
from tasks.warehouse.rules.lease import TIME_TO_LIVE_SECONDS

DAY = date(2026, 11, 22)


def shard(number: int = 0, of: int = 3) -> Shard:
    return Shard(DAY, number, of, "run")


@given(text=st.text(), of=st.integers(1, 256))
def test_every_request_is_in_exactly_one_shard(text, of):
    request_hash = sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    assert sum(shard(number, of).holds(request_hash) for number in range(of)) == 1


def test_shards_are_about_as_large_as_each_other():
    hashes = [sha256(str(number).encode()).hexdigest() for number in range(30_000)]
    sizes = [sum(map(shard(number, 7).holds, hashes)) for number in range(7)]
    assert max(sizes) < 1.1 * min(sizes)


def test_shards_of_another_number_have_other_leases_and_marks():
    keys = {getattr(shard(0, of), key) for of in (2, 3) for key in ("lease_key", "mark_key")}
    assert len(keys) == 4


def test_watch_believes_the_mark_whatever_prefect_says():
    for state in ("RUNNING", "CRASHED", "SCHEDULED", ""):
        assert ShardWatch(shard(), 0.0).status(1.0, state=state, lease="", done=True) == "done"


@pytest.mark.parametrize("state", ["COMPLETED", "FAILED", "CRASHED", "CANCELLED"])
def test_watch_takes_a_run_that_ended_without_a_mark_for_lost(state):
    assert ShardWatch(shard(), 0.0).status(1.0, state=state, lease="a", done=False) == "lost"


def test_watch_takes_a_lease_that_stands_still_for_lost():
    watch = ShardWatch(shard(), 0.0)
    for second in range(0, 1000, 10):
        assert watch.status(second, state="RUNNING", lease=str(second), done=False) == "wait"
    assert watch.status(990 + TIME_TO_LIVE_SECONDS - 1, state="RUNNING", lease="990", done=False) == "wait"
    assert watch.status(990 + TIME_TO_LIVE_SECONDS, state="RUNNING", lease="990", done=False) == "lost"


def test_watch_gives_a_worker_time_to_begin_and_a_queue_all_of_it():
    watch = ShardWatch(shard(), 0.0)
    assert watch.status(0, state="PENDING", lease="", done=False) == "wait"
    assert watch.status(STARTING_SECONDS - 1, state="PENDING", lease="", done=False) == "wait"
    assert watch.status(STARTING_SECONDS, state="PENDING", lease="", done=False) == "lost"
    waiting = ShardWatch(shard(), 0.0)
    assert waiting.status(9e9, state="SCHEDULED", lease="", done=False) == "wait"


def test_watch_begins_again_a_few_times_only():
    watch = ShardWatch(shard(), 0.0)
    assert [watch.next_attempt(1.0) for _ in range(MOST_ATTEMPTS)] == [*[True] * (MOST_ATTEMPTS - 1), False]
    assert watch.attempt == MOST_ATTEMPTS


def test_stalled_is_when_nothing_is_heard_of_any():
    watches = [ShardWatch(shard(number), 0.0) for number in range(3)]
    assert not stalled(watches, STALLED_SECONDS - 1)
    assert stalled(watches, STALLED_SECONDS)
    watches[1].status(100.0, state="RUNNING", lease="a", done=False)
    assert not stalled(watches, STALLED_SECONDS)
