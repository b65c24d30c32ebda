"""A summarizer for Qianfan through its SDK: deployed V1 endpoints and V2 models.

The SDK builds, signs and parses; connections, the reading of errors and bearer tokens are ours, because the
SDK opens a connection a call, hides status and headers of refusals and blocks the loop to fetch tokens.
"""

import asyncio
import contextlib
import logging
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit
from uuid import uuid4

import baidubce.utils
import orjson
import qianfan
from aiohttp import ClientError, ClientResponse
from qianfan.config import Config
from qianfan.errors import QianfanError
from qianfan.resources.auth.iam import iam_sign
from qianfan.resources.llm.base import UNSPECIFIED_MODEL
from qianfan.resources.typing import QfRequest

from tasks.clients import http_pool as http
from tasks.clients.http_pool import Call, Pool
from tasks.domain.errors import CredentialsRefused, KefuError, QuotaScope, TransientFault, UsageError
from tasks.domain.records import Reply, Request

T = TypeVar("T")

_QUOTA: Mapping[int, QuotaScope] = {
    4: "requests",
    18: "queries_per_second",
    336100: "overload",
    336501: "requests",
    336502: "tokens",
}

_EXPIRED = frozenset({110, 111})

_FAULTS: Mapping[int, Callable[[str], KefuError]] = {
    **dict.fromkeys((6, 13, 14, 336004), http.credentials_refused),
    **dict.fromkeys((3, 15, 336005), http.endpoint_missing),
    **dict.fromkeys((17, 19), http.allowance_used_up),
    **dict.fromkeys((336104, 336105), http.content_refused),
    336103: http.input_too_long,
}

_INVALID = frozenset({100, 336001, 336002, 336003, 336006, 336007})

_TOKEN_SECONDS = 86_400

_ENDPOINT = re.compile(r"[A-Za-z0-9]+([-_./:][A-Za-z0-9]+)*")

# A token or signature that the service calls expired this often with no accepted call between is a wrong one.
_EXPIRIES_IN_A_ROW = 3


@dataclass(frozen=True, slots=True)
class QianfanCredentials:
    """An access key pair, or a bearer token; the pair wins, because it never expires."""

    access_key: str = field(default="", repr=False)
    secret_key: str = field(default="", repr=False)
    bearer_token: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        if not (self.bearer_token or (self.access_key and self.secret_key)):
            raise UsageError(
                "Qianfan needs credentials: set QIANFAN_ACCESS_KEY and QIANFAN_SECRET_KEY, or QIANFAN_BEARER_TOKEN."
            )

    @property
    def has_pair(self) -> bool:
        """Whether requests can be signed."""
        return bool(self.access_key and self.secret_key)


_current: ContextVar[Call] = ContextVar("current_call")


class _Messages(list[dict[str, str]]):
    """The SDK copies deeply what it is given, three times a call; nobody changes it."""

    def __deepcopy__(self, _memo: object) -> Self:
        return self


class _PooledClient:
    """Stands where the SDK's HTTPClient stood; answers its one asynchronous call from the pool."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def arequest(self, request: QfRequest) -> tuple[ClientResponse, contextlib.AbstractAsyncContextManager[None]]:
        """Send, and raise every refusal as ours, so that the SDK neither logs it nor sends again."""
        call = _current.get()
        response = await self._pool.send(call, **request.requests_args())
        body = await response.read()
        if b'"error_code"' in body:
            with contextlib.suppress(ValueError, TypeError, KeyError):
                error = orjson.loads(body)
                code, message = int(error["error_code"]), str(error.get("error_msg", ""))
                raise code_fault(code, message, call, request.url)
        return response, contextlib.nullcontext()


class QianfanSummarizer:
    """One endpoint, called through the SDK.

    Args:
        endpoint: `ID` is a service deployed on the platform (V1, `.../chat/ID`);
            `v2:NAME` is a model of the V2 interface.
        credentials: a key pair signs V1 calls and fetches V2's bearer tokens; a bearer token is sent as is.
        base_url: V1's address.
        console_url: V2's address.
        iam_url: where bearer tokens come from.
        timeout_seconds: for one whole call.
        connections: how many are kept open at most.
        max_tokens: of an answer; four short fields need far less.
        temperature: low, so that the same conversation gets the same answer.

    Raises:
        UsageError: the endpoint cannot be one.
    """

    def __init__(
        self,
        endpoint: str,
        *,
        credentials: QianfanCredentials,
        base_url: str = "https://aip.baidubce.com",
        console_url: str = "https://qianfan.baidubce.com",
        iam_url: str = "https://iam.bj.baidubce.com",
        timeout_seconds: float = 30.0,
        connections: int = 128,
        max_tokens: int = 512,
        temperature: float = 0.01,
    ) -> None:
        self._v2 = endpoint.startswith("v2:")
        self._model = endpoint.removeprefix("v2:")
        if not _ENDPOINT.fullmatch(self._model):
            raise UsageError(
                f"--endpoint {endpoint!r} is neither a service ID nor v2:MODEL; copy it from the Qianfan console."
            )
        _silence()
        _quicken_signer()
        self._pool = Pool(connections, timeout_seconds)
        self._credentials = credentials
        self._token = _BearerToken(credentials, iam_url, self._pool)
        self._signs = credentials.has_pair and not self._v2
        self._expiries = 0
        self._url = console_url if self._v2 else base_url
        limit = "max_tokens" if self._v2 else "max_output_tokens"
        self._options: dict[str, Any] = {
            "temperature": temperature,
            limit: max_tokens,
            "retry_count": 1,
            "request_timeout": timeout_seconds,
        }
        self._chat = self._connect(base_url, console_url, iam_url)

    def _connect(self, base_url: str, console_url: str, iam_url: str) -> Any:
        # Everything is explicit, so that no environment, .env or other endpoint mixes in. A key pair stays
        # out of the configuration: with one there the SDK lists the account's services at its first use.
        config = Config(
            _env_file=None,
            BASE_URL=base_url.rstrip("/"),
            CONSOLE_API_BASE_URL=console_url.rstrip("/"),
            IAM_BASE_URL=iam_url.rstrip("/"),
            AK=None,
            SK=None,
            ACCESS_KEY=None,
            SECRET_KEY=None,
            ACCESS_TOKEN=None,
            BEARER_TOKEN=None,
            ENABLE_PRIVATE=False,
            V2_INFER_API_DOWNGRADE=False,
            NO_AUTH=not self._signs,
        )
        keys = (
            {"access_key": self._credentials.access_key, "secret_key": self._credentials.secret_key}
            if self._signs
            else {}
        )
        name = {"version": "2", "model": self._model} if self._v2 else {"endpoint": self._model}
        # The version's own object: its front looks for V1 siblings of a V2 model on every construction.
        chat = qianfan.ChatCompletion(config=config, forcing_disable=True, **name, **keys)._real
        chat._client._client = _PooledClient(self._pool)
        if not self._v2:
            # The SDK builds its table of models anew twice a call, 0.5 ms, to look up these two.
            models = chat._self_supported_models()
            needed = {name: models[name] for name in (UNSPECIFIED_MODEL, chat._default_model())}
            chat._self_supported_models = lambda: needed
        # Counted for the SDK's own limiter, which is off.
        chat._client._get_token_count_from_body = lambda body: 0
        # One call is one attempt; what would try again is built anew for every call: 0.15 ms.
        chat._client._async_with_retry = _once
        return chat

    @property
    def model(self) -> str:
        """The service ID or model name."""
        return self._model

    @property
    def paid(self) -> bool:
        """Every call is billed."""
        return True

    async def summarize(self, request: Request, on_sent: Callable[[], None]) -> Reply:
        """One call, no retries; raises as the port says.

        An expired token ends the call as a TransientFault and is replaced: the next try is paced as well.
        """
        options = self._options
        token = ""
        if not self._signs:
            token = await self._token.get()
            options = {**options, "headers": {"Authorization": f"Bearer {token}"}}
        call = Call(on_sent)
        _current.set(call)
        try:
            reply = await self._chat.ado(
                messages=_Messages([{"role": "user", "content": request.prompt}]),
                request_id=uuid4().hex[:16],  # making one takes the SDK 0.05 ms
                **options,
            )
        except Expired as error:
            raise self._expired(error, token) from error
        except CredentialsRefused as error:
            if self._token.renewable(token):
                raise self._expired(error, token) from error
            raise
        except KefuError:
            raise
        except (QianfanError, ClientError, TypeError, AttributeError, ValueError) as error:
            # What is left is a 200 that the SDK could not read.
            raise http.broken_reply(self._url) from error
        self._expiries = 0
        if self._v2:
            return http.completion_reply(reply.body, call.headers, self._url)
        return self._v1_reply(reply.body, call.headers)

    def _v1_reply(self, body: dict[str, Any], headers: Mapping[str, str]) -> Reply:
        try:
            text, usage = body["result"], body.get("usage") or {}
            tokens = int(usage.get("prompt_tokens") or 0), int(usage.get("completion_tokens") or 0)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise http.broken_reply(self._url) from error
        if not isinstance(text, str):
            raise http.broken_reply(self._url)
        return Reply(
            text,
            *tokens,
            cut_off=bool(body.get("is_truncated")) or body.get("finish_reason") == "length",
            refused=bool(body.get("need_clear_history")) or body.get("finish_reason") == "content_filter",
            limits=http.read_limits(headers),
        )

    def _expired(self, error: KefuError, token: str) -> KefuError:
        if not token or self._token.is_current(token):
            self._expiries += 1
            self._token.forget(token)
        if self._expiries >= _EXPIRIES_IN_A_ROW or (token and not self._credentials.has_pair):
            return error if isinstance(error, CredentialsRefused) else http.credentials_refused(str(error))
        return TransientFault(f"{error}: the token or signature had expired; the next try takes a new one.")

    async def aclose(self) -> None:
        """Close the connections."""
        await self._pool.aclose()


class Expired(KefuError):
    """Error 110 or 111."""


def code_fault(code: int, message: str, call: Call, url: str) -> KefuError:
    """What an error code of V1 means, which comes with status 200."""
    where = f"{http.address(url)} answered with error {code}"
    if code in _QUOTA:
        return http.quota_refused(where, _QUOTA[code], call.headers)
    if code in _EXPIRED:
        return Expired(where)
    if code in _FAULTS:
        return _FAULTS[code](where)
    if http.says_unsafe(message):
        return http.content_refused(where)
    if code in _INVALID:
        return http.input_too_long(where) if http.says_too_long(message) else http.request_invalid(where)
    return TransientFault(f"{where}; worth trying again.")


class _BearerToken:
    """A given token, or one fetched for a key pair: by one caller, while the others wait for it."""

    def __init__(self, credentials: QianfanCredentials, iam_url: str, pool: Pool) -> None:
        self._credentials = credentials
        self._iam_url = iam_url.rstrip("/")
        self._pool = pool
        self._lock = asyncio.Lock()
        self._token = "" if credentials.has_pair else credentials.bearer_token
        self._expires = float("inf")

    def is_current(self, token: str) -> bool:
        """Whether calls are made with this token now."""
        return token == self._token

    def renewable(self, token: str) -> bool:
        """Whether a new token can take this one's place."""
        return bool(token) and self._credentials.has_pair

    def forget(self, token: str) -> None:
        """Fetch a new token at the next call, where there is a key pair to do it with."""
        if self.renewable(token):
            self._token = ""

    async def get(self) -> str:
        """The token to send."""
        if self._valid():
            return self._token
        async with self._lock:
            if not self._valid():
                self._token = await self._fetch()
                self._expires = time.monotonic() + _TOKEN_SECONDS * 0.9
        return self._token

    def _valid(self) -> bool:
        return bool(self._token) and time.monotonic() < self._expires

    async def _fetch(self) -> str:
        path = "/v1/BCE-BEARER/token"
        query = {"expireInSeconds": str(_TOKEN_SECONDS)}
        headers = {"Content-Type": "application/json", "Host": urlsplit(self._iam_url).netloc}
        signed = QfRequest(method="GET", url=path, query=query, headers=headers)
        iam_sign(self._credentials.access_key, self._credentials.secret_key, signed)
        url = self._iam_url + path
        response = await self._pool.send(Call(lambda: None), "GET", url, params=query, headers=signed.headers)
        try:
            token = orjson.loads(await response.read())["token"]
        except (orjson.JSONDecodeError, KeyError, TypeError) as error:
            raise TransientFault(f"{url}: no token in the reply; worth trying again.") from error
        return str(token)


async def _once(_config: object, call: Callable[..., Awaitable[T]], *arguments: object) -> T:
    return await call(*arguments)


def _quicken_signer() -> None:
    """Of what is escaped for a signature, byte by byte, nearly all is the same in every call: 0.15 ms."""
    if not hasattr(baidubce.utils.normalize_string, "cache_info"):
        baidubce.utils.normalize_string = lru_cache(maxsize=256)(baidubce.utils.normalize_string)


def _silence() -> None:
    """Our errors say it all; the SDK logs replies, and the signer keys at DEBUG."""
    logging.getLogger("qianfan").setLevel(logging.CRITICAL + 1)
    logging.getLogger("baidubce.auth.bce_v1_signer").setLevel(logging.WARNING)
