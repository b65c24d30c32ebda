"""The summarizer without a model, behind the same port as the others."""

from collections.abc import Callable

from tasks.calling.rules.offline.summary import OFFLINE_MODEL, summarize_offline
from tasks.domain.records import Reply, Request


class OfflineSummarizer:
    """Answers by rules at once: no network, no quota, no tokens, never an error."""

    @property
    def model(self) -> str:
        """The rules' name."""
        return OFFLINE_MODEL

    @property
    def paid(self) -> bool:
        """Nothing to pace or to keep."""
        return False

    async def summarize(self, request: Request, on_sent: Callable[[], None]) -> Reply:
        """The rules' answer to the turns that a model would have been sent."""
        on_sent()
        text = summarize_offline(request.turns) if request.offline_answer is None else request.offline_answer
        return Reply(text, prompt_tokens=0, completion_tokens=0)

    async def aclose(self) -> None:
        """Nothing is held."""
