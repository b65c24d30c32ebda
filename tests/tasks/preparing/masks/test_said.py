"""Texts as customers write them, in many voices, and look-alikes: invented, with all that is to be masked marked."""

import re
from pathlib import Path

import pytest

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


@pytest.mark.parametrize(
    ("said", "masked"),
    [
        ("加我wx_moon88", "加我[微信号]"),
        ("我住6-2-1503，直接上来", "我住[地址]，直接上来"),
        ("到C座1120找我", "到[地址]找我"),
    ],
)
def test_what_its_form_alone_gives_away_is_masked(said, masked):
    assert mask(said) == masked
