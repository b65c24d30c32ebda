"""A summary by rules, without any model: the embedded default and the floor that models are compared with.

It quotes and does not understand: the issues and the plan are sentences of the dialogue, acceptance and mood are read
off words. It misses irony and hints. Where the words give no sign, the verdict is 未明确.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

import orjson

from tasks.calling.rules.offline.plan import plan_of
from tasks.calling.rules.offline.sentences import issues_of
from tasks.calling.rules.offline.verdicts import acceptance_of, mood_of, talks_back
from tasks.domain.records import Answer, Conversation, Request, Turn

OFFLINE_MODEL: Final = "offline-rules"

OFFLINE_VERSION: Final = "offline-v5"

_WORDS: Final = {True: "是", False: "否", None: "未明确"}


def summarize_offline(turns: Sequence[Turn]) -> str:
    """The four-key JSON text that a trained model would answer.

    An issue or plan that was not found is left out; several issues stand side by side. The two verdicts are 是, 否 or
    未明确.
    """
    answer: dict[str, str] = {}
    if issues := issues_of(turns):
        answer["用户问题"] = "；".join(issues)
    plan = plan_of(turns)
    if plan is not None:
        answer["客服方案"] = plan.text
    mood = mood_of(turns)
    accepted = None if plan is None else acceptance_of(turns, plan.turn)
    if plan is not None and accepted is None and mood and talks_back(turns):
        accepted = False
    answer["是否接受"] = _WORDS[accepted]
    answer["是否负面情绪"] = _WORDS[mood]
    return orjson.dumps(answer).decode()


def prepare_and_answer(prepare: Callable[[Conversation], Request], conversation: Conversation) -> Request:
    """Return the prepared request with the rules' answer: they take time, and a worker process has it."""
    request = prepare(conversation)
    return replace(request, offline_answer=summarize_offline(request.turns))


def answer_by_rules(
    request: Request, *, prompt_version: str, max_tokens: int, run_id: str, answered_at: datetime
) -> Answer:
    """Return the rules' answer to a request as a summarizer's answer is kept: it took no time and no tokens."""
    return Answer(
        request_hash=request.request_hash,
        content_hash=request.content_hash,
        outcome="answered",
        text=summarize_offline(request.turns),
        model=OFFLINE_MODEL,
        prompt_version=prompt_version,
        prompt_tokens=0,
        completion_tokens=0,
        latency_ms=0,
        attempts=1,
        answered_at=answered_at,
        run_id=run_id,
        max_tokens=max_tokens,
    )
