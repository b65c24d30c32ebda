"""Qianfan's SFT rows, `[{"prompt": …, "response": [[…]]}]` a line, as dialogues and as labels. Pure."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import orjson

from tasks.domain.errors import UsageError
from tasks.domain.records import Unusable
from tasks.parsing.answers import parse_answer
from tasks.preparing.prompts import Prompt
from tasks.reviewing.rules.labels import Label

_FIRST_SPEAKER = re.compile(r"(?:用户|客服|顾客|买家|卖家)\s*[：:]")


@dataclass(frozen=True, slots=True)
class SftRow:
    """One row: the dialogue without the prompt around it, and the answer that was taught."""

    number: int
    dialogue: str
    answer: str

    def label(self) -> Label | None:
        """The row as a label; None where its answer can't be read."""
        fields = parse_answer(self.answer)
        if isinstance(fields, Unusable):
            return None
        return Label(fields.issue, fields.plan, fields.accepted, fields.negative_sentiment)


def is_sft_line(line: bytes) -> bool:
    """Return true for an SFT line, false for a label."""
    return line.lstrip(b"\xef\xbb\xbf \t").startswith(b"[") or b'"prompt"' in line[:200]


def read_sft_rows(lines: Iterable[bytes], name: str, prompt: Prompt) -> Iterator[SftRow]:
    """Yield the rows of SFT lines.

    Args:
        lines: a row each; a row may hold several turns, of which the first counts.
        name: of the file or dataset, for messages.
        prompt: the one that the rows were made with; where another one was, the dialogue begins with its first speaker.

    Raises:
        UsageError: a line is no SFT row, by its number.
    """
    for number, line in enumerate(lines, 1):
        content = line.removeprefix(b"\xef\xbb\xbf").strip()
        if not content:
            continue
        try:
            row = orjson.loads(content)
            row = row[0] if isinstance(row, list) else row
            asked, answer = row["prompt"], row["response"]
            while isinstance(answer, list):
                answer = answer[0]
        except (orjson.JSONDecodeError, KeyError, IndexError, TypeError):
            raise UsageError(
                f'{name}, line {number}: no SFT row such as [{{"prompt": …, "response": [[…]]}}].'
            ) from None
        yield SftRow(number, dialogue_in(str(asked), prompt), str(answer))


def dialogue_in(asked: str, prompt: Prompt) -> str:
    """The dialogue in a message that a prompt was filled in for."""
    head, _, tail = prompt.template.partition("{conversation}")
    head, tail = head.strip(), tail.strip()
    text = asked.strip()
    if text.startswith(head) and text.endswith(tail):
        return text[len(head) : len(text) - len(tail)].strip()
    speaker = _FIRST_SPEAKER.search(text)
    return text[speaker.start() :] if speaker else text
