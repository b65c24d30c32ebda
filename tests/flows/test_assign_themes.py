"""Themes by a model: each distinct text is paid once, its themes are kept, and rules answer where it does not."""

import asyncio
import re
from datetime import date, timedelta

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flows.accept_themes import accept_themes
from flows.assign_themes import assign_themes
from tasks.domain.errors import CeilingReached, EndpointUnusable, UsageError
from tasks.domain.layout import partition_key
from tasks.themes.assigner import open_assigner
from tasks.warehouse.parquet import parquet_bytes
from tasks.warehouse.rules.tables import REJECTS, RUNS, SUMMARIES
from tests.builders.summary_days import rejects, run, summaries

pytestmark = pytest.mark.usefixtures("prefect_server")

DAY = date(2026, 11, 22)
BEFORE = DAY - timedelta(days=1)
LINE = re.compile(r"^(\d+)\. (.*)$", re.MULTILINE)


def texts_of(prompt: str) -> list[str]:
    return [text for _, text in LINE.findall(prompt.split("文本：")[1])]


@pytest.fixture
def warehouse(tmp_path):
    """Two published days of a hundred conversations, the later one with 45 issues of its own."""
    root = tmp_path / "w"
    for number, day in enumerate((BEFORE, DAY)):
        rows = summaries(100, number + 1, day=day).to_pylist()
        for place in range(45 * number):
            rows[place]["issue"] = f"第{place}号柜子怎么打开"
        tables = {
            "summaries": pa.Table.from_pylist(rows, schema=SUMMARIES),
            "rejects": pa.Table.from_batches([rejects(3)], schema=REJECTS),
            "runs": pa.Table.from_pylist([run()], schema=RUNS),
        }
        for name, table in tables.items():
            path = root / partition_key(name, day)
            path.parent.mkdir(parents=True)
            path.write_bytes(parquet_bytes(table))
    return root


@pytest.fixture
def settings(accounts, qianfan, warehouse):
    """A model that calls everything a gift."""
    qianfan.answers = lambda endpoint, prompt: orjson.dumps(
        {str(number): "gift" for number, _ in enumerate(texts_of(prompt), 1)}
    ).decode()
    return {
        "warehouse": str(warehouse),
        "source": str(warehouse),
        "summarizer": "qianfan",
        "endpoint": "sft",
        "theme_endpoint": "general",
        "prompt_token_price": 0.001,
    }


def assign(settings, start=DAY, end=DAY):
    return asyncio.run(assign_themes(start, end, settings))


def rows_of(warehouse, day=DAY):
    return pq.ParquetFile(warehouse / partition_key("summaries", day)).read().to_pylist()


def test_every_distinct_text_is_paid_once_and_its_theme_is_kept(settings, warehouse, qianfan):
    made = assign(settings, BEFORE)
    texts = {row[name] for day in (BEFORE, DAY) for row in rows_of(warehouse, day) for name in ("issue", "plan")}
    assert made["texts"] == made["assigned"] == len(texts - {None})
    assert made["calls"] == -(-made["texts"] // 20)
    assert made["cost"] == round(made["prompt_tokens"] / 1_000 * 0.001, 4) > 0
    assert made["restated"] == ["2026-11-21", "2026-11-22"]
    assert {row["theme"] for row in rows_of(warehouse) if row["issue"]} == {"gift"}
    assert {row["plan_theme"] for row in rows_of(warehouse) if row["plan"]} == {"gift"}

    again = assign(settings, BEFORE)
    assert (again["texts"], again["calls"]) == (0, 0)
    restated = asyncio.run(accept_themes("", DAY, DAY, settings))
    assert restated["restated"] == ["2026-11-22"]
    assert {row["theme"] for row in rows_of(warehouse) if row["issue"]} == {"gift"}
    assert assign(settings | {"theme_endpoint": "other-model"})["calls"] > 0


def test_texts_that_the_model_does_not_answer_go_by_rules_and_are_not_paid_again(settings, warehouse, qianfan):
    def answer(endpoint, prompt):
        if any("1号柜子" in text for text in texts_of(prompt)):
            return "我不知道。"
        return '{"1": "gift", "2": "none_such"}'

    qianfan.answers = answer
    made = assign(settings)
    assert made["assigned"] == made["calls"] - made["unanswered"] // 20
    assert made["unanswered"] > 0
    assert made["without"] > 0
    assert made["assigned"] + made["without"] + made["unanswered"] == made["asked"] == made["texts"]
    rules = open_assigner()
    for row in rows_of(warehouse):
        if row["theme"] != "gift" and row["issue"]:
            assert row["theme"] == rules.assign(pa.array([row["issue"]]))[0].as_py()
    again = assign(settings)
    assert (again["texts"], again["calls"]) == (made["unanswered"], 0)


def test_what_was_paid_before_the_ceiling_is_kept(settings, warehouse):
    with pytest.raises(CeilingReached, match="Start it again"):
        assign(settings | {"max_calls": 2, "concurrency": 1})
    assert sum(row["theme"] == "gift" for row in rows_of(warehouse)) > 0
    whole = assign(settings)
    assert whole["calls"] == -(-whole["texts"] // 20)
    assert {row["theme"] for row in rows_of(warehouse) if row["issue"]} == {"gift"}


def test_a_model_that_is_away_leaves_the_days_as_they_are(settings, warehouse, qianfan):
    before = rows_of(warehouse)
    qianfan.behavior.faults = {"http_500": 1.0}
    with pytest.raises(EndpointUnusable):
        assign(settings | {"give_up_seconds": 1})
    assert rows_of(warehouse) == before


@pytest.mark.parametrize("wrong", [{"theme_endpoint": ""}, {"summarizer": "offline"}, {"themes": "none.toml"}])
def test_assign_themes_refuses_what_cannot_be_asked(settings, wrong):
    with pytest.raises(UsageError):
        assign(settings | wrong)
