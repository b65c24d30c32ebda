"""measure an endpoint with these settings."""

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import date
from typing import Any
from uuid import uuid4

from flows.wiring.services import (
    Services,
    connect,
    open_embedder,
)
from flows.wiring.settings import Settings
from tasks.calling.caller import Caller
from tasks.domain.errors import UsageError
from tasks.evaluating.evaluation import (
    Evaluation,
    evaluate,
    judge,
    mean_embedding_distance,
)
from tasks.evaluating.open_caller import open_caller
from tasks.evaluating.rules.judge import JUDGE_VERSION
from tasks.evaluating.rules.predictions import Pair
from tasks.preparing.prompts import Prompt
from tasks.reviewing.rules.labels import LabeledExample

SHELF = "evaluations"


async def evaluated(config: Settings, labeled: Sequence[LabeledExample], prompt: Prompt | None = None) -> Evaluation:
    """The endpoint that the settings name, measured with their prompt, or with another one, on these conversations.

    Raises:
        EndpointUnusable: it can't be asked; what was answered is kept.
    """
    prompt = prompt or Prompt(config.prompt_version, config.asked_prompt.template)
    async with _asking(config, prompt.version) as (caller, services):
        return await evaluate(labeled, caller, prompt, services.summarizer.model, config.model_options)


async def asked_figures(
    config: Settings, pairs: Callable[[], Iterable[Pair]], embedding: str, judge_endpoint: str
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
        async with open_embedder(embedding, config) as embedder:
            figures["EMBEDDING-DISTANCE"] = await mean_embedding_distance(pairs(), embedder)
            figures["embedding model"] = embedding
    if judge_endpoint:
        if config.summarizer == "offline":
            raise UsageError("--judge-endpoint needs --summarizer qianfan or openai: rules are no judge.")
        # A judge grades: it has another form of answer than the four fields.
        judging = {"endpoint": judge_endpoint, "response_format": "text", "system_prompt": ""}
        async with _asking(config.model_copy(update=judging), JUDGE_VERSION) as (caller, services):
            figures |= await judge(pairs(), caller, services.summarizer.model)
    return figures


@asynccontextmanager
async def _asking(config: Settings, prompt_version: str) -> AsyncIterator[tuple[Caller, Services]]:
    async with (
        connect(config, date.min) as services,
        open_caller(
            services.summarizer,
            services.limiter,
            warehouse=services.warehouse,
            namespace=SHELF,
            run_id=str(uuid4()),
            scratch=services.scratch,
            policy=config.call_policy(prompt_version),
        ) as caller,
    ):
        yield caller, services
