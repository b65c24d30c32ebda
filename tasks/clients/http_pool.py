"""What both endpoint clients share: pooled connections, and what a reply or a fault over HTTP means.

Nothing here knows an SDK. Messages name the address and the service's code; never a key or a prompt.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import SimpleNamespace
from typing import Any

import aiohttp
import orjson

from tasks.domain.errors import (
    AllowanceUsedUp,
    ContentRefused,
    CredentialsRefused,
    EndpointMissing,
    InputTooLong,
    KefuError,
    QuotaRefused,
    QuotaScope,
    RequestInvalid,
    TransientFault,
)
from tasks.domain.records import QuotaHeaders, Reply

_TOO_LONG = ("context_length", "context length", "too long", "too large", "max length", "maximum", "exceed")

_TOO_LONG_ZH = ("过长", "超长", "超过", "超出", "长度")

_UNSAFE = ("content_filter", "content_policy", "unsafe", "sensitive", "敏感", "不安全", "违规")

_UNPAID = ("insufficient_quota", "billing", "unpaid", "arrears", "overdue", "daily", "欠费")

# A quota of a minute that is used up at its beginning leaves connections idle until the next minute; aiohttp's
# 15 s would open them all anew every time.
_KEEP_SECONDS = 75.0


class Call:
    """One request on its way: whether its bytes were written, and the headers that came back."""

    __slots__ = ("headers", "on_sent", "sent")

    def __init__(self, on_sent: Callable[[], None]) -> None:
        self.on_sent = on_sent
        self.sent = False
        self.headers: Mapping[str, str] = {}


async def _chunk_sent(
    _session: aiohttp.ClientSession,
    context: SimpleNamespace,
    _params: aiohttp.TraceRequestChunkSentParams,
) -> None:
    call = context.trace_request_ctx
    if call is not None and not call.sent:
        call.sent = True
        call.on_sent()


class Pool:
    """Connections kept open between calls, opened in the loop that makes the first call.

    Args:
        connections: how many at most.
        timeout_seconds: for one whole call.
    """

    def __init__(self, connections: int, timeout_seconds: float) -> None:
        self._connections = connections
        self.timeout_seconds = timeout_seconds
        self._session: aiohttp.ClientSession | None = None

    @property
    def session(self) -> aiohttp.ClientSession:
        """The one session."""
        if self._session is None or self._session.closed:
            trace = aiohttp.TraceConfig()
            trace.on_request_chunk_sent.append(_chunk_sent)
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=self._connections, keepalive_timeout=_KEEP_SECONDS),
                timeout=aiohttp.ClientTimeout(total=self.timeout_seconds),
                cookie_jar=aiohttp.DummyCookieJar(),
                json_serialize=lambda value: orjson.dumps(value).decode(),
                trace_configs=[trace],
            )
        return self._session

    async def send(self, call: Call, method: str, url: str, **options: Any) -> aiohttp.ClientResponse:
        """One exchange, read whole; the response holds its body and its connection is free again.

        Raises:
            TransientFault: no full reply came.
            KefuError: the status says no; see `status_fault`.
        """
        try:
            # Not `async with`: a response left that way gives its body to nobody. At the body's end the
            # connection goes back to the pool by itself, and read() closes it when it breaks.
            response = await self.session.request(method, url, trace_request_ctx=call, allow_redirects=False, **options)
            body = await response.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise transport_fault(error, url, self.timeout_seconds, call.sent) from error
        call.headers = response.headers
        if response.status != 200:
            raise status_fault(response.status, response.headers, body, url)
        return response

    async def aclose(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()


def address(url: str) -> str:
    """The address without its query, for messages."""
    return url.partition("?")[0]


def read_limits(headers: Mapping[str, str]) -> QuotaHeaders | None:
    """The quota that X-Ratelimit-* headers tell of (Qianfan and OpenAI use the same names)."""
    limits = QuotaHeaders(
        _count(headers.get("X-Ratelimit-Limit-Requests")),
        _count(headers.get("X-Ratelimit-Limit-Tokens")),
        _count(headers.get("X-Ratelimit-Remaining-Requests")),
        _count(headers.get("X-Ratelimit-Remaining-Tokens")),
    )
    return None if limits == _NO_LIMITS else limits


_NO_LIMITS = QuotaHeaders()


def _count(value: str | None) -> int | None:
    # isdecimal takes Chinese digits' kin too; only ASCII ones are a header's number.
    return int(value) if value is not None and value.isascii() and value.isdecimal() else None


def read_retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that the service asks to wait: `retry-after-ms`, or `Retry-After` as seconds or a date."""
    milliseconds = headers.get("retry-after-ms")
    value = headers.get("Retry-After")
    try:
        if milliseconds is not None:
            seconds = float(milliseconds) / 1000
        elif value is None:
            return None
        elif value[:1].isdigit():
            seconds = float(value)
        else:
            seconds = (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds()
    except (ValueError, TypeError):
        return None
    return min(max(0.0, seconds), 3600.0)


def transport_fault(error: BaseException, url: str, timeout_seconds: float, sent: bool) -> TransientFault:
    """No full reply came; it may be paid for once the request's bytes were written."""
    if isinstance(error, TimeoutError):
        what = f"no reply within {timeout_seconds:g} s"
    elif isinstance(error, aiohttp.ClientConnectorError):
        return TransientFault(f"{address(url)} cannot be reached; check the address and the network.")
    else:
        what = f"the connection broke ({type(error).__name__})"
    return TransientFault(f"{address(url)}: {what}; worth trying again.", maybe_paid=sent)


def broken_reply(url: str) -> TransientFault:
    """A 200 whose body is not what the API promises: the work was probably done."""
    return TransientFault(f"{address(url)}: the reply is not readable; worth trying again.", maybe_paid=True)


def status_fault(  # noqa: PLR0911 (one line a meaning)
    status: int, headers: Mapping[str, str], body: bytes, url: str
) -> KefuError:
    """What an HTTP status other than 200 means, with `{"error": {"code", "message", "type"}}` or any body."""
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError:
        parsed = None
    error = parsed.get("error", parsed) if isinstance(parsed, dict) else None
    if not isinstance(error, dict):
        error = {"message": error} if isinstance(error, str) else {}
    code = str(error.get("code") or error.get("type") or "")
    message = str(error.get("message") or "")
    words = f"{code} {error.get('type') or ''} {message}".lower()
    where = f"{address(url)} answered HTTP {status}" + (f" ({code[:60]})" if code else "")

    if status in {401, 403} or "invalid_iam_token" in words:
        return credentials_refused(where)
    if any(word in words for word in _UNPAID):
        return allowance_used_up(where)
    if status in {429, 529} or (status == 503 and ("overload" in words or "busy" in words)):
        return quota_refused(where, _scope(status, words), headers)
    if status == 408 or status >= 500:
        return TransientFault(f"{where}; worth trying again.", maybe_paid=status == 504)
    if any(word in words for word in _UNSAFE):
        return content_refused(where)
    if 300 <= status < 400 or status in {404, 405} or "invalid_model" in words or "model_not_found" in words:
        return endpoint_missing(where)
    if status == 413 or says_too_long(words):
        return input_too_long(where)
    return request_invalid(where)


def _scope(status: int, words: str) -> QuotaScope:
    if status != 429 or "overload" in words or "busy" in words:
        return "overload"
    if "qps" in words or "per second" in words:
        return "queries_per_second"
    if "tpm" in words or "token" in words:
        return "tokens"
    return "requests"


def says_too_long(message: str) -> bool:
    """Whether an error about the input is about its length."""
    lowered = message.lower()
    return any(word in lowered for word in _TOO_LONG) or any(word in message for word in _TOO_LONG_ZH)


def says_unsafe(message: str) -> bool:
    """Whether an error about the input is about its content."""
    lowered = message.lower()
    return any(word in lowered for word in _UNSAFE)


def quota_refused(where: str, scope: QuotaScope, headers: Mapping[str, str]) -> QuotaRefused:
    """Over a limit, with what the headers say of it."""
    return QuotaRefused(f"{where}: over its limit of {scope}.", scope, read_retry_after(headers), read_limits(headers))


def credentials_refused(where: str) -> CredentialsRefused:
    """A key, token or permission that is not accepted."""
    return CredentialsRefused(f"{where}: the credentials were refused; check the key or token and its permissions.")


def allowance_used_up(where: str) -> AllowanceUsedUp:
    """No more calls today, or ever, until somebody pays."""
    return AllowanceUsedUp(f"{where}: the allowance is used up or bills are unpaid; see the account's console.")


def endpoint_missing(where: str) -> EndpointMissing:
    """Nothing to call there."""
    return EndpointMissing(f"{where}: there is no such endpoint or model; check --endpoint and the address.")


def content_refused(where: str) -> ContentRefused:
    """The content filter's error."""
    return ContentRefused(f"{where}: the content filter refused this conversation.")


def input_too_long(where: str) -> InputTooLong:
    """More text than the model reads."""
    return InputTooLong(f"{where}: the conversation is longer than the model reads.")


def request_invalid(where: str) -> RequestInvalid:
    """A request that the service does not take."""
    return RequestInvalid(f"{where}: the service does not take this request.")


def completion_reply(body: Any, headers: Mapping[str, str], url: str) -> Reply:
    """A Reply from OpenAI's response shape, which Qianfan's V2 shares.

    Raises:
        TransientFault: the body has another shape.
    """
    try:
        choice = body["choices"][0]
        text = choice["message"]["content"]
        finish = choice.get("finish_reason")
        usage = body.get("usage") or {}
        prompt_tokens, completion_tokens = (
            int(usage.get("prompt_tokens") or 0),
            int(usage.get("completion_tokens") or 0),
        )
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise broken_reply(url) from error
    refused = finish == "content_filter" or bool(choice["message"].get("refusal"))
    if text is None:
        text = choice["message"].get("refusal") or ""
    if not isinstance(text, str):
        raise broken_reply(url)
    return Reply(text, prompt_tokens, completion_tokens, finish == "length", refused, read_limits(headers))
