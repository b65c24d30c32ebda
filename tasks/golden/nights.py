"""Nights of golden conversations in the warehouse, and the verdict on one of them."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from tasks.domain.days import days_before
from tasks.domain.errors import BucketMissing, ObjectMissing, TableDamaged
from tasks.domain.layout import partition_key
from tasks.domain.ports import ObjectStore
from tasks.golden.rules.drift import HISTORY_NIGHTS, GoldenCheck, check_night
from tasks.golden.rules.judging import AssignThemes, night_of, with_verdicts
from tasks.warehouse.parquet import read_table
from tasks.warehouse.rules.tables import GOLDEN

_log = logging.getLogger(__name__)


def judge_night(
    store: ObjectStore, day: date, rows: Sequence[Mapping[str, Any]], assign: AssignThemes
) -> tuple[pa.Table, GoldenCheck]:
    """Return a night's table of GOLDEN and the verdict on it.

    Args:
        store: holds the nights before.
        day: of this night.
        rows: as they were asked.
        assign: texts to their themes.
    """
    table = with_verdicts(rows, assign)
    check = _checked(store, day, table, assign)
    changed = pa.array([check.has_changed] * len(table), pa.bool_())
    return table.set_column(GOLDEN.get_field_index("changed"), GOLDEN.field("changed"), changed), check


def published_check(store: ObjectStore, day: date, open_assign: Callable[[], AssignThemes]) -> GoldenCheck | None:
    """Return the verdict on a published night; None where no golden conversation was asked."""
    table = _night(store, day)
    return _checked(store, day, table, open_assign()) if table is not None and len(table) else None


def _checked(store: ObjectStore, day: date, table: pa.Table, assign: AssignThemes) -> GoldenCheck:
    before = list(_since_the_last_change(store, day))
    nights = [night_of(earlier, assign, labels=table) for earlier in before]
    made_by = [_made_by(night) for night in (table, *before[:1])]
    return check_night(night_of(table, assign), nights, made_by[0], made_by[-1])


def _since_the_last_change(store: ObjectStore, day: date) -> Iterator[pa.Table]:
    """Yield the nights before one, the latest first; the last is the first of its kind."""
    for before in reversed(days_before(day, HISTORY_NIGHTS)):
        table = _night(store, before)
        if table is not None and len(table):
            yield table
            if pc.any(table["changed"]).as_py():
                return


def _made_by(table: pa.Table) -> str:
    """The models and prompts of a night, in words."""
    made = {
        f"{row['model']} · {row['prompt_version']}" for row in table.select(["model", "prompt_version"]).to_pylist()
    }
    return ", ".join(sorted(made))


def _night(store: ObjectStore, day: date) -> pa.Table | None:
    try:
        return read_table(store, partition_key("golden", day), GOLDEN)
    except (ObjectMissing, BucketMissing):
        return None
    except TableDamaged as error:
        _log.warning("Passed over: %s", error)
        return None
