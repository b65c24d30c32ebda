"""The Chinese README is the English one's equal: same commands, sections, tables, links and figures, in one order."""

import re

import pytest

from tests.test_readme import CHINESE, README


def blocks(text: str, kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", text, re.DOTALL)


def commands(text: str) -> list[str]:
    """Return the command lines of a document, without comments."""
    return [line.partition("    #")[0] for block in blocks(text, "sh") for line in block.splitlines()]


def headings(text: str) -> list[int]:
    return [
        len(marks) for marks in re.findall(r"^(#+) ", re.sub(r"```.*?```", "", text, flags=re.DOTALL), re.MULTILINE)
    ]


def first_columns(text: str) -> list[list[str]]:
    """Return the first cell of each row, for each table, where it is no sentence."""
    tables = re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE)
    rows = [[line.split("|")[1].strip() for line in table.splitlines()[2:]] for table in tables]
    return [[cell if re.fullmatch(r"`.*`|\d+", cell) else "…" for cell in table] for table in rows]


def targets(text: str) -> list[str]:
    found = re.findall(r"\]\(([^)#:]+)\)", text)
    return sorted(
        link.removeprefix("../").removeprefix(".github/") for link in found if "README" not in link.split("/")[-1]
    )


def sections(text: str) -> list[str]:
    return re.split(r"^## ", text, flags=re.MULTILINE)


PAIRS = list(zip(sections(README), sections(CHINESE), strict=True))


def points(text: str) -> list[str]:
    return re.findall(r"^(?:-|\d\.) ", text, re.MULTILINE)


def named(text: str) -> set[str]:
    """Return whatever stands in backticks: flags, files, tables, columns."""
    return set(re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL)))


@pytest.mark.parametrize("of", [commands, headings, first_columns, targets], ids=lambda function: function.__name__)
def test_both_have_the_same(of):
    assert of(README)
    assert of(CHINESE) == of(README)


def test_each_leads_to_the_other_in_its_first_line():
    assert "](.github/README.zh.md)" in README.partition("\n")[0]
    assert "](../README.md)" in CHINESE.partition("\n")[0]


def test_both_show_the_same_python():
    assert blocks(CHINESE, "python") == blocks(README, "python")


@pytest.mark.parametrize(("english", "chinese"), PAIRS, ids=[pair[0].partition("\n")[0] for pair in PAIRS])
def test_each_section_makes_the_same_points(english, chinese):
    assert named(chinese) == named(english)
    assert points(chinese) == points(english)
