"""Measure how good a model's answers are.

python -m flows.evaluate_model --predictions FILE.jsonl --json      a file, on this machine: free, exact, at once
python -m flows.evaluate_model --summarizer qianfan --endpoint ID   an endpoint, on labeled conversations
python -m flows.evaluate_model --published                          what was published, by people's reviews: no call
"""

from argparse import ArgumentParser
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from prefect import flow

from flows.wiring.beside_erasures import beside_no_erasure
from flows.wiring.commands import command_line
from flows.wiring.labeled import check_labels, fetched_labels, labeled_conversations
from flows.wiring.models.evaluations import asked_figures, evaluated
from flows.wiring.services import open_warehouse
from flows.wiring.settings import Settings, SettingsParameter, load_settings
from tasks.evaluating.evaluation import (
    format_summary,
    pairs_of,
    store_evaluation,
)
from tasks.evaluating.rules.published import published_figures
from tasks.evaluating.score_files import pairs_of_file, score_file
from tasks.reviewing.published import load_published_reviews
from tasks.running.artifacts import show_table


@flow(name="evaluate-model", flow_run_name="evaluate-model")
@beside_no_erasure
async def evaluate_model(
    start: date | None = None,
    end: date | None = None,
    labels: str = "",
    limit: int = 0,
    held_out: bool = False,
    embedding: str = "",
    judge_endpoint: str = "",
    settings: SettingsParameter | None = None,
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
    config = load_settings(settings or {})
    file = await fetched_labels(config, labels)
    labeled = labeled_conversations(config, start, end, file, limit, held_out=held_out)
    evaluation = await evaluated(config, labeled)
    asked = await asked_figures(config, lambda: pairs_of(evaluation.predictions), embedding, judge_endpoint)
    figures = evaluation.figures() | asked
    figures["predictions"] = store_evaluation(open_warehouse(config), datetime.now(UTC), evaluation, figures)
    figures["page"] = figures["predictions"].replace("predictions.jsonl", "evaluation.html")
    await show_table(
        [{"figure": name, "value": str(value)} for name, value in figures.items()],
        key="evaluation",
        description=f"{evaluation.model} · {evaluation.prompt_version}",
    )
    return figures


async def judge_published(config: Settings, start: date | None, end: date | None) -> dict[str, Any]:
    """The figures of what was published, by the labels of those days; no model is called."""
    found = load_published_reviews(open_warehouse(config), start, end)
    return published_figures([(review.published, review.label) for review in found.reviews], found.verdicts)


def _parser() -> ArgumentParser:
    parser = command_line.parser("flows.evaluate_model", __doc__)
    parser.add_argument(
        "--predictions",
        type=Path,
        default=None,
        help='JSON lines of {"prediction": …, "reference": …} to score; no endpoint is asked',
    )
    parser.add_argument(
        "--published",
        action="store_true",
        default=False,
        help="judge the published summaries by people's labels, the random sample first; no model is called",
    )
    parser.add_argument("--per-row", type=Path, default=None, help="with --predictions: where each row's figures go")
    parser.add_argument(
        "--baseline", type=Path, default=None, help="with --predictions: another model's, of the same rows, to compare"
    )
    parser.add_argument(
        "--characters",
        action="store_true",
        default=False,
        help="with --predictions: compare by characters, as papers do, not by words as the platform does",
    )
    command_line.add_label_flags(parser)
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
    return parser


def main(arguments: Sequence[str]) -> int:
    """The command line of this flow."""
    parser = _parser()
    args = parser.parse_args(arguments)
    settings = command_line.chosen_settings(args)

    if args.published:
        if args.predictions or args.labels:
            parser.error("--published takes neither --predictions nor --labels")
        return command_line.run(
            settings | {"summarizer": "offline"},  # no endpoint is asked, so none has to be named
            lambda: judge_published(load_settings(settings), args.start, args.end),
            format_summary,
            as_json=args.json,
        )
    if args.predictions is None:
        if args.per_row or args.baseline or args.characters:
            parser.error("--per-row, --baseline and --characters belong to --predictions")
        return command_line.run(
            settings,
            lambda: evaluate_model(
                args.start,
                args.end,
                args.labels,
                command_line.limit_of(args),
                args.held_out,
                args.embedding,
                args.judge_endpoint,
                settings,
            ),
            format_summary,
            lambda config: check_labels(args.labels, args.start, args.end),
            as_json=args.json,
        )

    async def scored() -> dict[str, Any]:
        figures = score_file(args.predictions, per_row=args.per_row, baseline=args.baseline, characters=args.characters)
        if args.embedding or args.judge_endpoint:
            figures |= await asked_figures(
                load_settings(settings), lambda: pairs_of_file(args.predictions), args.embedding, args.judge_endpoint
            )
        return figures

    return command_line.run(None, scored, format_summary, as_json=args.json)


if __name__ == "__main__":
    command_line.main(main)
