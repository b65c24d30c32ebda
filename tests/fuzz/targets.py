"""What is fuzzed, and the words that inputs are made of."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from hypothesis import strategies as st

from flows.wiring.settings import load_settings
from tasks.calling.rules.responses import decode_answer
from tasks.domain.errors import UsageError
from tasks.parsing.answers import parse_answer
from tasks.parsing.verdicts import accepted_of, negative_sentiment_of
from tasks.preparing.masking import mask, mask_neighbors
from tasks.reviewing.sheets import read_sheet
from tests.builders.logs import Read

_SEEDS: Final = (Path(__file__).parent / "corpus.txt").read_text(encoding="utf-8").splitlines()

_pieces = st.sampled_from(_SEEDS) | st.sampled_from([*'{}[]",:\n\t\r\0是否：\ufeff\u202e']) | st.text(max_size=20)

TEXTS: Final = st.lists(_pieces, max_size=12).map("".join)


def read_logs(text: str) -> None:
    """Read a log; a line is a conversation or a reject."""
    Read(text.encode("utf-8", "surrogatepass"))


def read_review_sheet(text: str) -> None:
    """Read a sheet; a broken one is refused."""
    for name in ("sheet.csv", "sheet.xlsx"):
        try:
            read_sheet(text.encode("utf-8", "surrogatepass"), name)
        except UsageError:
            continue


def set_a_setting(text: str) -> None:
    """Load settings; a wrong one is refused."""
    for name in ("source", "timezone", "dimensions", "extra_fields", "extra_headers", "retry", "rpm", "day_from"):
        try:
            load_settings({name: text})
        except UsageError:
            continue


def mask_texts(text: str) -> None:
    """Mask a text, and what is masked once stays as it is."""
    once = mask(text)
    assert mask(once) == once
    assert len(mask_neighbors([text, text])) == 2


def judge(text: str) -> None:
    """Judge a model's words."""
    assert accepted_of(text) in {True, False, None}
    assert negative_sentiment_of(text) in {True, False, None}


TARGETS: Final[dict[str, Callable[[str], object]]] = {
    "readers": read_logs,
    "answers": parse_answer,
    "verdicts": judge,
    "masking": mask_texts,
    "settings": set_a_setting,
    "sheets": read_review_sheet,
    "answer log": lambda text: decode_answer(text.encode("utf-8", "surrogatepass")),
}
