"""The conversations behind a report's bars, and the sample that stories are sought in, beside plain Python."""

from datetime import timedelta

import pytest

from tests.builders.day_statistics import DAY, tables_of_days
from tests.builders.summary_days import summaries

YESTERDAY = DAY - timedelta(days=1)


def severity(row: dict) -> int:
    if row["negative_sentiment"]:
        return {False: 0, None: 1, True: 2}[row["accepted"]]
    return 3 if row["accepted"] is False else 4


@pytest.fixture(scope="module")
def rows() -> list[dict]:
    found = [dict(row) for row in summaries(700, 5).to_pylist()]
    for number, row in enumerate(found):
        row["attributes"] = [("shop", f"店{number % 4}"), ("order_id", row["conversation_id"])]
    return found


@pytest.fixture(scope="module")
def warehouse(rows):
    batch = summaries(1).from_pylist(rows, schema=summaries(1).schema)
    with tables_of_days({YESTERDAY: [summaries(50, 6)], DAY: [batch]}, {}) as opened:
        yield opened


def place(row: dict) -> tuple[int, int]:
    return severity(row), -row["turns"]


def test_the_unhappiest_of_each_value_stand_behind_its_bar(warehouse, rows):
    asked = {"most": 3, "issue_words": ["快递"], "plan_words": ["安装", "银行"], "attributes": ["shop"]}
    values = {
        "theme": lambda row: [row["theme"]],
        "channel": lambda row: [row["channel"]],
        "shop": lambda row: [row["attributes"][0][1]],
        "issue_word": lambda row: ["快递"] if "快递" in (row["issue"] or "") else [],
        "plan_word": lambda row: [word for word in ("安装", "银行") if word in row["plan"]],
    }
    members: dict[tuple[str, str], dict[str, tuple[int, int]]] = {}
    for row in rows:
        for dimension, keys in values.items():
            for key in filter(None, keys(row)):
                members.setdefault((dimension, key), {})[row["conversation_id"]] = place(row)
    found: dict[tuple[str, str], list[str]] = {}
    for row in warehouse.ask("conversations_by_value", first=DAY, last=DAY, **asked).to_pylist():
        found.setdefault((row["dimension"], row["key"]), []).append(row["conversation_id"])
    assert found.keys() == members.keys()
    for bar, shown in found.items():
        assert [members[bar][name] for name in shown] == sorted(members[bar].values())[:3]


def test_a_conversation_of_two_days_stands_behind_a_bar_once_for_each(rows):
    batch = summaries(1).from_pylist([{**rows[0], "channel": "app"}], schema=summaries(1).schema)
    nothing: dict[str, object] = {"issue_words": [], "plan_words": [], "attributes": []}
    with tables_of_days({YESTERDAY: [batch], DAY: [batch]}, {}) as opened:
        found = opened.ask("conversations_by_value", first=YESTERDAY, last=DAY, most=5, **nothing).to_pylist()
    assert [row["key"] for row in found if row["dimension"] == "channel"] == ["app", "app"]


def test_a_large_day_is_sampled_by_its_ids_and_a_small_one_is_whole(warehouse, rows):
    sample = warehouse.ask("story_conversations", first=YESTERDAY, last=DAY, most=60).to_pylist()
    totals = {day: {row["total"] for row in sample if row["day"] == day} for day in (YESTERDAY, DAY)}
    assert totals == {YESTERDAY: {50}, DAY: {700}}
    chosen = [row["conversation_id"] for row in sample if row["day"] == DAY]
    assert len([row for row in sample if row["day"] == YESTERDAY]) == 50
    everything = warehouse.ask("story_conversations", first=DAY, last=DAY, most=700).to_pylist()
    assert len(everything) == 700
    smaller = warehouse.ask("story_conversations", first=DAY, last=DAY, most=20).to_pylist()
    assert {row["conversation_id"] for row in smaller} < set(chosen), "a smaller sample is a part of a larger one"
    assert len(chosen) == 60
