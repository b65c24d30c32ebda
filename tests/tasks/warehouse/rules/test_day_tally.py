"""The status that a run is stored with, and which statuses make a day complete."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.domain.errors import TooManyRejects
from tasks.warehouse.rules.day_tally import DONE, LIMITED, TOO_MANY_REJECTS, makes_complete
from tests.builders.tallies import tally


@given(st.integers(0, 50), st.integers(0, 50), st.sampled_from([0.0, 0.2, 1.0]), st.integers(0, 60))
def test_judged_is_done_only_where_all_was_read_and_enough_is_summarized(summarized, rejected, ratio, limit):
    judged = tally(summarized, rejected).judged(ratio, limit)
    poor = rejected > ratio * (summarized + rejected)
    cut = bool(limit) and summarized + rejected >= limit
    assert judged.status == (TOO_MANY_REJECTS if poor else LIMITED if cut else DONE)
    assert makes_complete(judged.row()) == (not poor and not cut and summarized > 0)
    assert judged.row()["status"] == judged.as_json()["status"] == judged.status


def test_judged_counts_what_is_lost_in_files_that_cannot_be_read():
    assert tally(90, 1, unread_rejects=1, unread_conversations=40).judged(0.2, 0).status == TOO_MANY_REJECTS
    assert tally(90, 1, unread_rejects=1, unread_conversations=10).judged(0.2, 0).status == DONE


def test_rows_from_before_there_was_a_status_count_where_they_hold_summaries():
    row = tally(5, 1).row() | {"status": None}
    assert makes_complete(row)
    assert not makes_complete(row | {"summarized": 0})


def test_too_many_rejects_name_their_three_commonest_reasons():
    reasons = [("unreadable", 40), ("one_sided", 20), ("empty", 9), ("refused", 2), ("too_long", 1)]
    judged = tally(1, 72).judged(0.2, 0)
    with pytest.raises(TooManyRejects, match=r"\(40 unreadable, 20 one_sided, 9 empty, 3 for other reasons\)") as told:
        judged.raise_if_too_many_rejects(0.2, reasons)
    assert told.value.tally == judged
    done = replace(judged, status=DONE)
    assert done.raise_if_too_many_rejects(0.2, reasons) == done
