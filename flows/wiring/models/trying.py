"""Asking an endpoint about one conversation, outside of any day; nothing is kept of it."""

import asyncio
import time
from dataclasses import dataclass
from datetime import date

from flows.wiring.labeled import conversation_in
from flows.wiring.services import connect
from flows.wiring.settings import Settings
from flows.wiring.steps import preparing
from tasks.domain.errors import CallFault, KefuError, QuotaRefused, TransientFault, UsageError
from tasks.domain.records import Reply, Request
from tasks.preparing.prompts import Prompt, load_prompt
from tasks.preparing.requests import ask_again

SAMPLE = "用户：你好，我买的杯子到现在还没发货。\n客服：您好，今天下午安排发货，请您耐心等待。\n用户：好的，谢谢。"
"""A conversation of the project's own, for asking whether somebody answers."""

_PAUSE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Trial:
    """A request as it was sent (masked, compacted), and the reply to it."""

    model: str
    request: Request
    reply: Reply
    seconds: float


async def ask_about(config: Settings, text: str, prompt: Prompt | None = None) -> Trial:
    """Ask the endpoint about one dialogue, now: no answer of an earlier day is taken for it.

    Raises:
        EndpointUnusable: it can't be asked.
        UsageError: the text is no dialogue, or the service does not take it.
    """
    conversation = conversation_in(text, "trial", "trial", 1)
    if not conversation.turns:
        raise UsageError("The text is no dialogue: a line for each message, beginning with 用户： or 客服：.")
    async with connect(config, date.min) as services:
        model = services.summarizer.model
        request = ask_again(
            preparing(config, model)(conversation), prompt=prompt or load_prompt(config.prompt), model=model
        )
        for attempt in range(1, config.max_attempts + 1):
            began = time.monotonic()
            try:
                reply = await services.summarizer.summarize(request, lambda: None)
            except (TransientFault, QuotaRefused) as error:
                if attempt == config.max_attempts:
                    raise UsageError(f"{model} gave no answer in {attempt} calls: {error}") from error
                await asyncio.sleep(min(_PAUSE_SECONDS, config.give_up_seconds))
            except CallFault as error:
                raise UsageError(f"{model} does not take this conversation: {error}") from error
            else:
                return Trial(model, request, reply, time.monotonic() - began)
    raise AssertionError("unreachable")


async def check_answers(config: Settings, what: str) -> None:
    """Check that an endpoint answers.

    Raises:
        UsageError: it does not; `what` begins the sentence.
    """
    try:
        await ask_about(config, SAMPLE)
    except KefuError as error:
        raise UsageError(
            f"{what}, which does not answer ({error}). Nothing was changed: deploy it again, or name another endpoint "
            "in the block."
        ) from error
