"""Labeled conversations: what answers are held against, and what models are trained on.

Labels come from people, through review sheets, and lie in the warehouse as one small table a day
(`labels/day=2026-11-22/labels.parquet`, schema LABELS). A row holds everything that training and evaluation need:
`text` is the dialogue as it was sent to a model (masked, compacted, cut: `用户：…` and `客服：…` lines), and the four
fields are what a person says they should be; null means that the conversation does not tell. `content_hash` names the
conversation as logged; split and deduplicate by it. Labels can also be a file, JSON lines of
`{"conversation_id", "issue", "plan", "accepted", "negative_sentiment"}`, whose dialogues are then read from the logs.

`LabeledExample.answer()` is the answer that a perfect model would give, in the shape of the training data.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, Final

import orjson
import pyarrow as pa

from tasks.domain.errors import UsageError
from tasks.domain.records import Conversation, Request, Turn
from tasks.reading.rules.transcripts.dialogues import split_transcript

NOT_TOLD: Final = "无"

VERDICTS: Final[Mapping[bool | None, str]] = {True: "是", False: "否", None: "未明确"}

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"

_TEXTS = ("issue", "plan")

_NO_SECOND: Final = {"second_reviewer": None, "second_accepted": None, "second_negative_sentiment": None}

_FLAGS = ("accepted", "negative_sentiment")


@dataclass(frozen=True, slots=True)
class Label:
    """The right values of a conversation's four fields. None: the conversation leaves it open."""

    issue: str | None
    plan: str | None
    accepted: bool | None
    negative_sentiment: bool | None

    def answer(self) -> str:
        """The answer that says so, to the letter as the training data writes it."""
        fields = {
            "用户问题": self.issue or NOT_TOLD,
            "客服方案": self.plan or NOT_TOLD,
            "是否接受": VERDICTS[self.accepted],
            "是否负面情绪": VERDICTS[self.negative_sentiment],
        }
        return json.dumps(fields, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class LabeledExample:
    """A conversation with its label. `request` has no prompt of its own yet: `ask_again` gives it one."""

    day: date
    request: Request
    label: Label
    stratum: str = ""  # of the sample that it was reviewed in; empty for labels of a file

    @property
    def conversation_id(self) -> str:
        """The conversation's id, as in the tables."""
        return self.request.conversation.conversation_id

    @property
    def content_hash(self) -> str:
        """Names the conversation as logged."""
        return self.request.content_hash

    @property
    def text(self) -> str:
        """The dialogue as it is sent."""
        return self.request.text

    def answer(self) -> str:
        """The answer that a perfect model would give."""
        return self.label.answer()


def take(labeled: Sequence[LabeledExample], limit: int) -> list[LabeledExample]:
    """At most `limit` of them (0: all), in their order: by content hash, so always the same ones.

    Raises:
        UsageError: the limit is below 0.
    """
    if limit < 0:
        raise UsageError(f"At most {limit} conversations: give a number above 0, or 0 for all of them.")
    if not limit or len(labeled) <= limit:
        return list(labeled)
    highest = sorted(example.content_hash for example in labeled)[limit - 1]
    return [example for example in labeled if example.content_hash <= highest][:limit]


def read_labels(lines: Iterable[bytes], name: str) -> dict[str, Label]:
    """The labels of a JSON-lines file, by conversation id.

    Raises:
        UsageError: a line that is no label, by its number.
    """
    labels: dict[str, Label] = {}
    for number, line in enumerate(lines, 1):
        content = line.removeprefix(_BYTE_ORDER_MARK).strip()
        if content:
            conversation_id, label = _label(content, f"{name}, line {number}")
            if conversation_id in labels:
                raise UsageError(f"{name}, line {number}: a second label of conversation {conversation_id}.")
            labels[conversation_id] = label
    return labels


def labeled_rows(day: date, rows: pa.RecordBatch | pa.Table, uri: str) -> Iterator[LabeledExample]:
    """The labeled conversations of a day's LABELS rows; `uri` is where they lie."""
    for row in rows.to_pylist():
        label = Label(*(row[name] for name in (*_TEXTS, *_FLAGS)))
        yield LabeledExample(day, labeled_request(row, uri), label, row["stratum"] or "")


def merge_labels(known: Iterable[Mapping[str, Any]], imported: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """LABELS rows with the imported ones in the place of those of the same conversation, in the order of ids.

    Another reviewer's verdicts about the same sample stay beside the first one's, as a second opinion. A row that says
    what is known already leaves the known one as it is, time and all, so that importing the same sheet again changes
    nothing.
    """
    merged = {row["content_hash"]: {**_NO_SECOND, **row} for row in known}
    for row in imported:
        before = merged.get(row["content_hash"])
        if before is None:
            merged[row["content_hash"]] = {**_NO_SECOND, **row}
        elif _is_second_opinion(before, row):
            merged[row["content_hash"]] = before | {
                "second_reviewer": row["reviewer"],
                "second_accepted": row["accepted"],
                "second_negative_sentiment": row["negative_sentiment"],
            }
        else:
            after = {**before, **row}
            if _without_time(before) != _without_time(after):
                merged[row["content_hash"]] = after
    return sorted(merged.values(), key=lambda row: (row["conversation_id"], row["content_hash"]))


def _is_second_opinion(before: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
    names = before["reviewer"], row["reviewer"]
    return all(names) and names[0] != names[1] and before["sample_id"] == row["sample_id"]


@dataclass(frozen=True, slots=True)
class LabelOrigin:
    """The review that a label comes from. `model` and `prompt_version` name whose answer the person looked at."""

    reviewer: str
    note: str
    sample_id: str
    stratum: str
    model: str
    prompt_version: str
    labeled_at: datetime


def label_row(request: Request, label: Label, origin: LabelOrigin) -> dict[str, Any]:
    """Return one row of LABELS."""
    return {
        "conversation_id": request.conversation.conversation_id,
        "content_hash": request.content_hash,
        "text": request.text,
        "truncated": request.truncated,
        **asdict(label),
        **asdict(origin),
    }


def _without_time(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "labeled_at"}


def labeled_request(row: Mapping[str, Any], uri: str) -> Request:
    """The dialogue of a row of LABELS or SAMPLES as a request without a prompt; `uri` is where the row lies."""
    said = split_transcript(row["text"]).utterances
    turns = tuple(Turn("agent" if speaker == "agent" else "user", text) for speaker, text, *_ in said if text)
    return Request(
        conversation=Conversation(row["conversation_id"], turns, uri, 0),
        turns=turns,
        text=row["text"],
        prompt="",
        truncated=row["truncated"],
        content_hash=row["content_hash"],
        request_hash="",
        estimated_tokens=0,
    )


def _label(line: bytes, where: str) -> tuple[str, Label]:
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise UsageError(f"{where}: not JSON ({error}).") from None
    if not isinstance(value, dict) or not isinstance(value.get("conversation_id"), str):
        raise UsageError(f'{where}: not an object with a text "conversation_id".')
    for name in (*_TEXTS, *_FLAGS):
        kind, words = (str, "a text") if name in _TEXTS else (bool, "true or false")
        if name not in value or not isinstance(value[name], kind | None):
            raise UsageError(f'{where}: "{name}" must be {words}, or null where the conversation does not tell.')
    return value["conversation_id"], Label(*(value[name] for name in (*_TEXTS, *_FLAGS)))
