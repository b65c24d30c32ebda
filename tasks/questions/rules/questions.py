"""A shop's own questions about each conversation, as a TOML file has them, and the prompt that asks them."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final, Literal, get_args

from tasks.domain.errors import UsageError
from tasks.domain.toml_text import parse_toml
from tasks.preparing.prompts import Prompt, checked_prompt

Kind = Literal["yes_no", "one_of", "scale", "text"]

_ID = re.compile(r"[a-z][a-z0-9_]{1,39}")

_MOST = 20

_HOW: Final[Mapping[Kind, str]] = {
    "yes_no": "回答“是”或“否”",
    "one_of": "从这些中选一个：{}",
    "scale": "回答 1 到 5 的整数，1 最低，5 最高",
    "text": "用一句话回答",
}

_TEMPLATE: Final = """请阅读下面的客服对话，回答问题。
只输出一个 JSON 对象，键是问题的编号，值是答案；对话里看不出答案的，值写 null。

问题：
{questions}

对话：
{conversation}
"""


_BESIDE: Final = """另外，请在同一个 JSON 对象里加上下面这些键，回答关于这段对话的问题；对话里看不出答案的，值写 null：
{}"""


@dataclass(frozen=True, slots=True)
class Question:
    """One question.

    Args:
        id: its key in the table.
        text: what is asked.
        kind: the form of its answer.
        options: for one_of, what to choose from.
    """

    id: str
    text: str
    kind: Kind
    options: tuple[str, ...] = ()

    def line(self) -> str:
        """The question as the prompt asks it."""
        return f"- {self.id}：{self.text}（{_HOW[self.kind].format('、'.join(self.options))}）"


@dataclass(frozen=True, slots=True)
class Questionnaire:
    """Questions that are asked together; `prompt` is named by what it says, so that a changed file is a new version."""

    questions: tuple[Question, ...]
    prompt: Prompt

    @property
    def version(self) -> str:
        """The name of these very questions."""
        return self.prompt.version

    def behind(self, prompt: Prompt) -> Prompt:
        """A prompt that asks these questions as well, in the same JSON object; its version names both."""
        lines = "\n".join(question.line() for question in self.questions)
        template = f"{prompt.template}\n\n{_BESIDE.format(lines)}"
        return checked_prompt(f"{prompt.version}.{self.version}", template)


def parse_questions(text: str, place: str) -> Questionnaire:
    """Read questions from TOML: `[[questions]]` with id, text, kind and, for one_of, options.

    Args:
        text: the file's content.
        place: the file's name, for messages.

    Raises:
        UsageError: one line that names everything that is wrong.
    """
    rows = parse_toml(text, place).get("questions", [])
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise UsageError(f"{place} needs [[questions]], each with id, text and kind.")
    if wrong := list(_complaints(rows)):
        raise UsageError(f"{place}: {'; '.join(wrong)}.")
    questions = tuple(
        Question(row["id"], row["text"].strip(), row["kind"], tuple(row.get("options", ()))) for row in rows
    )
    template = _TEMPLATE.replace("{questions}", "\n".join(question.line() for question in questions))
    version = f"questions-{sha256(template.encode()).hexdigest()[:8]}"
    return Questionnaire(questions, checked_prompt(version, template))


def _complaints(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    ids = [row.get("id") for row in rows]
    if len(rows) > _MOST:
        yield f"{len(rows)} questions are too many; ask at most {_MOST}"
        return
    for row in rows:
        name, kind, options = row.get("id"), row.get("kind"), row.get("options", [])
        if not isinstance(name, str) or not _ID.fullmatch(name):
            yield f"id {name!r} is not of lower-case letters, digits and underscores"
        elif ids.count(name) > 1:
            yield f"id {name!r} is there twice"
        if not isinstance(row.get("text"), str) or not row["text"].strip():
            yield f"question {name!r} has no text"
        if kind not in get_args(Kind):
            yield f"question {name!r} is of kind {kind!r}; there are {', '.join(get_args(Kind))}"
        is_choice = isinstance(options, list) and len(set(map(str, options))) == len(options)
        if not is_choice or not all(isinstance(option, str) and option.strip() for option in options):
            yield f"question {name!r} needs options that are different texts"
        elif (kind == "one_of") != (len(options) > 1):
            yield f"question {name!r}: options, two or more, belong to one_of and to nothing else"
