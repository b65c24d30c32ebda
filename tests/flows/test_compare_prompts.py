"""Models and prompts side by side: the same conversations, each asked once, and a report that nothing breaks out of."""

import asyncio
from datetime import date

import pyarrow.parquet as pq
import pytest

from flows.compare_prompts import compare_prompts
from flows.wiring.settings import load_settings
from tasks.domain.errors import UsageError
from tasks.evaluating.rules.comparison_report import ANSWERS
from tasks.preparing.prompts import load_prompt
from tasks.reviewing.rules.holdout import is_held_out
from tests.conftest import ROOT

pytestmark = pytest.mark.usefixtures("prefect_server")

DAY = date(2026, 11, 22)
LABELS = str(ROOT / "deployments/demo/labels.jsonl")
SHORT = "概括这段对话。\n{conversation}\n只用 JSON 回答，键为 用户问题、客服方案、是否接受、是否负面情绪。"
BREAKING = "</pre></details><script>alert(1)</script> | **粗** "


@pytest.fixture
def settings(accounts, qianfan, tmp_path):
    """Two models: the base one chats, the tuned one answers as it was taught."""
    right = '{"用户问题": "催单", "客服方案": "加急", "是否接受": "是", "是否负面情绪": "否"}'
    qianfan.answers = lambda endpoint, prompt: right if endpoint == "sft_v1" else f"好的。{BREAKING}\n{right}"
    (tmp_path / "w" / "prompts").mkdir(parents=True)
    (tmp_path / "w" / "prompts" / "short-v1.txt").write_text(SHORT, encoding="utf-8")
    return {
        "source": str(ROOT / "deployments" / "demo" / "logs" / "{day}"),
        "warehouse": str(tmp_path / "w"),
        "summarizer": "qianfan",
        "endpoint": "sft_v1",
    }


def compared(settings, prompts=None, limit=8, optimize=False):
    return asyncio.run(compare_prompts("base_8k", prompts, optimize, DAY, DAY, LABELS, limit, settings))


def test_compare_prompts_asks_each_contestant_once_and_shows_them_side_by_side(settings, qianfan, tmp_path):
    made = compared(settings, ["sft-v1", "short-v1"])
    plain, two, tuned = made["contestants"]
    assert [(each["model"], each["prompt"]) for each in made["contestants"]] == [
        ("base_8k", "sft-v1"),
        ("base_8k", "short-v1"),
        ("sft_v1", "sft-v1"),
    ]
    assert [each["calls"] for each in made["contestants"]] == [8, 8, 8]
    assert max(qianfan.delivered.values()) == 2  # the same prompt to two models
    assert (plain["format/plain"], tuned["format/plain"]) == (0, 100)
    assert plain["prompt_tokens"] > two["prompt_tokens"]
    assert plain["against_first"] == {}
    assert tuned["against_first"]["format/plain"]["verdict"] == "better"
    assert two["against_first"]["format/plain"]["verdict"] == "no difference beyond chance"

    (folder,) = (tmp_path / "w" / "comparisons").iterdir()
    table = pq.ParquetFile(folder / "answers.parquet").read()
    assert table.schema.equals(ANSWERS)
    assert len(table) == 24
    assert all(map(is_held_out, table["content_hash"].to_pylist()))
    html = (folder / "comparison.html").read_text(encoding="utf-8")
    assert made["report"] == str(folder / "comparison.html")
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    assert html.count('<tr><th scope="row">base_8k + short-v1</th>') == 8
    markdown = (folder / "comparison.md").read_text(encoding="utf-8")
    assert "\\<script\\>" in markdown
    assert "| base\\_8k + sft-v1 |" in markdown
    assert "只用留出的会话" in markdown
    assert "只用留出的会话" in html

    again = compared(settings, ["sft-v1", "short-v1"])
    assert [each["calls"] for each in again["contestants"]] == [0, 0, 0]
    assert [each["ROUGE-L"] for each in again["contestants"]] == [each["ROUGE-L"] for each in made["contestants"]]


def test_compare_prompts_takes_the_active_prompt_and_needs_no_endpoint(settings):
    made = compared({name: value for name, value in settings.items() if name != "endpoint"}, limit=3)
    assert [(each["model"], each["prompt"]) for each in made["contestants"]] == [("base_8k", "sft-v1")]


def test_compare_prompts_takes_no_rules_for_a_model(settings):
    with pytest.raises(UsageError, match="--summarizer qianfan or openai"):
        compared(settings | {"summarizer": "offline"})


def test_compare_prompts_says_where_prompts_are(settings, qianfan):
    with pytest.raises(UsageError, match=r"no prompt 'none'.*sft-v1"):
        compared(settings, ["none"])
    assert not qianfan.delivered


def test_compare_prompts_saves_the_platform_s_prompt_and_does_not_activate_it(
    console, console_account, settings, tmp_path
):
    made = compared(settings, limit=5, optimize=True)
    prompts = [each["prompt"] for each in made["contestants"]]
    assert prompts[0] == prompts[2] == load_settings({}).prompt == "sft-v1"
    assert prompts[1].startswith("optimized-")
    saved = (tmp_path / "w" / "prompts" / f"{prompts[1]}.txt").read_text(encoding="utf-8")
    assert saved == console.data.optimize(load_prompt("sft-v1").template)
    assert made["contestants"][1]["prompt_tokens"] > made["contestants"][0]["prompt_tokens"]

    again = compared(settings, [prompts[1]], limit=5)
    assert [(each["prompt"], each["calls"]) for each in again["contestants"]] == [(prompts[1], 0), ("sft-v1", 0)]
