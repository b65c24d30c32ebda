"""The targets: each takes bytes as a stranger may write them, and returns or refuses."""

import atexit
import io
import tempfile
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Annotated, Any, Final

import orjson
from pydantic import TypeAdapter, ValidationError

from tasks.calling.rules.responses import decode_answer, encode_answer
from tasks.domain.errors import UsageError
from tasks.parsing.answers import parse_answer
from tasks.parsing.verdicts import accepted_of, negative_sentiment_of
from tasks.preparing.borders import is_suspicious, without_forgery
from tasks.preparing.masking import PLACEHOLDERS, mask, mask_identifier, mask_mapping, mask_neighbors
from tasks.preparing.prompts import load_prompt
from tasks.preparing.requests import prepare
from tasks.questions.rules.questions import parse_questions
from tasks.reading.conversations import LogObject, LogReader
from tasks.reviewing.rules.labels import read_labels
from tasks.reviewing.sheets import read_sheet
from tasks.summarizing.rules.batch_submission import decode_reply
from tasks.themes.rules.taxonomy import parse_taxonomy

_PREPARE: Final = partial(prepare, prompt=load_prompt("sft-v1"), model="m", max_input_tokens=2000)


@cache
def _scratch() -> Path:
    folder = tempfile.TemporaryDirectory()
    atexit.register(folder.cleanup)
    return Path(folder.name)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def read_logs(data: bytes) -> None:
    """Read a log; a line is a conversation or a reject."""
    reader = LogReader(_PREPARE, _scratch())
    for _ in reader.read([LogObject("log", partial(io.BytesIO, data))]):
        pass


def parse_answers(data: bytes) -> None:
    """Parse an answer, whole and cut off."""
    text = _text(data)
    parse_answer(text)
    parse_answer(text, cut_off=True)


def judge(data: bytes) -> None:
    """Judge a model's words."""
    text = _text(data)
    assert accepted_of(text) in {True, False, None}
    assert negative_sentiment_of(text) in {True, False, None}


def mask_texts(data: bytes) -> None:
    """Mask a text; what is masked once stays as it is, and as many messages come out as went in."""
    text = _text(data)
    once = mask(text)
    assert mask(once) == once
    if len(data) % 4 == 0:
        pieces = text.split("，")
        assert len(mask_neighbors(pieces)) == len(pieces)
        mask_identifier(text)
        mask_mapping({text[:12]: text[12:]})


def draw_borders(data: bytes) -> None:
    """Take a text's forgeries out, once and for all; none of our placeholders is left."""
    text = _text(data)
    is_suspicious(text, by_user=True)
    once = without_forgery(text, by_user=True)
    assert without_forgery(once, by_user=True) == once
    assert not any(name in once for name in PLACEHOLDERS)


@cache
def _settings() -> list[TypeAdapter[Any]]:
    from flows.wiring.settings import Settings  # Prefect's import is paid by this target only

    types: list[Any] = [field.annotation for field in Settings.model_fields.values()]
    checks = [field.metadata for field in Settings.model_fields.values()]
    return [
        TypeAdapter(Annotated[(kind, *check)] if check else kind) for kind, check in zip(types, checks, strict=True)
    ]


def set_a_setting(data: bytes) -> None:
    """Load a setting's value; a wrong one is refused."""
    settings = _settings()
    try:
        settings[data[0] % len(settings) if data else 0].validate_python(_text(data[1:]))
    except ValidationError:
        return


def read_documents(data: bytes) -> None:
    """Read what people write in TOML and JSON lines; a wrong one is refused in one line."""
    text = _text(data[1:])
    readers: tuple[Callable[[], object], ...] = (
        lambda: parse_taxonomy(text, "f.toml"),
        lambda: parse_questions(text, "f.toml"),
        lambda: read_labels(io.BytesIO(data[1:]), "f.jsonl"),
    )
    refusal = ""
    try:
        readers[data[0] % len(readers) if data else 0]()
    except UsageError as error:
        refusal = str(error)
    assert "\n" not in refusal


def read_review_sheet(data: bytes) -> None:
    """Read a sheet; a broken one is refused."""
    try:
        read_sheet(data, "sheet.xlsx" if data.startswith(b"PK") else "sheet.csv")
    except UsageError:
        return


def read_answer_log(data: bytes) -> None:
    """Read a line of the answer log and of a batch's output; what is read can be written."""
    decode_reply(data)
    answer = decode_answer(data)
    if answer is not None:
        assert decode_answer(encode_answer(answer)) == answer
        orjson.dumps(answer)


TARGETS: Final[dict[str, Callable[[bytes], None]]] = {
    "readers": read_logs,
    "answers": parse_answers,
    "verdicts": judge,
    "masking": mask_texts,
    "borders": draw_borders,
    "settings": set_a_setting,
    "documents": read_documents,
    "sheets": read_review_sheet,
    "answer_log": read_answer_log,
}
