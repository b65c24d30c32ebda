"""Asking an endpoint about one conversation, outside of any day."""

from datetime import date
from uuid import uuid4

from flows.wiring.labeled import conversation_in
from flows.wiring.services import connect
from flows.wiring.settings import Settings
from flows.wiring.steps import preparing
from tasks.calling.rules.retry_policy import RetryPolicy
from tasks.domain.errors import KefuError, UsageError
from tasks.domain.records import Answer, GivenUp, Request
from tasks.evaluating.open_caller import open_caller
from tasks.preparing.prompts import Prompt, load_prompt
from tasks.preparing.requests import ask_again

SAMPLE = "用户：你好，我买的杯子到现在还没发货。\n客服：您好，今天下午安排发货，请您耐心等待。\n用户：好的，谢谢。"
"""A conversation of the project's own, for asking whether somebody answers."""

_NAMESPACE = "trials"


async def ask_about(config: Settings, text: str, prompt: Prompt | None = None) -> tuple[Request, Answer | GivenUp]:
    """The endpoint's answer about one dialogue; the request holds the prompt as it was sent.

    Raises:
        EndpointUnusable: it can't be asked.
        UsageError: the text is no dialogue.
    """
    conversation = conversation_in(text, "trial", "trial", 1)
    if not conversation.turns:
        raise UsageError("The text is no dialogue: a line for each message, beginning with 用户： or 客服：.")
    prompt = prompt or load_prompt(config.prompt)
    async with connect(config, date.min) as services:
        request = preparing(config, services.summarizer.model)(conversation)
        request = ask_again(request, prompt=prompt, model=services.summarizer.model)
        async with open_caller(
            services.summarizer,
            services.limiter,
            warehouse=services.warehouse,
            namespace=f"{_NAMESPACE}/{uuid4()}",
            run_id=str(uuid4()),
            scratch=services.scratch,
            prompt_version=prompt.version,
            retry_policy=RetryPolicy(max_attempts=config.max_attempts),
            give_up_seconds=config.give_up_seconds,
        ) as caller:
            return request, await caller.answer(request)


async def check_answers(config: Settings, what: str) -> None:
    """Check that an endpoint answers.

    Raises:
        UsageError: it does not; `what` begins the sentence.
    """
    try:
        _, answer = await ask_about(config, SAMPLE)
    except KefuError as error:
        raise UsageError(
            f"{what}, which does not answer ({error}). Nothing was changed: deploy it again, or name another endpoint "
            "in the block."
        ) from error
    if isinstance(answer, GivenUp):
        raise UsageError(f"{what}, which does not answer ({answer.detail}). Nothing was changed.")
