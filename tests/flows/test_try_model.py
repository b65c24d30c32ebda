"""One conversation, one model: everything that a person wants to see of it, and nothing kept."""

import orjson
import pytest

from flows.try_model import format_summary, main

pytestmark = pytest.mark.usefixtures("prefect_server", "accounts")

ANSWER = '{"用户问题": "换货", "客服方案": "上门取件", "是否接受": "是", "是否负面情绪": "否"}'
TEXT = "用户：我要换货，电话 13812345678\n客服：好的，上门取件\n用户：可以"


def test_try_model_shows_prompt_answer_fields_tokens_and_price(qianfan, tmp_path, capsys):
    qianfan.answers = lambda endpoint, prompt: ANSWER if endpoint == "sft_v1" else None
    (tmp_path / "one.txt").write_text(TEXT, encoding="utf-8")
    warehouse = tmp_path / "w"
    arguments = ["--endpoint", "sft_v1", "--text", str(tmp_path / "one.txt"), "--warehouse", str(warehouse)]
    prices = ["--prompt-token-price", "0.004", "--completion-token-price", "0.008"]
    assert main([*arguments, *prices, "--json"]) == 0
    tried = orjson.loads(capsys.readouterr().out)
    assert (tried["model"], tried["prompt_version"], tried["answer"]) == ("sft_v1", "sft-v1", ANSWER)
    assert tried["fields"] == {"issue": "换货", "plan": "上门取件", "accepted": True, "negative_sentiment": False}
    assert tried["prompt"].startswith("你是一个对话摘要机器人")
    assert "13812345678" not in tried["prompt"]
    assert tried["price"] == pytest.approx(tried["prompt_tokens"] * 4e-6 + tried["completion_tokens"] * 8e-6)
    assert not list(warehouse.rglob("*.jsonl*"))
    assert sum(qianfan.delivered.values()) == 1

    assert main(arguments) == 0
    assert sum(qianfan.delivered.values()) == 2  # asked again: it is a trial, not a cache
    assert "--- fields\n  issue: 换货\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--endpoint", "none"], "no such"),
        (["--endpoint", "sft_v1", "--text", "/none.txt"], "--text /none.txt can't be read"),
        (["--endpoint", "sft_v1", "--prompt", "none"], "There is no prompt 'none'"),
        (["--summarizer", "offline"], "--summarizer qianfan or openai"),
        ([], "needs --endpoint"),
    ],
)
def test_try_model_says_what_is_wrong_in_one_line(qianfan, tmp_path, arguments, words, capsys):
    qianfan.answers = lambda endpoint, prompt: ANSWER if endpoint == "sft_v1" else None
    assert main([*arguments, "--warehouse", str(tmp_path)]) in (1, 2)
    assert words in capsys.readouterr().err.splitlines()[-1]


def test_try_model_prices_one_conversation_in_the_currency():
    tried = {
        "model": "m",
        "prompt_version": "general-v1",
        "prompt": "p",
        "answer": "{}",
        "fields": {},
        "prompt_tokens": 300,
        "completion_tokens": 60,
        "latency_ms": 12,
        "price": 0.00042,
        "currency": "$",
    }
    assert format_summary(tried).endswith("12 ms, price $0.00042")
    assert "price not known; --prompt-token-price" in format_summary(tried | {"price": 0.0})
