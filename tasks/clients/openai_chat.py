"""A summarizer for any OpenAI-compatible server: vLLM, Ollama, Qianfan's V2 and their like."""

from collections.abc import Callable

import orjson

from tasks.clients.http_pool import Call, Pool, broken_reply, completion_reply
from tasks.domain.records import Reply, Request


class OpenAISummarizer:
    """Chat completions over pooled connections.

    Args:
        model: the server's name for the model.
        base_url: up to and without `/chat/completions`, such as `http://localhost:8000/v1`.
        api_key: sent as a bearer token; empty for servers that ask for none.
        timeout_seconds: for one whole call.
        connections: how many are kept open at most.
        max_tokens: of an answer; four short fields need far less.
        temperature: low, so that the same conversation gets the same answer.
    """

    def __init__(
        self,
        model: str,
        *,
        base_url: str,
        api_key: str = "",
        timeout_seconds: float = 30.0,
        connections: int = 128,
        max_tokens: int = 512,
        temperature: float = 0.01,
    ) -> None:
        self._model = model
        self._url = base_url.rstrip("/") + "/chat/completions"
        self._headers = {"Content-Type": "application/json"}
        if api_key:
            self._headers["Authorization"] = f"Bearer {api_key}"
        self._options = {"model": model, "max_tokens": max_tokens, "temperature": temperature}
        self._pool = Pool(connections, timeout_seconds)

    @property
    def model(self) -> str:
        """The model's name."""
        return self._model

    @property
    def paid(self) -> bool:
        """Calls are paced and their answers kept, also on a server of one's own: its time costs."""
        return True

    async def summarize(self, request: Request, on_sent: Callable[[], None]) -> Reply:
        """One call, no retries; raises as the port says."""
        call = Call(on_sent)
        data = orjson.dumps({**self._options, "messages": [{"role": "user", "content": request.prompt}]})
        response = await self._pool.send(call, "POST", self._url, data=data, headers=self._headers)
        try:
            body = orjson.loads(await response.read())
        except orjson.JSONDecodeError as error:
            raise broken_reply(self._url) from error
        return completion_reply(body, call.headers, self._url)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._pool.aclose()
