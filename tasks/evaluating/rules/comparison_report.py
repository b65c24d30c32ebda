"""Models and prompts side by side: figures, differences and the answers themselves, as HTML, Markdown and a table.

The HTML is one file without scripts that loads nothing: a content security policy allows its one style, whatever an
answer holds.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from tasks.evaluating.rules.comparison import COMPARED, Comparison, RowFigures
from tasks.reporting.rules.pages.document import render_framed

_TEMPLATES = Path(__file__).parents[1] / "templates"

_ANSWERS_IN_HTML: Final = 200

_ANSWERS_IN_MARKDOWN: Final = 20

_SHOWN: Final = (
    ("rows", "会话数 · conversations"),
    ("BLEU-4", "BLEU-4"),
    ("ROUGE-1", "ROUGE-1"),
    ("ROUGE-2", "ROUGE-2"),
    ("ROUGE-L", "ROUGE-L"),
    ("EDIT-DISTANCE", "EDIT-DISTANCE"),
    ("EMBEDDING-DISTANCE", "EMBEDDING-DISTANCE"),
    ("issue/ROUGE-L", "用户问题 ROUGE-L · issue"),
    ("plan/ROUGE-L", "客服方案 ROUGE-L · plan"),
    ("accepted/accuracy", "是否接受 准确率 · accuracy"),
    ("accepted/kappa", "是否接受 kappa"),
    ("negative_sentiment/accuracy", "是否负面情绪 准确率 · accuracy"),
    ("negative_sentiment/kappa", "是否负面情绪 kappa"),
    ("format/plain", "完全按格式 · just the JSON asked for"),
    ("format/parseable", "可解析 · readable"),
    ("prompt_tokens", "输入 token（均值） · prompt tokens"),
    ("completion_tokens", "输出 token（均值） · completion tokens"),
    ("latency_ms p50", "延迟中位数 ms · median latency"),
    ("latency_ms p95", "延迟 P95 ms"),
)

_VERDICTS: Final = {"better": "更好 · better", "worse": "更差 · worse", "no difference beyond chance": "—"}

_MARKS = re.compile(r"([\\`*_{}\[\]<>|#!~&])")

ANSWERS = pa.schema(
    [
        ("day", pa.date32()),
        ("conversation_id", pa.string()),
        ("content_hash", pa.string()),
        ("model", pa.string()),
        ("prompt_version", pa.string()),
        ("answer", pa.string()),
        ("reference", pa.string()),
        ("outcome", pa.string()),
        ("prompt_tokens", pa.int32()),
        ("completion_tokens", pa.int32()),
        ("latency_ms", pa.int32()),
        *((name, pa.float64()) for name in COMPARED),
    ]
)

_SCORED_WHOLE = (
    "BLEU-4、ROUGE 和 EDIT-DISTANCE 与平台一致，按整段 JSON（含键名和标点）计分，不能与单项的分数相比。 · "
    "They score the whole JSON, keys and all; the rows of one field are other numbers."
)

_HELD_OUT = (
    "只用留出的会话，微调从不使用它们。 · "
    "Only conversations that are held out: no fine-tuning here has trained on them."
)


@dataclass(frozen=True, slots=True)
class Answered:
    """One contestant's answer to one conversation."""

    text: str
    outcome: str
    prompt_tokens: int
    completion_tokens: int
    latency_ms: int


@dataclass(frozen=True, slots=True)
class Contestant:
    """A model with a prompt: its figures, its answers in the order of the conversations, their compared figures."""

    name: str
    model: str
    prompt_version: str
    template: str
    figures: Mapping[str, Any]
    answers: Sequence[Answered]
    rows: RowFigures
    against_first: Mapping[str, Comparison]


@dataclass(frozen=True, slots=True)
class Asked:
    """One labeled conversation that all contestants were asked about."""

    day: date
    conversation_id: str
    content_hash: str
    text: str
    reference: str


def answers_table(asked: Sequence[Asked], contestants: Sequence[Contestant]) -> pa.Table:
    """Every answer as a row of ANSWERS: conversation by conversation, contestant by contestant."""
    rows = [
        {
            "day": conversation.day,
            "conversation_id": conversation.conversation_id,
            "content_hash": conversation.content_hash,
            "model": contestant.model,
            "prompt_version": contestant.prompt_version,
            "answer": contestant.answers[at].text,
            "reference": conversation.reference,
            "outcome": contestant.answers[at].outcome,
            "prompt_tokens": contestant.answers[at].prompt_tokens,
            "completion_tokens": contestant.answers[at].completion_tokens,
            "latency_ms": contestant.answers[at].latency_ms,
            **{name: contestant.rows.column(name)[at] for name in COMPARED},
        }
        for at, conversation in enumerate(asked)
        for contestant in contestants
    ]
    return pa.Table.from_pylist(rows, schema=ANSWERS)


def render_html(asked: Sequence[Asked], contestants: Sequence[Contestant], held_out: bool) -> str:
    """The comparison as one HTML file. `held_out` says that no tuning has trained on the conversations."""
    return render_framed(
        "prompts.html.jinja",
        _TEMPLATES,
        (_TEMPLATES / "prompts.css").read_text(encoding="utf-8"),
        contestants=contestants,
        notes=_notes(held_out),
        figures=_figure_rows(contestants),
        differences=_difference_rows(contestants),
        asked=asked[:_ANSWERS_IN_HTML],
        left_out=max(0, len(asked) - _ANSWERS_IN_HTML),
    )


def render_markdown(asked: Sequence[Asked], contestants: Sequence[Contestant], held_out: bool) -> str:
    """The comparison as Markdown, the first answers included."""
    names = [_escaped(contestant.name) for contestant in contestants]
    blocks = [
        "# 模型与提示词对比 · Models and prompts compared",
        _table(["", *names], [[label, *cells] for label, cells in _figure_rows(contestants)]),
        *_notes(held_out),
    ]
    differences = _difference_rows(contestants)
    if differences:
        blocks += [
            f"## 与第一个相比 · Against {names[0]}",
            _table(["", *names[1:]], [[label, *cells] for label, cells in differences]),
        ]
    blocks.append(f"## 回答 · Answers ({min(len(asked), _ANSWERS_IN_MARKDOWN)}/{len(asked)})")
    for at, conversation in enumerate(asked[:_ANSWERS_IN_MARKDOWN]):
        answers = [["标注 · label", _escaped(conversation.reference)]]
        given = [_escaped(contestant.answers[at].text) for contestant in contestants]
        answers += [[name, text] for name, text in zip(names, given, strict=True)]
        blocks += [f"### {_escaped(conversation.conversation_id)}", _table(["", ""], answers)]
    return "\n\n".join(blocks) + "\n"


def _notes(held_out: bool) -> list[str]:
    """Return the notes that a reader needs to read the figures right."""
    return [_SCORED_WHOLE, *([_HELD_OUT] if held_out else [])]


def _figure_rows(contestants: Sequence[Contestant]) -> list[tuple[str, list[str]]]:
    return [
        (
            label,
            [_shown(contestant.figures.get(name), contestant.figures.get(f"{name} 95%")) for contestant in contestants],
        )
        for name, label in _SHOWN
    ]


def _difference_rows(contestants: Sequence[Contestant]) -> list[tuple[str, list[str]]]:
    if len(contestants) < 2:
        return []
    return [
        (name, [_difference(contestant.against_first.get(name)) for contestant in contestants[1:]]) for name in COMPARED
    ]


def _difference(found: Comparison | None) -> str:
    if found is None:
        return "–"
    by = found.difference
    return f"{by.difference:+.2f} [{by.low:+.2f}, {by.high:+.2f}] {_VERDICTS[found.verdict]}"


def _shown(value: object, interval: Sequence[float] | None = None) -> str:
    if value is None:
        return "–"
    text = f"{value:.2f}" if isinstance(value, float) else str(value)
    return f"{text} [{interval[0]:.2f}, {interval[1]:.2f}]" if interval else text


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows))


def _escaped(text: str) -> str:
    return _MARKS.sub(r"\\\1", " ".join(text.split()))
