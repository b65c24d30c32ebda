from dataclasses import replace
from datetime import UTC

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.calling.rules.responses import decode_answer, encode_answer
from tests.builders.answers import ANSWER


@given(st.text(), st.integers(0, 2**31 - 1), st.datetimes(timezones=st.just(UTC)), st.booleans())
def test_an_answer_is_read_as_it_was_written(text, count, time, flag):
    text = text.encode(errors="ignore").decode()
    answer = replace(ANSWER, text=text, prompt_tokens=count, answered_at=time, cut_off=flag)
    assert decode_answer(encode_answer(answer)) == answer


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("request_hash", 5),
        ("text", ["x"]),
        ("text", None),
        ("model", {}),
        ("outcome", []),
        ("outcome", "bought"),
        ("prompt_tokens", "30"),
        ("prompt_tokens", 3_000_000_000),
        ("completion_tokens", -1),
        ("attempts", 1.5),
        ("latency_ms", True),
        ("cut_off", 1),
        ("answered_at", 5),
        ("answered_at", "yesterday"),
        ("answered_at", "2026-11-23T00:00:00"),
        ("stranger", 1),
    ],
)
def test_a_line_of_another_shape_is_no_answer(name, value):
    assert decode_answer(orjson.dumps(orjson.loads(encode_answer(ANSWER)) | {name: value})) is None


@given(st.integers(1, 300))
def test_a_torn_line_is_no_answer(length):
    line = encode_answer(ANSWER).rstrip()
    assert decode_answer(line[: min(length, len(line) - 1)]) is None
