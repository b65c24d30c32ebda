"""The report's samples of a day's rejects."""

from hypothesis import given
from hypothesis import strategies as st

from tasks.domain.records import Reason, Reject
from tasks.reporting.rules.reject_samples import reject_samples
from tasks.warehouse.rules.tables import reject_rows


def reject(reason: Reason, line: int) -> Reject:
    return Reject("13800138000", reason, "他说：打我电话", "logs/a.jsonl", line, raw_output="用户王小明")


@given(st.lists(st.lists(st.sampled_from(list(Reason)), max_size=9), max_size=4))
def test_reject_samples_count_every_reject_and_tell_nothing_personal(batches):
    rows = reject_samples(
        reject_rows([reject(reason, line) for line, reason in enumerate(batch, 1)], "r") for batch in batches
    )
    assert sum(row["数量 count"] for row in rows) == sum(map(len, batches))
    assert [row["数量 count"] for row in rows] == sorted((row["数量 count"] for row in rows), reverse=True)
    assert not any(word in str(rows) for word in ("13800138000", "电话", "王小明"))


def test_reject_samples_say_where_to_look():
    rejects = [reject(Reason.UNREADABLE, line) for line in (3, 5, 8, 13)] + [reject(Reason.EMPTY, 21)]
    first, second = reject_samples([reject_rows(rejects, "r")])
    assert first["例 file:line"] == "logs/a.jsonl:3, logs/a.jsonl:5, logs/a.jsonl:8"
    assert (first["数量 count"], second["数量 count"]) == (4, 1)
    assert first["怎么办 what to do"]
