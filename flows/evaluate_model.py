"""How good a model's answers are, in figures.

python -m flows.evaluate_model --predictions FILE.jsonl --json      a file, on this machine: free, exact, at once
python -m flows.evaluate_model --summarizer qianfan --endpoint ID   an endpoint, on labeled conversations
"""

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import orjson
from prefect import flow, get_run_logger
from prefect.artifacts import acreate_table_artifact

from flows import command_line
from flows.settings import (
    Services,
    Settings,
    connect,
    load_settings,
    mappings_of,
    open_embedder,
    open_source,
    open_warehouse,
    scratch_parent,
)
from flows.steps import preparing
from tasks.asking import open_caller
from tasks.calling import Caller
from tasks.domain.days import days_between
from tasks.domain.errors import NoLogs, UsageError
from tasks.domain.judging import JUDGE_VERSION
from tasks.domain.labeling import Label, Labeled, fewer
from tasks.domain.predictions import Pair
from tasks.domain.prompts import Prompt, load_prompt
from tasks.domain.retrying import Patience
from tasks.domain.training import is_held_out
from tasks.evaluation import (
    Evaluation,
    evaluate,
    in_words,
    judge,
    mean_embedding_distance,
    pairs_of,
    pairs_of_file,
    score_file,
    store_evaluation,
)
from tasks.extract import list_logs
from tasks.labels import find_labeled, load_labels, read_label_file
from tasks.scratch import scratch_folder

SHELF = "evaluations"


@flow(name="evaluate-model", flow_run_name="evaluate-model")
async def evaluate_model(
    start: date | None = None,
    end: date | None = None,
    labels: str = "",
    limit: int = 0,
    held_out: bool = False,
    embedding: str = "",
    judge_endpoint: str = "",
    settings: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Measure an endpoint, or the offline rules, on labeled conversations; each is paid for once, ever.

    Args:
        start: the first day of labeled conversations; left out, the oldest that has labels.
        end: the last day, itself included.
        labels: a file of labels, whose conversations are read from the logs of those days; left out, the warehouse's.
        limit: at most so many conversations, always the same ones; 0 is all of them.
        held_out: only those that fine-tuning never trains on, by which alone a tuned model can be judged.
        embedding: a model for EMBEDDING-DISTANCE, qianfan:NAME or openai:NAME; left out, it is not computed.
        judge_endpoint: a model that grades each answer, an endpoint of the same summarizer; left out, nobody does.
        settings: any setting by its name, as for summarize_day.
    """
    chosen = load_settings(settings or {})
    labeled = labeled_conversations(chosen, start, end, labels, limit, held_out=held_out)
    evaluation = await evaluated(chosen, labeled)
    asked = await asked_figures(chosen, lambda: pairs_of(evaluation.predictions), embedding, judge_endpoint)
    figures = evaluation.figures() | asked
    figures["predictions"] = store_evaluation(open_warehouse(chosen), datetime.now(UTC), evaluation, figures)
    await acreate_table_artifact(
        [{"figure": name, "value": str(value)} for name, value in figures.items()],
        key="evaluation",
        description=f"{evaluation.model} · {evaluation.prompt_version}",
    )
    return figures


def labeled_conversations(
    chosen: Settings,
    start: date | None,
    end: date | None,
    labels: str,
    limit: int = 0,
    *,
    held_out: bool = False,
) -> list[Labeled]:
    """The labeled conversations to measure on, from the warehouse or from a file and the logs.

    Raises:
        UsageError: there are none, or the file is wrong.
    """
    found = _conversations_of(chosen, start, end, labels) if labels else load_labels(open_warehouse(chosen), start, end)
    if held_out:
        labeled = len(found)
        found = [one for one in found if is_held_out(one.content_hash)]
        if not found:
            raise UsageError(f"None of {labeled} labeled conversations is held out from training: review more.")
    return fewer(found, limit)


def check_labels(labels: str, start: date | None, end: date | None) -> tuple[dict[str, Label], Iterable[date]]:
    """A file of labels and the days of its conversations; nothing and none where no file is named.

    Raises:
        UsageError: a day is not named, or the file is wrong.
    """
    if not labels:
        return {}, ()
    if start is None or end is None:
        raise UsageError("--labels needs --start and --end: the days whose logs hold the labeled conversations.")
    return read_label_file(Path(labels)), days_between(start, end)


def _conversations_of(chosen: Settings, start: date | None, end: date | None, labels: str) -> list[Labeled]:
    found: list[Labeled] = []
    known, days = check_labels(labels, start, end)
    for day in days:
        store, name = open_source(chosen, day)
        try:
            logs = list_logs(store, name)
        except NoLogs:
            continue
        with scratch_folder(scratch_parent(chosen), f"labels-{uuid4()}") as scratch:
            found += find_labeled(
                day,
                known,
                store,
                logs,
                log_format=chosen.log_format,
                mappings=mappings_of(chosen),
                zone=chosen.zone,
                prepare=preparing(chosen),
                scratch=scratch,
            )
    if not found:
        raise UsageError(
            f"None of the {len(known)} labels of {labels} has a conversation in the logs of {start}…{end}."
        )
    if len(found) < len(known):
        get_run_logger().warning(
            "%d of %d labels have no conversation in the logs.", len(known) - len(found), len(known)
        )
    return found


async def evaluated(chosen: Settings, labeled: Sequence[Labeled], prompt: Prompt | None = None) -> Evaluation:
    """The endpoint that the settings name, measured with their prompt, or with another one, on these conversations.

    Raises:
        EndpointUnusable: it can't be asked; what was answered is kept.
    """
    prompt = prompt or Prompt(chosen.prompt_version, load_prompt(chosen.prompt).template)
    async with _asking(chosen, prompt.version) as (caller, services):
        return await evaluate(labeled, caller, prompt, services.summarizer.model)


async def asked_figures(
    chosen: Settings, pairs: Callable[[], Iterable[Pair]], embedding: str, judge_endpoint: str
) -> dict[str, Any]:
    """The figures that other models have to be asked for: EMBEDDING-DISTANCE and a judge's grade.

    Args:
        pairs: gives the pairs, each time anew.
        embedding: the model of embeddings; empty for none.
        judge_endpoint: the judge; empty for none.

    Raises:
        UsageError: a model is named in a way that it can't be.
        RunError: a model can't be asked.
    """
    figures: dict[str, Any] = {}
    if embedding:
        async with open_embedder(embedding, chosen) as embedder:
            figures["EMBEDDING-DISTANCE"] = await mean_embedding_distance(pairs(), embedder)
            figures["embedding model"] = embedding
    if judge_endpoint:
        if chosen.summarizer == "offline":
            raise UsageError("--judge-endpoint needs --summarizer qianfan or openai: rules are no judge.")
        async with _asking(chosen.model_copy(update={"endpoint": judge_endpoint}), JUDGE_VERSION) as (caller, services):
            figures |= await judge(pairs(), caller, services.summarizer.model)
    return figures


@asynccontextmanager
async def _asking(chosen: Settings, prompt_version: str) -> AsyncIterator[tuple[Caller, Services]]:
    async with (
        connect(chosen, date.min) as services,
        open_caller(
            services.summarizer,
            services.gate,
            warehouse=services.warehouse,
            shelf=SHELF,
            run_id=str(uuid4()),
            scratch=services.scratch,
            prompt_version=prompt_version,
            patience=Patience(max_attempts=chosen.max_attempts),
            give_up_seconds=chosen.give_up_seconds,
        ) as caller,
    ):
        yield caller, services


def main(arguments: Sequence[str]) -> int:
    """The command line of this flow."""
    parser = command_line.parser(
        "flows.evaluate_model", "Score a file of predictions, or an endpoint's answers about labeled conversations."
    )
    parser.add_argument(
        "--predictions",
        type=Path,
        default=None,
        help='JSON lines of {"prediction": …, "reference": …} to score; no endpoint is asked',
    )
    parser.add_argument("--per-row", type=Path, default=None, help="with --predictions: where each row's figures go")
    parser.add_argument(
        "--baseline", type=Path, default=None, help="with --predictions: another model's, of the same rows, to compare"
    )
    command_line.add_label_flags(parser)
    command_line.add_limit_flag(parser)
    parser.add_argument(
        "--held-out",
        action="store_true",
        default=False,
        help="only conversations that fine-tuning never trains on, by which alone a tuned model can be judged",
    )
    parser.add_argument(
        "--embedding", default="", help="a model for EMBEDDING-DISTANCE: qianfan:embedding-v1 or openai:MODEL"
    )
    parser.add_argument(
        "--judge-endpoint", default="", help="a model that grades each answer from 1 to 5, of the same --summarizer"
    )
    parser.add_argument("--json", action="store_true", default=False, help="the last line on stdout is one JSON object")
    given = parser.parse_args(arguments)
    settings = command_line.chosen_settings(given)

    def tell(figures: dict[str, Any]) -> str:
        return orjson.dumps(figures).decode() if given.json else in_words(figures)

    if given.predictions is None:
        if given.per_row or given.baseline:
            parser.error("--per-row and --baseline belong to --predictions")
        return command_line.run(
            settings,
            lambda: evaluate_model(
                given.start,
                given.end,
                given.labels,
                given.limit,
                given.held_out,
                given.embedding,
                given.judge_endpoint,
                settings,
            ),
            tell,
            lambda chosen: check_labels(given.labels, given.start, given.end),
        )

    async def scored() -> dict[str, Any]:
        figures = score_file(given.predictions, per_row=given.per_row, baseline=given.baseline)
        if given.embedding or given.judge_endpoint:
            figures |= await asked_figures(
                load_settings(settings), lambda: pairs_of_file(given.predictions), given.embedding, given.judge_endpoint
            )
        return figures

    return command_line.run(None, scored, tell)


if __name__ == "__main__":
    command_line.main(main)
