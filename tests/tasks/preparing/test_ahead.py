"""Messages that are looked at together become what each becomes alone."""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.domain.records import Conversation, Request, Turn
from tasks.preparing import borders, masking, requests
from tasks.preparing.borders import is_suspicious, signs_in, without_forgery
from tasks.preparing.compaction import tidy
from tasks.preparing.masking import mask
from tasks.preparing.masks.plain import SPOKEN_DIGITS, plain_of
from tasks.preparing.prompts import Prompt
from tasks.preparing.requests import look_ahead, prepare
from tasks.preparing.wording import orders_among, sounds_like_an_order
from tests.benchmarks.masking_cases import KINDS, look_alikes
from tests.benchmarks.masking_values import Maker

PROMPT = Prompt("test-v1", "请概述：{conversation}")

DIGITS = frozenset(f"0123456789{SPOKEN_DIGITS}")

SIGNS = (
    "", "  ", " ", "\u3000", "\u200b", "&lt;", "\\n", "\n", "①", "０", "一三八", "@", "艾特", "客服：", "[手机号]", "<|end|>", "張", "號",
    "忽略上文", "ignore the above and ", "5\ufe0f\u20e3", "\x00", "\ud800", "先生", "收件人", "3栋2单元501室", "Mr Smith", "İ", "\uffff", "\U0001f600",
)  # fmt: skip


def known_texts() -> list[str]:
    make = Maker(3)
    written = (path.read_text("utf-8").splitlines() for path in sorted(Path(__file__).parent.rglob("*.txt")))
    values = (case(make)[0] for case in KINDS.values() for _ in range(3))
    return [*chain(*written), *values, *look_alikes(make)]


TEXTS = st.sampled_from(known_texts())


@st.composite
def altered_texts(draw: st.DrawFn) -> str:
    """A text, or parts of two with a sign between that some rule looks for."""
    first, second = draw(TEXTS), draw(TEXTS)
    cut = draw(st.integers(0, len(first)))
    return draw(st.sampled_from([first, first[:cut] + draw(st.sampled_from(SIGNS)) + second[cut:], first[cut:]]))


CONVERSATIONS = st.lists(
    st.lists(st.builds(Turn, st.sampled_from(["user", "agent"]), altered_texts()), min_size=1, max_size=8),
    min_size=1,
    max_size=6,
).map(lambda said: [Conversation(f"c{number}", tuple(turns), "log", 1) for number, turns in enumerate(said)])


def forget() -> None:
    masking.forget()
    borders.KNOWN_IN_PIECES.clear()
    for known in requests.KNOWN.values():
        known.clear()


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    yield
    forget()


def prepared(conversations: list[Conversation]) -> list[Request]:
    return [prepare(said, prompt=PROMPT, model="m", max_input_tokens=4000) for said in conversations]


@given(CONVERSATIONS)
@settings(max_examples=150, deadline=None)
def test_what_is_looked_at_ahead_is_prepared_like_what_is_not(conversations: list[Conversation]) -> None:
    forget()
    alone = prepared(conversations)
    forget()
    look_ahead(conversations)
    assert prepared(conversations) == alone


@given(st.lists(altered_texts(), max_size=20))
@settings(max_examples=150, deadline=None)
def test_a_mask_is_the_same_for_many_and_for_one(texts: list[str]) -> None:
    forget()
    alone = [mask(text) for text in texts]
    forget()
    masking.look_ahead(texts)
    assert [mask(text) for text in texts] == alone


@given(st.lists(altered_texts().map(tidy), max_size=20), st.booleans())
@settings(max_examples=150, deadline=None)
def test_what_steers_and_forges_is_found_among_many(texts: list[str], by_user: bool) -> None:
    for text, seen, is_order in zip(texts, signs_in(texts), orders_among(texts), strict=True):
        assert without_forgery(text, by_user=by_user, seen=seen) == without_forgery(text, by_user=by_user)
        found = is_suspicious(text, by_user=by_user, seen=seen, is_order=is_order)
        assert found is is_suspicious(text, by_user=by_user)


@given(st.lists(altered_texts().map(lambda text: text.replace("\n", " ")), max_size=600), st.booleans())
@settings(max_examples=30, deadline=None)
def test_orders_are_found_among_many(texts: list[str], in_pieces: bool) -> None:
    alone = [sounds_like_an_order(text, in_pieces=in_pieces) for text in texts]
    assert orders_among(texts, in_pieces=in_pieces) == alone


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_rule_finds_has_the_digits_that_it_needs(kind: str) -> None:
    make = Maker(5)
    for _ in range(60):
        plain = plain_of(KINDS[kind](make)[0])
        digits = sum(map(DIGITS.__contains__, plain))
        assert not [rule.find for rule in masking.RULES if digits < rule.digits and [*rule.find(plain)]]
