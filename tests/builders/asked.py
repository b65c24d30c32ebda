"""Requests about small conversations, and a caller that is asked about many of them at once."""

import asyncio
from collections.abc import Sequence

from tasks.calling.caller import Caller
from tasks.domain.records import Answer, Conversation, GivenUp, Request


def requests(number: int) -> list[Request]:
    texts = [f"用户：第{n}单什么时候发货\n客服：今天下午安排发货" for n in range(number)]
    return [
        Request(Conversation(f"c{n}", (), "a", n), (), text, text, False, f"c{n}", f"r{n}", 60)
        for n, text in enumerate(texts)
    ]


async def ask_all(caller: Caller, asked: Sequence[Request]) -> list[Answer | GivenUp | BaseException]:
    """Ask about all at once, as a run does: the first error stops the caller. Errors are among the outcomes."""

    async def answer(request: Request) -> Answer | GivenUp:
        try:
            return await caller.answer(request)
        except BaseException:
            caller.stop()
            raise

    return await asyncio.gather(*map(answer, asked), return_exceptions=True)
