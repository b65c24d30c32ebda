"""Themes by a model: the distinct texts of days that it was not asked about yet, in batches, each text paid once."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.calling.caller import Caller, Stopping
from tasks.domain.errors import CeilingReached, ObjectMissing
from tasks.domain.layout import partition_key
from tasks.domain.model_options import ModelOptions
from tasks.domain.ports import ObjectStore
from tasks.domain.records import Answer, Conversation, GivenUp, Request, Turn
from tasks.preparing.prompts import Prompt
from tasks.preparing.requests import ask_again
from tasks.questions.rules.theme_prompt import numbered_texts, themes_in
from tasks.themes.known_themes import store_known_themes
from tasks.themes.rules.known import KnownThemes, text_key
from tasks.themes.rules.normalizing import normalize
from tasks.themes.rules.taxonomy import Taxonomy
from tasks.warehouse.parquet import open_table

TEXTS_A_CALL: Final = 20

_CALLS_AT_A_TIME: Final = 200
_ROWS_AT_A_TIME: Final = 5_000


@dataclass(frozen=True, slots=True)
class ThemeQuestions:
    """The question to a model: by which prompt, which taxonomy's themes, with which options, in which run."""

    prompt: Prompt
    taxonomy: Taxonomy
    model: str
    options: ModelOptions
    run_id: str


@dataclass(slots=True)
class AskedTexts:
    """Numbers of distinct texts: asked about now, with a theme, without one that there is, and not answered."""

    asked: int = 0
    assigned: int = 0
    without: int = 0
    unanswered: int = 0
    stopped: str = ""


@task(name="find-new-texts", cache_policy=NO_CACHE)
def find_new_texts(store: ObjectStore, days: Sequence[date], known: KnownThemes) -> dict[str, str]:
    """The issues and plans of days that no theme is known for, by their normalized text, always in the same order.

    Returns:
        Nothing for days that have no tables.
    """
    found: dict[str, str] = {}
    for day in days:
        for texts in _texts(store, day):
            plain = normalize(texts).to_pylist()
            asked, _ = known.find(plain)
            for short, text, is_known in zip(plain, texts.to_pylist(), asked, strict=True):
                if short and not is_known:
                    found.setdefault(short, text)
    return dict(sorted(found.items()))


def _texts(store: ObjectStore, day: date) -> Iterator[pa.Array]:
    try:
        with open_table(store, partition_key("summaries", day)) as table:
            for batch in table.iter_batches(_ROWS_AT_A_TIME, columns=["issue", "plan"], use_threads=False):
                for column in batch.columns:
                    yield pc.unique(pc.drop_null(column))
    except ObjectMissing:
        return


@task(name="ask-for-themes", cache_policy=NO_CACHE)
async def ask_for_themes(
    store: ObjectStore, texts: dict[str, str], caller: Caller, questions: ThemeQuestions
) -> AskedTexts:
    """Have a model assign texts to themes; what it says is kept as it comes, also where the run ends early.

    Args:
        texts: as written, by normalized text.

    Returns:
        The counts; `stopped` says why texts are left where the run has spent what it may.

    Raises:
        EndpointUnusable: no request can be answered.
    """
    counts = AskedTexts()
    batches = [list(texts)[start : start + TEXTS_A_CALL] for start in range(0, len(texts), TEXTS_A_CALL)]
    for start in range(0, len(batches), _CALLS_AT_A_TIME):
        some = batches[start : start + _CALLS_AT_A_TIME]
        requests = [_request([texts[short] for short in batch], questions) for batch in some]
        answers = await _answers(requests, caller)
        said: dict[int, str | None] = {}
        for batch, answer in zip(some, answers, strict=True):
            if isinstance(answer, BaseException):
                continue
            themes = _themes(answer, len(batch), questions.taxonomy)
            _count(counts, len(batch), themes)
            said |= zip(map(text_key, batch), themes or (), strict=False)
        if said:
            store_known_themes(store, questions.prompt.version, f"{questions.run_id}-{start:06}", said)
        if causes := [answer for answer in answers if isinstance(answer, BaseException)]:
            cause = next((cause for cause in causes if not isinstance(cause, Stopping)), causes[0])
            if not isinstance(cause, CeilingReached):
                raise cause
            counts.stopped = str(cause)
            break
    return counts


async def _answers(requests: Sequence[Request], caller: Caller) -> list[Answer | GivenUp | BaseException]:
    pending = [asyncio.ensure_future(caller.answer(request)) for request in requests]
    try:
        await asyncio.wait(pending, return_when=asyncio.FIRST_EXCEPTION)
    finally:
        if not all(task.done() for task in pending) or any(task.exception() for task in pending):
            caller.stop()  # what is in flight is waited for: it is paid
        found = await asyncio.gather(*pending, return_exceptions=True)
    return list(found)


def _request(texts: Sequence[str], questions: ThemeQuestions) -> Request:
    text = numbered_texts(texts)
    name = sha256(text.encode()).hexdigest()
    conversation = Conversation(f"themes-{name[:16]}", (Turn("user", text),), "", 0)
    bare = Request(conversation, conversation.turns, text, "", False, name, "", 0)
    return ask_again(bare, prompt=questions.prompt, model=questions.model, options=questions.options)


def _themes(answer: Answer | GivenUp, many: int, taxonomy: Taxonomy) -> list[str | None] | None:
    if isinstance(answer, Answer) and answer.outcome == "answered":
        return themes_in(answer.text, many, taxonomy)
    return None


def _count(counts: AskedTexts, many: int, themes: Sequence[str | None] | None) -> None:
    counts.asked += many
    if themes is None:
        counts.unanswered += many
        return
    counts.assigned += sum(theme is not None for theme in themes)
    counts.without += sum(theme is None for theme in themes)
