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
