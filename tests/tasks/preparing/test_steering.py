"""Messages that speak to whoever summarizes: found in words, codes and pieces, and told from what customers ask.

`kinds.tsv` has a kind and a message a line, in pieces between ⏎; `honest.txt` uses the same words as customers do. Both
are learned from. `unseen_orders.txt` and `unseen_honest.txt` were written before they were judged, and never are.
"""

from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.domain.records import Conversation, Turn
from tasks.preparing.borders import is_suspicious
from tasks.preparing.prompts import Prompt
from tasks.preparing.requests import prepare
from tasks.preparing.steering import phrases, steers
from tests.conftest import ROOT

HERE = Path(__file__).parent
LEARNED = ROOT / "tasks" / "tuning" / "wording"
PROMPT = Prompt("test-v1", "概述：\n{conversation}")


def injections() -> dict[str, list[list[str]]]:
    kinds: dict[str, list[list[str]]] = defaultdict(list)
    for line in (LEARNED / "kinds.tsv").read_text(encoding="utf-8").splitlines():
        kind, message = line.split("\t")
        written = message.replace("\\n", "\n").replace("\\u200b", "\u200b").replace("\\\\", "\\")
        kinds[kind].append(written.split(" ⏎ "))
    return kinds


def is_flagged(messages: list[str]) -> bool:
    turns = [Turn("user", "杯子裂了"), Turn("agent", "您好，给您补发一个"), *(Turn("user", text) for text in messages)]
    conversation = Conversation("c", tuple(turns), "log", 1)
    return prepare(conversation, prompt=PROMPT, model="m", max_input_tokens=4000).suspicious


@pytest.mark.parametrize(("kind", "messages"), injections().items(), ids=list(injections()))
def test_injections_of_each_kind_are_flagged(kind, messages):
    missed = [texts for texts in messages if not is_flagged(texts)]
    assert len(messages) >= 20
    assert len(missed) <= 0.15 * len(messages), missed


def test_what_customers_ask_in_the_same_words_is_not_flagged():
    honest = (LEARNED / "honest.txt").read_text(encoding="utf-8").splitlines()
    flagged = [text for text in honest if is_suspicious(text, by_user=True)]
    assert len(honest) >= 290
    assert len(flagged) <= 5, flagged


def test_most_orders_in_words_that_nobody_listed_are_flagged():
    orders = [
        line.replace("\\n", "\n") for line in (HERE / "unseen_orders.txt").read_text(encoding="utf-8").splitlines()
    ]
    missed = [text for text in orders if not is_suspicious(text, by_user=True)]
    assert len(orders) >= 160
    assert len(missed) <= 0.27 * len(orders), missed


def test_hardly_anything_that_a_customer_says_in_other_words_is_flagged():
    honest = (HERE / "unseen_honest.txt").read_text(encoding="utf-8").splitlines()
    flagged = [text for text in honest if is_suspicious(text, by_user=True)]
    assert len(flagged) <= 0.03 * len(honest), flagged


def test_agents_may_write_what_steers_from_a_customer():
    text = "您的情绪我们已经登记"
    assert is_suspicious(text, by_user=True)
    assert not is_suspicious(text, by_user=False)


@pytest.mark.parametrize("name", ["chinese", "english", "english_of_users", "fences"])
def test_a_phrase_names_no_word_that_is_missing(name):
    assert not [phrase for phrase in phrases(name) if "<colons>" in phrase or "<mood>" in phrase or "<gap>" in phrase]
    assert len(phrases(name)) > 9


@given(st.text(max_size=300))
def test_any_text_is_judged(text):
    assert steers(text) in (True, False)
