"""Matching of the customers to erase against columns of every form that a table may have."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.preparing.pseudonyms import Pseudonyms
from tasks.warehouse.rules.erasure import Wanted

PSEUDONYMS = Pseudonyms(b"key of the test")
MINE = Wanted.of(["conv-77881"], ["u-4711"], PSEUDONYMS)


def attributes(rows: list[dict | None], kind: pa.DataType) -> pa.Array:
    maps = [row if row is None or pa.types.is_struct(kind) else list(row.items()) for row in rows]
    return pa.array(maps, kind)


MAP = pa.map_(pa.string(), pa.string())
STRUCT = pa.struct([("sku", pa.string()), ("user_id", pa.string())])


@pytest.mark.parametrize("kind", [MAP, STRUCT], ids=["map", "struct"])
def test_an_attribute_names_its_own_row_whatever_surrounds_it(kind):
    rows = [None, {"sku": "1"}, {"sku": "u-4711"}, {"user_id": "u-4711", "sku": "1"}, {"user_id": "u-47110"}, None]
    table = pa.table({"attributes": attributes(rows, kind)})
    assert MINE.mark_rows(table).tolist() == [False, False, False, True, False, False]
    assert MINE.mark_rows(table.slice(3, 2)).tolist() == [True, False]


@given(st.lists(st.lists(st.sampled_from(["u-4711", "u-4712", "1"]), max_size=3), max_size=8))
def test_marked_rows_are_those_that_a_reader_would_mark(rows):
    maps = [[(f"user_{place}", value) for place, value in enumerate(values)] for values in rows]
    table = pa.table({"attributes": pa.array(maps, MAP)})
    assert MINE.mark_rows(table).tolist() == ["u-4711" in values for values in rows]


def test_a_column_of_another_type_is_compared_as_text():
    ids = Wanted.of(["77881"], [], PSEUDONYMS)
    assert ids.mark_rows(pa.table({"conversation_id": pa.array([77881, None, 5])})).tolist() == [True, False, False]
    coded = pa.array(["conv-77881", "other"]).dictionary_encode()
    assert MINE.mark_rows(pa.table({"conversation_id": coded})).tolist() == [True, False]


@pytest.mark.parametrize(
    "column",
    [
        pa.array(["see conv-77881."]),
        pa.array(["other", "conv-77881"]).dictionary_encode(),
        pa.array([None, ["other"], ["x", "conv-77881"]]),
        pa.array([[("conv-77881", "value")]], MAP),
        pa.array([[("key", "conv-77881")]], MAP),
        pa.array([{"deep": [{"deeper": "conv-77881"}]}]),
    ],
    ids=["text", "dictionary", "list", "key", "value", "nested"],
)
def test_a_scan_finds_a_name_in_a_column_of_any_form(column):
    assert MINE.has_table([pa.table({"note": column})])


def test_a_scan_takes_no_longer_name_for_the_one_looked_for():
    long = Wanted.of(["c" * 60], [], PSEUDONYMS)
    alike = ["c" * 61, "c" * 40 + "d", "conv-778812"]
    assert not long.has_table([pa.table({"conversation_id": alike})])
    assert not MINE.has_table([pa.table({"conversation_id": alike})])
    assert long.has_table([pa.table({"conversation_id": ["c" * 60]})])


def test_a_scan_looks_for_each_of_many_names():
    many = Wanted.of([f"conv-{number:05}" for number in range(450)], [], PSEUDONYMS)
    for number in (0, 199, 200, 449):
        assert many.has_table([pa.table({"note": [f"conv-{number:05}"]})])
    assert not many.has_table([pa.table({"note": ["conv-00450"]})])


@pytest.mark.parametrize("name", ["a.b*c", "a b#&~-", "中文，（）", "x\\d+|y", "tab\tline\nend"])
def test_signs_in_a_name_stand_for_themselves(name):
    odd = Wanted.of([name], [], PSEUDONYMS)
    assert odd.has_table([pa.table({"note": [f"<{name}>"]})])
    assert not odd.has_table([pa.table({"note": ["a.bxc a 11 y"]})])
