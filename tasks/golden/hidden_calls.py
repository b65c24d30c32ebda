"""Golden conversations asked among a night's others: by the same model, prompt, queue and quota, kept apart."""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from typing import Any, Final

from tasks.calling.caller_beside import CallerBeside
from tasks.calling.response_cache import ResponseCache
from tasks.calling.rules.usage import UsageTotals
from tasks.domain.errors import CeilingReached, EndpointUnusable
from tasks.domain.records import Answer, Request
from tasks.golden.rules.judging import golden_row
from tasks.golden.rules.spreading import Spread, mixed
from tasks.parsing.rows import row_or_reject
from tasks.reading.batches import Batch, closing_batches
from tasks.reviewing.rules.holdout import is_held_out
from tasks.reviewing.rules.labels import Label, LabeledExample

NAMESPACE: Final = "golden"

_Logger = logging.Logger | logging.LoggerAdapter[logging.Logger]

Asked = tuple[Request, Label]


def choose(labeled: Sequence[LabeledExample], number: int, as_asked: Callable[[Request], Request]) -> list[Asked]:
    """The golden conversations of a night: the same ones every night, those that no tuning trains on first.

    Args:
        labeled: everything that people labeled.
        number: how many are asked a night.
        as_asked: makes a dialogue the night's request.
    """
    distinct = {example.content_hash: example for example in labeled}.values()
    ordered = sorted(distinct, key=lambda label: (not is_held_out(label.content_hash), label.content_hash))
    return [(as_asked(example.request), example.label) for example in ordered[:number]]


class HiddenCalls:
    """Hides golden conversations among the calls of a night.

    Their answers are kept for this day alone, so that every night asks anew and a run that begins again does not.

    Args:
        golden: what is asked, with what people say of it.
        caller: beside the night's own, with the answers kept apart.
        ahead: the night's own answers, where a batch job may have answered them; None otherwise.
        chance: picks their places.
        logger: says what could not be asked.

    Attributes:
        rows: of GOLDEN, one for each that was answered.
        paid: what this run paid for them, whoever asked; a batch job's part is in the night's own totals already.
        caller: whose totals are not.
    """

    def __init__(
        self,
        golden: Sequence[Asked],
        caller: CallerBeside,
        ahead: ResponseCache | None,
        chance: random.Random,
        logger: _Logger,
    ) -> None:
        self.rows: list[dict[str, Any]] = []
        self.paid = UsageTotals()
        self.caller = caller
        self._ahead = ahead
        self._chance = chance
        self._logger = logger
        self._golden = golden
        self._among: dict[int, list[Asked]] = {}

    async def spread(self, batches: AsyncIterator[Batch], read_share: Callable[[], float]) -> AsyncIterator[Batch]:
        """Yield the night's batches, and settle which golden conversations go among which."""
        spread = Spread(self._golden, self._chance)
        waiting: tuple[Batch, float] | None = None
        async with closing_batches(batches):
            async for batch in batches:
                if waiting is not None:
                    yield self._with_some(spread, *waiting)
                waiting = batch, read_share()
        if waiting is not None:
            yield self._with_some(spread, waiting[0], 1.0, is_last=True)

    async def as_requests(self, batches: AsyncIterator[Batch]) -> AsyncIterator[Batch]:
        """Yield the night's batches with all golden requests among those of the first, for a batch job's prompts."""
        golden = [request for request, _ in self._golden]
        async with closing_batches(batches):
            async for batch in batches:
                yield Batch(batch.number, mixed(batch.requests, golden, self._chance), batch.rejects)
                golden = []

    def hide(self, batch: Batch, settling: Sequence[Coroutine[Any, Any, Any]]) -> list[Coroutine[Any, Any, Any]]:
        """Return a batch's calls with golden ones at places drawn by chance; those settle to None."""
        return mixed(settling, [self._ask(asked) for asked in self._among.pop(batch.number, ())], self._chance)

    def _with_some(self, spread: Spread[Asked], batch: Batch, share: float, *, is_last: bool = False) -> Batch:
        self._among[batch.number] = spread.deal(share, is_last=is_last)
        return batch

    async def _ask(self, asked: Asked) -> None:
        request, label = asked
        try:
            known = self._ahead.get(request, exact=True) if self._ahead else None
            answer = known or await self.caller.answer(request)
        except (EndpointUnusable, CeilingReached) as error:
            # The night is what counts: where it can't go on either, its own calls end it.
            self._logger.warning("A golden conversation was not asked: %s", error)
            return
        if not isinstance(answer, Answer):
            return  # given up while others passed: a fault of a call, not of the model
        if answer.run_id == self.caller.run_id:
            self.paid.add(answer)
        outcome = await asyncio.to_thread(row_or_reject, request, answer)
        self.rows.append(golden_row(label, request, answer, outcome, answer.answered_at))
