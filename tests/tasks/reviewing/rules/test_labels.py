"""Labels: what is written is read back, in the tables, in files and in answers."""

import re
from datetime import UTC, date, datetime
from typing import Any

import orjson
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.domain.errors import UsageError
from tasks.domain.records import Conversation, Fields, Turn
from tasks.evaluating.rules.scoring import is_plain
from tasks.parsing.answers import parse_answer
from tasks.preparing.prompts import load_prompt
from tasks.preparing.requests import ask_again, prepare
from tasks.reviewing.rules.labels import Label, LabelOrigin, label_row, labeled_rows, merge_labels, read_labels, take
from tasks.warehouse.rules.tables import LABELS

DAY = date(2026, 11, 22)
PROMPT = load_prompt("sft-v1")
flags = st.sampled_from([True, False, None])
prose = st.none() | st.sampled_from(["包裹没有动静", "催促站点，今晚送到", '屏幕"碎"了'])
labels = st.builds(Label, prose, prose, flags, flags)


def request_of(number: int, *, prompt=PROMPT, model="one"):
    turns = (Turn("user", f"你好，第{number}单没到"), Turn("agent", "帮您催促站点"), Turn("user", "好的"))
    return prepare(Conversation(f"c{number}", turns, "x", 1), prompt=prompt, model=model, max_input_tokens=6000)


def row_of(number: int, label: Label, **changed):
    said: dict[str, Any] = {
        "reviewer": "李",
        "note": "",
        "sample_id": "S1",
        "stratum": "random",
        "model": "m",
        "prompt_version": "p",
        "labeled_at": datetime(2026, 11, 23, tzinfo=UTC),
    }
    return label_row(request_of(number), label, LabelOrigin(**(said | changed)))


@given(labels)
def test_answer_is_plain_and_means_the_label(label):
    answer = label.answer()
    assert is_plain(answer)
    if label == Label(None, None, None, None):
        return  # an answer without anything is none
    fields = parse_answer(answer)
    assert isinstance(fields, Fields)
    assert Label(fields.issue, fields.plan, fields.accepted, fields.negative_sentiment) == label


@given(labels)
def test_labeled_rows_give_back_what_was_labeled(label):
    table = pa.Table.from_pylist([row_of(7, label)], schema=LABELS)
    (labeled,) = labeled_rows(DAY, table, "labels")
    request = request_of(7)
    assert (labeled.day, labeled.label, labeled.conversation_id) == (DAY, label, "c7")
    assert (labeled.text, labeled.content_hash) == (request.text, request.content_hash)
    assert [(turn.role, turn.text) for turn in labeled.request.turns] == [
        (turn.role, turn.text) for turn in request.turns if turn.text
    ]
    again = ask_again(labeled.request, prompt=PROMPT, model="one")
    assert (again.prompt, again.request_hash) == (request.prompt, request.request_hash)


def test_ask_again_is_another_request_for_another_model():
    request = request_of(1)
    assert ask_again(request, prompt=PROMPT, model="one") == request
    assert ask_again(request, prompt=PROMPT, model="two").request_hash != request.request_hash


def test_merge_labels_changes_nothing_for_the_same_sheet_and_takes_a_correction():
    label = Label("包裹没到", "催促", True, False)
    known = merge_labels([], [row_of(2, label), row_of(1, label)])
    assert [row["conversation_id"] for row in known] == ["c1", "c2"]
    later = datetime(2026, 11, 24, tzinfo=UTC)
    assert merge_labels(known, [row_of(1, label, labeled_at=later)]) == known
    corrected = merge_labels(known, [row_of(1, Label("包裹没到", "催促", False, False), labeled_at=later)])
    assert [(row["accepted"], row["labeled_at"]) for row in corrected] == [
        (False, later),
        (True, known[1]["labeled_at"]),
    ]


def test_read_labels_reads_a_file():
    line = {"conversation_id": "a", "issue": "退款", "plan": None, "accepted": None, "negative_sentiment": True, "x": 1}
    assert read_labels([orjson.dumps(line), b"\n"], "f") == {"a": Label("退款", None, None, True)}


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"accepted": "是"}, '"accepted" must be true or false'),
        ({"accepted": 1}, '"accepted" must be true or false'),
        ({"issue": 3}, '"issue" must be a text'),
        ({"conversation_id": 5}, '"conversation_id"'),
        ({}, "a second label of conversation a"),
    ],
)
def test_read_labels_names_the_wrong_line(changed, words):
    line = {"conversation_id": "a", "issue": "退款", "plan": None, "accepted": None, "negative_sentiment": True}
    with pytest.raises(UsageError, match=re.escape(words)) as refused:
        read_labels([orjson.dumps(line), orjson.dumps(line | changed)], "labels.jsonl")
    assert str(refused.value).startswith("labels.jsonl, line 2: ")


def test_fewer_takes_the_same_ones_of_any_order():
    table = pa.Table.from_pylist([row_of(n, Label("a", "b", True, True)) for n in range(20)], schema=LABELS)
    labeled = list(labeled_rows(DAY, table, "labels"))
    assert len(take(labeled, 5)) == 5
    assert {label.content_hash for label in take(labeled, 5)} == {
        label.content_hash for label in take(labeled[::-1], 5)
    }
    assert take(labeled, 0) == take(labeled, 20) == labeled
    with pytest.raises(UsageError, match="above 0"):
        take(labeled, -1)
