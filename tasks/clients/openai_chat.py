"""Chat completions: a summarizer for any OpenAI-compatible server, and the exchange that Qianfan's V2 shares."""

from collections.abc import Callable, Mapping
from urllib.parse import urlsplit, urlunsplit

import orjson

from tasks.clients.chat_replies import completion_reply
from tasks.clients.http_pool import Call, ConnectionLimits, Pool, address
from tasks.domain.model_options import ModelOptions
from tasks.domain.records import Reply, Request

_PATH = "/chat/completions"


class ChatCompletions:
    """One address and one model, called over pooled connections.

    Args:
        url: of the chat completions.
        model: the server's name for the model.
        options: of the model.
        pool: whose connections are used.
    """

    def __init__(self, url: str, model: str, options: ModelOptions, pool: Pool) -> None:
        self.url = url
        self._options = options
        self._body = {"model": model, **options.body()}
        self._headers = {"Content-Type": "application/json", **options.headers}
        self._pool = pool

    async def ask(self, prompt: str, on_sent: Callable[[], None], headers: Mapping[str, str]) -> Reply:
        """One call, no retries; raises as the port of summarizers does."""
        call = Call(on_sent, prompt)
        data = orjson.dumps({**self._body, "messages": self._options.messages(prompt)})
        body = await self._pool.send(call, "POST", self.url, {**self._headers, **headers}, data=data)
        return completion_reply(body, call.headers, address(self.url), self._pool.secrets, prompt)


class OpenAISummarizer:
    """A model behind any OpenAI-compatible server: vLLM, Ollama and their like.

    Args:
        model: the server's name for the model.
        base_url: such as `http://localhost:8000/v1`; `/chat/completions` at its end and a query are taken as well.
        api_key: sent as a bearer token; empty for servers that ask for none.
        options: of the model.
        limits: of connections and times.
    """

    def __init__(
        self,
        model: str,
        *,
        base_url: str,
        api_key: str = "",
        options: ModelOptions | None = None,
        limits: ConnectionLimits | None = None,
    ) -> None:
        self._model = model
        self._headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._pool = Pool(limits or ConnectionLimits(), (api_key, urlsplit(base_url).password or ""))
        self._chat = ChatCompletions(completions_url(base_url), model, options or ModelOptions(), self._pool)

    @property
    def model(self) -> str:
        """The model's name."""
        return self._model

    @property
    def paid(self) -> bool:
        """Calls are paced and their answers kept, also on a server of one's own: its time costs."""
        return True

    async def summarize(self, request: Request, on_sent: Callable[[], None]) -> Reply:
        """One call, no retries; raises as the port does."""
        return await self._chat.ask(request.prompt, on_sent, self._headers)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._pool.aclose()


def completions_url(base_url: str) -> str:
    """The address of the chat completions, for a base address with or without them at its end, query kept."""
    parts = urlsplit(base_url)
    path = parts.path.rstrip("/").removesuffix(_PATH) + _PATH
    return urlunsplit((parts.scheme, parts.netloc, path, parts.query, ""))
