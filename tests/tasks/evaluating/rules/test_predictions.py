"""Files of predictions: every wrong line is named, and what is right comes out unchanged."""

import re

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.domain.errors import UsageError
from tasks.evaluating.rules.predictions import Pair, paired, read_pairs

GOOD = '{"prediction": "退款", "reference": "退货退款"}'.encode()


@given(st.lists(st.tuples(st.text(), st.text()), min_size=1))
def test_read_pairs_gives_back_what_was_written(pairs):
    lines = [orjson.dumps({"prediction": p, "reference": r, "id": 1}) + b"\n" for p, r in pairs]
    assert list(read_pairs(lines, "x")) == pairs


def test_read_pairs_takes_a_byte_order_mark_and_leaves_out_blank_lines():
    assert list(read_pairs([b"\xef\xbb\xbf" + GOOD, b"\r\n", b"", GOOD], "x")) == [Pair("退款", "退货退款")] * 2


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b'{"prediction": "a"', "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[1]", "not an object"),
        (b'{"prediction": "a"}', 'no "reference"'),
        (b'{"prediction": null, "reference": "a"}', '"prediction" is not a text'),
        (b'{"prediction": "a", "reference": {}}', '"reference" is not a text'),
    ],
)
def test_read_pairs_names_the_wrong_line(line, words):
    with pytest.raises(UsageError, match=re.escape(words)) as refused:
        list(read_pairs([GOOD, b"\n", line], "answers.jsonl"))
    assert str(refused.value).startswith("answers.jsonl, line 3: ")
    assert "\n" not in str(refused.value)


def test_read_pairs_wants_at_least_one():
    with pytest.raises(UsageError, match=r"answers\.jsonl holds no line"):
        list(read_pairs([b"\n"], "answers.jsonl"))


def test_paired_wants_the_same_rows():
    rows = [Pair("a", "1"), Pair("b", "2")]
    assert list(paired(rows, rows)) == list(zip(rows, rows, strict=True))
    for others, words in (
        (rows[:1], "more rows than the 1"),
        ([*rows, rows[0]], "only 2 rows"),
        (rows[::-1], "Row 1"),
    ):
        with pytest.raises(UsageError, match=words):
            list(paired(rows, others))
