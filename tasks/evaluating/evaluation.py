"""From predictions to scores: of files, row by row in constant memory, and of models, by asking them.

Nothing here needs Prefect's server, so that scoring a file starts at once.
"""

import asyncio
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

import orjson

from tasks.calling.caller import Caller
from tasks.domain.model_options import ModelOptions
from tasks.domain.ports import Embedder, ObjectStore
from tasks.domain.records import Answer, GivenUp, Request
from tasks.evaluating.rules.comparison import RowFigures, compare_rows
from tasks.evaluating.rules.embedding_distance import EMBEDDED_CHARACTERS, cosine_distance
from tasks.evaluating.rules.judge import Grades, judge_request, read_grade
from tasks.evaluating.rules.pages import evaluation_page
from tasks.evaluating.rules.predictions import Pair
from tasks.evaluating.rules.scoring import METRICS, Scores, score_rows
from tasks.preparing.prompts import Prompt
from tasks.preparing.requests import ask_again
from tasks.reviewing.rules.labels import LabeledExample
from tasks.reviewing.rules.sampling import RANDOM

NOT_COMPUTED = "not computed"

_TEXTS_A_CALL = 16

_PAIRS_EMBEDDED_AT_ONCE = 64

_PAIRS_JUDGED_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Prediction:
    """A model's answer to one labeled conversation; `text` is empty where it never answered."""

    labeled: LabeledExample
    text: str
    outcome: str
    prompt_tokens: int
    completion_tokens: int
    latency_ms: int

    def as_json(self) -> dict[str, Any]:
        """One line of a file of predictions, which `--predictions` reads back."""
        return {
            "day": self.labeled.day.isoformat(),
            "conversation_id": self.labeled.conversation_id,
            "content_hash": self.labeled.content_hash,
            "prediction": self.text,
            "reference": self.labeled.answer(),
            "outcome": self.outcome,
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "latency_ms": self.latency_ms,
        }


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A model with a prompt, measured on labeled conversations.

    `predictions` are in the order of the conversations, `rows` their compared figures in the same order, so that two
    evaluations of the same conversations go into `compare_rows(current.rows, candidate.rows)`.
    """

    model: str
    prompt_version: str
    predictions: Sequence[Prediction]
    scores: Scores
    rows: RowFigures
    calls: int
    reused: int
    at_random: Scores | None = None  # of the labels whose sample was drawn at random, where there are any

    def figures(self) -> dict[str, Any]:
        """The scores' figures, and what the answers took: mean tokens a conversation, latency in milliseconds."""
        answered = [prediction for prediction in self.predictions if prediction.latency_ms]
        latencies = sorted(answer.latency_ms for answer in answered)
        return {
            "model": self.model,
            "prompt": self.prompt_version,
            **_random_figures(self.at_random),
            **as_figures(self.scores),
            "answered": sum(prediction.outcome == "answered" for prediction in self.predictions),
            "prompt_tokens": _mean([prediction.prompt_tokens for prediction in self.predictions]),
            "completion_tokens": _mean([prediction.completion_tokens for prediction in self.predictions]),
            "latency_ms p50": latencies[len(latencies) // 2] if latencies else None,
            "latency_ms p95": latencies[len(latencies) * 95 // 100] if latencies else None,
            "calls": self.calls,
            "reused": self.reused,
        }


async def evaluate(
    labeled: Sequence[LabeledExample], caller: Caller, prompt: Prompt, model: str, options: ModelOptions
) -> Evaluation:
    """Ask a model about labeled conversations, each paid for once, and score its answers.

    Raises:
        EndpointUnusable: no request can be answered; what was answered is kept.
    """
    requests = [ask_again(example.request, prompt=prompt, model=model, options=options) for example in labeled]
    answers = await _answers(requests, caller)
    predictions = [_prediction(example, answer) for example, answer in zip(labeled, answers, strict=True)]
    rows = RowFigures()
    scores = await asyncio.to_thread(score_rows, pairs_of(predictions), rows.add)
    drawn = [prediction for prediction in predictions if prediction.labeled.stratum == RANDOM]
    at_random = await asyncio.to_thread(score_rows, pairs_of(drawn)) if drawn else None
    usage = caller.usage
    return Evaluation(model, prompt.version, predictions, scores, rows, usage.calls, usage.reused, at_random)


async def mean_embedding_distance(pairs: Iterable[Pair], embedder: Embedder) -> float:
    """The mean cosine distance of the pairs; a side without text is 1 away from one with text.

    Raises:
        KefuError: the embedder can't be asked.
    """
    total, rows = 0.0, 0
    waiting = iter(pairs)
    while batch := list(islice(waiting, _PAIRS_EMBEDDED_AT_ONCE)):
        rows += len(batch)
        total += sum(pair.prediction.strip() != pair.reference.strip() for pair in batch if _has_empty_side(pair))
        asked = [
            text[:EMBEDDED_CHARACTERS]
            for pair in batch
            if not _has_empty_side(pair)
            for text in (pair.prediction, pair.reference)
        ]
        calls = [embedder.embed(asked[at : at + _TEXTS_A_CALL]) for at in range(0, len(asked), _TEXTS_A_CALL)]
        vectors = [vector for made in await asyncio.gather(*calls) for vector in made]
        total += sum(map(cosine_distance, vectors[::2], vectors[1::2]))
    return total / rows


async def judge(pairs: Iterable[Pair], caller: Caller, model: str) -> dict[str, Any]:
    """Have a judge model grade the pairs; return its mean grade, and how often it gave none.

    Raises:
        EndpointUnusable: the judge can't be asked; its grades so far are kept.
    """
    grades = Grades(model)
    waiting = iter(pairs)
    while batch := list(islice(waiting, _PAIRS_JUDGED_AT_ONCE)):
        for answer in await _answers([judge_request(pair, model) for pair in batch], caller):
            grades.add(None if isinstance(answer, GivenUp) else read_grade(answer.text))
    return grades.figures()


def pairs_of(predictions: Sequence[Prediction]) -> Iterator[Pair]:
    """Predictions as pairs to score."""
    return (Pair(prediction.text, prediction.labeled.answer()) for prediction in predictions)


def _has_empty_side(pair: Pair) -> bool:
    return not (pair.prediction.strip() and pair.reference.strip())


async def _answers(requests: Sequence[Request], caller: Caller) -> list[Answer | GivenUp]:
    """The answers in order; after a first error nothing more is sent, and what is in flight is kept."""
    asked = [asyncio.ensure_future(caller.answer(request)) for request in requests]
    try:
        return await asyncio.gather(*asked)
    except BaseException:
        caller.stop()
        await asyncio.gather(*asked, return_exceptions=True)
        raise


def store_evaluation(warehouse: ObjectStore, now: datetime, evaluation: Evaluation, figures: Mapping[str, Any]) -> str:
    """Keep an evaluation's predictions and its figures in the warehouse; return the predictions' address."""
    name = re.sub(r"[^0-9A-Za-z._-]+", "-", f"{evaluation.model}-{evaluation.prompt_version}")
    folder = f"evaluations/{now:%Y%m%dT%H%M%S}-{name}"
    lines = (
        orjson.dumps(prediction.as_json(), option=orjson.OPT_APPEND_NEWLINE) for prediction in evaluation.predictions
    )
    warehouse.write_path(f"{folder}/predictions.jsonl", b"".join(lines))
    warehouse.write_path(f"{folder}/figures.json", orjson.dumps(figures, option=orjson.OPT_INDENT_2))
    page = evaluation_page(figures, [prediction.as_json() for prediction in evaluation.predictions])
    warehouse.write_path(f"{folder}/evaluation.html", page.encode())
    return warehouse.uri_of(f"{folder}/predictions.jsonl")


def _random_figures(scores: Scores | None) -> dict[str, Any]:
    """Return the figures that stand for the model on the whole: verdicts on the random sample, before all others."""
    if scores is None:
        return {}
    names = [f"{field}/{figure}" for field in ("accepted", "negative_sentiment") for figure in ("accuracy", "kappa")]
    figures = scores.figures()
    found = {name: figures[name] for base in names for name in (base, f"{base} 95%") if name in figures}
    return {"random/rows": scores.rows, **{f"random/{name}": value for name, value in found.items()}}


def _prediction(labeled: LabeledExample, answer: Answer | GivenUp) -> Prediction:
    if isinstance(answer, GivenUp):
        return Prediction(labeled, "", "endpoint_error", 0, 0, 0)
    return Prediction(
        labeled, answer.text, answer.outcome, answer.prompt_tokens, answer.completion_tokens, answer.latency_ms
    )


def as_figures(scores: Scores) -> dict[str, Any]:
    """The flat object, the platform's six figures first."""
    figures = scores.figures()
    head = {name: figures.pop(name) for name in ("rows", *METRICS)}
    return {**head, "EMBEDDING-DISTANCE": NOT_COMPUTED, **figures}


def as_json(baseline: RowFigures, candidate: RowFigures) -> dict[str, Any]:
    """The comparison of every figure, by its name."""
    return {name: found.as_json() for name, found in compare_rows(baseline, candidate).items()}


def _mean(values: Sequence[int]) -> float:
    return round(sum(values) / len(values), 1) if values else 0.0


def format_summary(figures: dict[str, Any]) -> str:
    """Figures for a person, a line each."""
    lines = []
    for name, value in figures.items():
        interval = figures.get(f"{name} 95%")
        if name == "comparison":
            lines += ["", "against the baseline:", *(_compared(figure, found) for figure, found in value.items())]
        elif not name.endswith(" 95%"):
            lines.append(f"{name}: {_shown(value)}{f' [{_shown(interval)}]' if interval else ''}")
    return "\n".join(lines)


def _compared(figure: str, found: dict[str, Any]) -> str:
    return (
        f"{figure}: {found['candidate']:.2f} against {found['baseline']:.2f}, {found['difference']:+.2f} "
        f"[{_shown(found['difference 95%'])}], p {found['p']:.3f}: {found['verdict']}"
    )


def _shown(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.2f}"
    if isinstance(value, list):
        return ", ".join(map(_shown, value))
    return "–" if value is None else str(value)
