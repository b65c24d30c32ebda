"""Texts as customers write them, in many voices, and look-alikes: invented, with all that is to be masked marked."""

import re
from pathlib import Path

from tasks.preparing.masking import PLACEHOLDERS, mask
from tests.benchmarks.masking import leaks

HERE = Path(__file__).parent
MARKED = re.compile(r"\{\{([^:{}]+):(.*?)\}\}")  # {{手机号:13912345678}}


def lines(name: str) -> list[str]:
    return (HERE / name).read_text(encoding="utf-8").splitlines()


def test_hardly_a_value_that_somebody_writes_is_left():
    values = left = 0
    for line in lines("said.txt"):
        masked = mask(MARKED.sub(r"\2", line))
        found = [leaks(value[2], masked) for value in MARKED.finditer(line)]
        values, left = values + len(found), left + sum(found)
    assert values > 500
    assert left <= 0.03 * values


def test_every_kind_is_written_by_somebody():
    kinds = {f"[{value[1]}]" for line in lines("said.txt") for value in MARKED.finditer(line)}
    assert kinds == set(PLACEHOLDERS)


def test_what_only_looks_like_a_value_stays():
    changed = [line for line in lines("left_alone.txt") if mask(line) != line]
    assert len(changed) <= 1, changed
