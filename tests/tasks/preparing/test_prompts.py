"""Prompts: one slot each, whatever the platform makes of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.domain.errors import UsageError
from tasks.preparing.prompts import checked_prompt, load_prompt, optimized_prompt, prompt_versions


@given(st.text().filter(lambda text: "{conversation}" not in text), st.text())
def test_optimized_prompt_has_one_slot_and_is_named_by_what_it_says(text, said):
    with_slot, without = optimized_prompt(text + "{conversation}"), optimized_prompt(text)
    for prompt in (with_slot, without):
        assert prompt.template.count("{conversation}") == 1
        assert optimized_prompt(prompt.template) == prompt
        assert said in prompt.render(said)
    assert (with_slot.version == without.version) == (with_slot.template == without.template)


def test_optimized_prompt_refuses_two_slots():
    with pytest.raises(UsageError, match="exactly once"):
        optimized_prompt("{conversation} {conversation}")


def test_checked_prompt_refuses_none():
    with pytest.raises(UsageError, match="exactly once"):
        checked_prompt("x", "概括")


def test_every_shipped_prompt_can_be_used():
    assert "sft-v1" in prompt_versions()
    for version in prompt_versions():
        assert load_prompt(version).version == version


def test_every_shipped_prompt_leads_into_the_dialogue_by_the_same_words():
    """A log of prompts is split by one sentence, whichever prompt was asked with."""
    for version in prompt_versions():
        assert load_prompt(version).template.rpartition("用户是否有负面情绪：")[2].strip() == "{conversation}", version


def test_load_prompt_reads_a_file_of_ones_own_and_versions_it_by_its_text(tmp_path):
    path = tmp_path / "mine.txt"
    path.write_text("Summarize: {conversation}\n", encoding="utf-8")
    first = load_prompt(str(path))
    assert first.template == "Summarize: {conversation}"
    assert first.version.startswith("mine-")
    path.write_text("Summarize well: {conversation}\n", encoding="utf-8")
    assert load_prompt(str(path)).version != first.version


@pytest.mark.parametrize("content", [None, b"no slot", b"\xff\xfe\xff"])
def test_load_prompt_refuses_a_file_that_is_none(tmp_path, content):
    path = tmp_path / "mine.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError, match=r"mine"):
        load_prompt(str(path))
