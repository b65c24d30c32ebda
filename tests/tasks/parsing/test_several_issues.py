"""Answers that hold several issues: none of them is lost."""

import json

import pytest

from tasks.domain.records import Fields
from tasks.parsing.answers import parse_answer
from tests.builders.answers import KEYS


def dumps(value):
    return json.dumps(value, ensure_ascii=False)


SEVERAL = [("没发货", "催仓库", "是", "否"), ("退差价", "不支持差价", "否", "是")]


@pytest.mark.parametrize(
    "text",
    [
        dumps([dict(zip(KEYS, issue, strict=True)) for issue in SEVERAL]),
        dumps({key: list(values) for key, values in zip(KEYS, zip(*SEVERAL, strict=True), strict=True)}),
        dumps(
            {f"{key}{n}": value for n, issue in enumerate(SEVERAL, 1) for key, value in zip(KEYS, issue, strict=True)}
        ),
        "\n".join(f"{key}{n}：{v}" for n, issue in enumerate(SEVERAL, 1) for key, v in zip(KEYS, issue, strict=True)),
        f"|{'|'.join(KEYS)}|\n|-|-|-|-|\n" + "\n".join(f"|{'|'.join(issue)}|" for issue in SEVERAL),
        dumps({f"问题{n}": dict(zip(KEYS, issue, strict=True)) for n, issue in enumerate(SEVERAL, 1)}),
        dumps([list(KEYS), *map(list, SEVERAL)]),
        ",".join(KEYS) + "\n" + "\n".join(",".join(issue) for issue in SEVERAL),
    ],
)
def test_parse_answer_keeps_every_issue_of_several(text):
    found = parse_answer(text)
    assert isinstance(found, Fields)
    assert (found.issue, found.plan) == ("没发货；退差价", "催仓库；不支持差价")
    assert (found.accepted, found.negative_sentiment) == (None, True)
