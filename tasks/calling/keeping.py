"""Keeping of answers: masked and written, those that arrive in one turn of the event loop together.

Masked one by one, texts take twice as long as many at once.
"""

import asyncio
from datetime import UTC, datetime
from typing import Final, NamedTuple

from tasks.calling.response_cache import ResponseCache
from tasks.domain.records import Answer, Outcome, Reply, Request
from tasks.preparing import masking
from tasks.preparing.masking import mask

_NO_REPLY: Final = Reply("", 0, 0)


class _Arrived(NamedTuple):
    """The end of a call, and who waits for its answer to be stored."""

    request: Request
    outcome: Outcome
    text: str
    attempts: int
    seconds: float
    reply: Reply
    place: "asyncio.Future[Answer]"

    @property
    def is_masked(self) -> bool:
        """Return true where personal data is replaced before anything is stored."""
        return self.request.replacements is not None


class Keeping:
    """Makes answers of how calls ended, and stores each before whoever made the call goes on.

    Belongs to one event loop.

    Args:
        answers: where they are kept.
        model: what they name as their model.
        prompt_version: what they name as their prompt.
        max_tokens: what they name as their limit.
        run_id: what they name as their run.
    """

    def __init__(self, answers: ResponseCache, model: str, prompt_version: str, max_tokens: int, run_id: str) -> None:
        self._answers = answers
        self._model = model
        self._prompt_version = prompt_version
        self._max_tokens = max_tokens
        self._run_id = run_id
        self._arrived: list[_Arrived] = []

    async def keep(
        self,
        request: Request,
        outcome: Outcome,
        text: str,
        attempts: int,
        seconds: float = 0.0,
        reply: Reply = _NO_REPLY,
    ) -> Answer:
        """Return the answer once it is stored. It is stored even where the wait for it is cancelled."""
        loop = asyncio.get_running_loop()
        if not self._arrived:
            # Whatever arrived at the same time is handled before the loop's next turn begins.
            loop.call_soon(self._keep_arrived)
        place: asyncio.Future[Answer] = loop.create_future()
        self._arrived.append(_Arrived(request, outcome, text, attempts, seconds, reply, place))
        return await place

    async def keep_reply(self, request: Request, reply: Reply, attempts: int, seconds: float) -> Answer:
        """Return a reply's answer once it is stored."""
        return await self.keep(request, _outcome(reply), reply.text, attempts, seconds, reply)

    def unpaid(self, request: Request, reply: Reply) -> Answer:
        """The answer of a reply that costs nothing: it quotes a text that is masked already, and is not kept."""
        return self._answer(request, _outcome(reply), reply.text, 1, 0.0, reply)

    def _keep_arrived(self) -> None:
        arrived, self._arrived = self._arrived, []
        try:
            if len(arrived) > 1:
                masking.look_ahead(came.text for came in arrived if came.is_masked)
            answers = [
                self._answer(came.request, came.outcome, mask(came.text) if came.is_masked else came.text, *came[3:6])
                for came in arrived
            ]
            self._answers.put_all(answers)
        except Exception as error:
            for came in arrived:
                if not came.place.done():
                    came.place.set_exception(error)
            return
        for came, answer in zip(arrived, answers, strict=True):
            if not came.place.done():
                came.place.set_result(answer)

    def _answer(
        self, request: Request, outcome: Outcome, text: str, attempts: int, seconds: float, reply: Reply
    ) -> Answer:
        return Answer(
            request_hash=request.request_hash,
            content_hash=request.content_hash,
            outcome=outcome,
            text=text,
            model=self._model,
            prompt_version=self._prompt_version,
            prompt_tokens=reply.prompt_tokens,
            completion_tokens=reply.completion_tokens,
            latency_ms=round(seconds * 1000),
            attempts=attempts,
            answered_at=datetime.now(UTC),
            run_id=self._run_id,
            cut_off=reply.cut_off,
            max_tokens=self._max_tokens,
            cached_tokens=reply.cached_tokens,
        )


def _outcome(reply: Reply) -> Outcome:
    return "refused" if reply.refused else "lost_to_thinking" if reply.lost_to_thinking else "answered"
