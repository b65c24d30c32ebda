"""Own questions asked about a published day's conversations, into a table of their own."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc
from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.calling.caller import Caller
from tasks.domain.errors import NoTables, ObjectMissing, UsageError
from tasks.domain.layout import partition_key
from tasks.domain.ports import ObjectStore
from tasks.domain.records import Answer, GivenUp, Request
from tasks.questions.answer_rows import answer_rows
from tasks.questions.rules.questions import Questionnaire
from tasks.questions.rules.typed_answers import TypedAnswer, typed_answers
from tasks.warehouse.parquet import open_table, parquet_bytes
from tasks.warehouse.rules.tables import QUESTION_ANSWERS

STRATA = ("all", "negative", "not_accepted")

_THEME = "theme:"

_COLUMNS = ["conversation_id", "content_hash", "accepted", "negative_sentiment", "theme"]

_AT_A_TIME = 500


@dataclass(frozen=True, slots=True)
class Asked:
    """One conversation's questions with their answers; None where the answer held none, or there was no answer."""

    request: Request
    answer: Answer | GivenUp
    answers: list[TypedAnswer] | None


def check_stratum(stratum: str) -> None:
    """Refuse a stratum that there is none of.

    Raises:
        UsageError: it is neither of STRATA nor theme:ID.
    """
    if stratum not in STRATA and not (stratum.startswith(_THEME) and len(stratum) > len(_THEME)):
        raise UsageError(f"--of {stratum}: choose {', '.join(STRATA)} or {_THEME}ID.")


@task(name="choose-conversations", task_run_name="choose-{day}", cache_policy=NO_CACHE)
def choose_conversations(store: ObjectStore, day: date, stratum: str, share: float) -> dict[str, str]:
    """The content hashes of a day's summarized conversations in a stratum, by id: a share of them, always the same.

    Raises:
        NoTables: the day is not published.
    """
    try:
        with open_table(store, partition_key("summaries", day)) as parquet:
            table = parquet.read(columns=[name for name in _COLUMNS if name in parquet.schema_arrow.names])
    except ObjectMissing:
        raise NoTables(f"{store.uri} has no summaries of {day}: summarize that day first.") from None
    if stratum == "negative":
        table = table.filter(pc.field("negative_sentiment"))
    elif stratum == "not_accepted":
        table = table.filter(~pc.field("accepted"))
    elif stratum.startswith(_THEME):
        table = table.filter(pc.field("theme") == stratum.removeprefix(_THEME))
    below = share * 2**32
    return {
        row["conversation_id"]: row["content_hash"]
        for row in table.select(["conversation_id", "content_hash"]).to_pylist()
        if int(row["content_hash"][:8], 16) < below
    }


@task(name="ask-questions", cache_policy=NO_CACHE)
async def ask_all(requests: Sequence[Request], caller: Caller, questionnaire: Questionnaire) -> list[Asked]:
    """Have every request answered, each paid for once; answers are kept as they come.

    Raises:
        EndpointUnusable: no request can be answered.
    """
    asked: list[Asked] = []
    for start in range(0, len(requests), _AT_A_TIME):
        pending = [asyncio.ensure_future(caller.answer(request)) for request in requests[start : start + _AT_A_TIME]]
        try:
            answers = await asyncio.gather(*pending)
        except BaseException:
            caller.stop()
            await asyncio.gather(*pending, return_exceptions=True)
            raise
        for request, answer in zip(requests[start : start + _AT_A_TIME], answers, strict=True):
            is_answer = isinstance(answer, Answer) and answer.outcome == "answered"
            found = typed_answers(answer.text, questionnaire) if is_answer and isinstance(answer, Answer) else None
            asked.append(Asked(request, answer, found))
    return asked


def store_answers(store: ObjectStore, day: date, questionnaire: Questionnaire, asked: Sequence[Asked]) -> str:
    """Replace a day's answers to this version of the questions; return their address."""
    rows = [
        row
        for conversation in asked
        if isinstance(conversation.answer, Answer)
        for row in answer_rows(
            conversation.request, conversation.answer, conversation.answers or (), questionnaire.version
        )
    ]
    key = partition_key("question_answers", day, f"{questionnaire.version}.parquet")
    store.write_path(key, parquet_bytes(pa.Table.from_pylist(rows, schema=QUESTION_ANSWERS)))
    return store.uri_of(key)
