"""Calls of Qianfan's console API: built by the SDK, sent on our own connections.

The SDK builds every request and signs it; sending and the reading of errors are ours. The SDK's own way keeps the keys
in a configuration for the whole process (given per call they go into the request's body, in the clear), blocks, and
drops the error's code. What it has on top (`LLMFinetune.run`, `Service.deploy`, `Prompt.optimize`) holds a process
until the platform is done and, begun again, asks for everything a second time.
"""

import asyncio
import inspect
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import orjson
from qianfan.resources.auth.iam import iam_sign
from qianfan.resources.typing import QfRequest

from tasks.clients.http_pool import address
from tasks.clients.qianfan.credentials import QianfanCredentials
from tasks.domain.errors import PlatformBusy, PlatformError, PlatformRefused, PlatformUnavailable, UsageError
from tasks.domain.nesting import is_deep

_TRANSIENT = frozenset({4, 18, 336000, 336100, 500000})

_BUSY = frozenset({510203, 510402, "TaskRunningNumberExceedLimit"})

_PAGE = 100


class ConsoleApi:
    """The console of an account.

    Args:
        credentials: a key pair; the console takes no bearer token.
        url: the console API's address.
        timeout_seconds: for one call.
        attempts: of a call that only reads.
        retry_seconds: before the second attempt; doubled before each further one.

    Raises:
        UsageError: there is no key pair.
    """

    def __init__(
        self,
        credentials: QianfanCredentials,
        url: str,
        *,
        timeout_seconds: float,
        attempts: int,
        retry_seconds: float,
    ) -> None:
        if not credentials.has_pair:
            raise UsageError("The Qianfan console needs a key pair: set QIANFAN_ACCESS_KEY and QIANFAN_SECRET_KEY.")
        logging.getLogger("baidubce.auth.bce_v1_signer").setLevel(logging.WARNING)  # it logs keys at DEBUG
        self._credentials = credentials
        self._url = url.rstrip("/")
        self._timeout_seconds = timeout_seconds
        self._attempts = attempts
        self._retry_seconds = retry_seconds
        self._open_session: aiohttp.ClientSession | None = None

    async def pages(self, listing: Callable[..., Any], *arguments: Any, **filters: Any) -> AsyncIterator[Any]:
        """Everything that a listing of the SDK's has, over all its pages."""
        marker = None
        while True:
            page = await self.read(listing, *arguments, marker=marker, max_keys=_PAGE, **filters)
            for item in _listed(page):
                yield item
            info = page.get("pageInfo") or {}
            if not info.get("isTruncated") or info.get("nextMarker") in (None, "", marker):
                return
            marker = info["nextMarker"]

    async def read(self, call: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        """Make a call that may be made twice, until it is answered; return its result."""
        for attempt in range(1, self._attempts):
            try:
                return await self.send(call, *arguments, **options)
            except PlatformUnavailable:
                await asyncio.sleep(self._retry_seconds * 2 ** (attempt - 1))
        return await self.send(call, *arguments, **options)

    async def send(self, call: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        """A call, made once; returns its result.

        Raises:
            PlatformUnavailable: no readable reply came; what was asked for may have been done.
            PlatformBusy: the platform does no more at once.
            PlatformRefused: it does not take the request or the key.
        """
        # What the SDK's decorators wrap makes the request and nothing else.
        build = inspect.unwrap(getattr(call, "__func__", call))
        owner = [call.__self__] if inspect.ismethod(call) else []
        request: QfRequest = build(*owner, *arguments, **options)
        request.headers |= {"Content-Type": "application/json", "Host": urlsplit(self._url).netloc}
        iam_sign(self._credentials.access_key, self._credentials.secret_key, request)
        what = f"{address(self._url)}{request.url} {request.query.get('Action', '')}".rstrip()
        try:
            async with self._session.request(
                request.method,
                self._url + request.url,
                params=request.query,
                headers=request.headers,
                data=orjson.dumps(request.json_body),
            ) as response:
                status, body = response.status, await response.read()
        except TimeoutError:
            raise PlatformUnavailable(f"{what}: no reply within {self._timeout_seconds:g} s; try again.") from None
        except (aiohttp.ClientError, OSError) as error:
            raise PlatformUnavailable(f"{what}: no reply ({type(error).__name__}); try again.") from None
        return _result(what, status, body)

    async def download(self, url: str) -> bytes:
        """The object at an address that a reply named, fetched until it is there.

        Raises:
            PlatformUnavailable: it can't be fetched; the address may be signed, so it is not named.
        """
        for attempt in range(1, self._attempts + 1):
            try:
                async with self._session.get(url) as response:
                    if response.status == 200:
                        return await response.read()
            except (TimeoutError, aiohttp.ClientError, OSError):
                pass
            if attempt < self._attempts:
                await asyncio.sleep(self._retry_seconds * 2 ** (attempt - 1))
        raise PlatformUnavailable(f"A row of a dataset on {address(self._url)} can't be downloaded; try again.")

    async def aclose(self) -> None:
        """Close the connections."""
        if self._open_session is not None:
            await self._open_session.close()

    @property
    def _session(self) -> aiohttp.ClientSession:
        if self._open_session is None:
            self._open_session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=self._timeout_seconds), cookie_jar=aiohttp.DummyCookieJar()
            )
        return self._open_session


def platform_uri(uri: str) -> str:
    """A `bos://` address as the platform spells it."""
    return uri.replace("bos://", "bos:/", 1)


class Result(dict[str, Any]):
    """A result, or an object in it; a name that it does not have is an unreadable reply, not a bug of ours."""

    def __init__(self, what: str, found: Mapping[str, Any]) -> None:
        super().__init__({name: _wrapped(what, value) for name, value in found.items()})
        self.what = what

    def __missing__(self, name: str) -> Any:
        raise PlatformUnavailable(f"{self.what}: the reply has no {name}; check the Qianfan console before going on.")


def _wrapped(what: str, value: Any) -> Any:
    if isinstance(value, dict):
        return Result(what, value)
    return [_wrapped(what, item) for item in value] if isinstance(value, list) else value


def _listed(page: Result) -> list[Any]:
    """The items of a page: under another name in every listing, null where there are none.

    Raises:
        PlatformUnavailable: it lists nothing at all. Taken for an empty page, what is there would be created again.
    """
    lists = [value for value in page.values() if isinstance(value, list)]
    if len(lists) == 1:
        return lists[0]
    if not lists and None in page.values():
        return []
    raise PlatformUnavailable(f"{page.what}: the reply is no list; check the Qianfan console before going on.")


def _result(what: str, status: int, body: bytes) -> Any:
    try:
        reply = orjson.loads(body)
        if not isinstance(reply, dict) or is_deep(body, reply):  # a proxy's word, say
            raise TypeError
        if status == 200 and "error_code" not in reply and reply.get("success") is not False:
            return _wrapped(what, reply["result"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        raise PlatformUnavailable(f"{what}: the reply (status {status}) is not readable; try again.") from None
    raise _fault(what, status, reply)


def _fault(what: str, status: int, reply: Mapping[str, Any]) -> PlatformError:
    code = reply.get("error_code", reply.get("code", status))
    spoken = reply.get("error_msg", reply.get("message", ""))
    if isinstance(spoken, dict):  # the oldest calls: {"success": false, "message": {"global": …}}
        spoken = "; ".join(map(str, spoken.values()))
    message = str(spoken)[:300]
    said = f"{what} answered {code}: {message or reply}"[:600]
    if status >= 500 or status == 429 or code in _TRANSIENT:
        return PlatformUnavailable(f"{said}; try again.")
    if code in _BUSY:
        return PlatformBusy(f"{said}; it takes more when something has ended.")
    if status in (401, 403):
        return PlatformRefused(f"{said}; check the key pair and that its user may use the Qianfan console.")
    return PlatformRefused(f"{said}.")
