"""Refusals and faults over HTTP, by what has to be done about them: codes and statuses decide, words only explain.

A sentence that mentions the billing page is no unpaid bill; only a code, or a status made for it, is.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

import orjson

from tasks.clients.repeated_words import without_repeated
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
from tasks.domain.records import QuotaHeaders
from tasks.preparing.masking import mask

_VERSION: Final = re.compile(r"/v[0-9]")

_UNPAID_CODES: Final = frozenset(
    {
        "insufficient_quota",
        "insufficient_balance",
        "insufficient_user_quota",
        "exceeded_current_quota_error",
        "billing_hard_limit_reached",
        "billing_not_active",
        "account_overdue",
        "account_arrears",
        "accountoverdue",
        "accountoverdueerror",
        "arrearage",
        "daily_limit_exceeded",
        "total_limit_exceeded",
    }
)

_UNPAID_WORDS: Final = ("overdue", "arrears", "arrearage", "unpaid", "balance", "billing", "欠费", "余额")

_CREDENTIAL_CODES: Final = frozenset({"invalid_iam_token", "invalid_api_key", "invalid_appid", "authentication_error"})

_UNSAFE_CODES: Final = frozenset(
    {
        "content_filter",
        "content_policy_violation",
        "content_exists_risk",
        "data_inspection_failed",
        "datainspectionfailed",
        "system_unsafe",
        "user_unsafe",
        "sensitive",
    }
)

_UNSAFE_WORDS: Final = (
    "content_filter",
    "content_policy",
    "content exists risk",
    "inappropriate content",
    "unsafe",
    "sensitive",
    "敏感",
    "不安全",
    "违规",
)

_MISSING_CODES: Final = frozenset({"invalid_model", "model_not_found", "no_such_model"})

# Of a moderation in front of the model.
_FLAGGED_WORDS: Final = ("flagged", "moderation", "usage policy", "usage policies")

# Of a limit on calls, where no code says it.
_RATE_WORDS: Final = ("rate limit", "rate_limit", "too many requests", "请求过于频繁", "请求频率", "限流")

_STATUS: Final = re.compile(r"[45]\d\d")

_TOO_LONG: Final = (
    "context_length",
    "context length",
    "too long",
    "too large",
    "max length",
    "maximum",
    "exceed",
    "range of input length",
    "context size",
)

_TOO_LONG_ZH: Final = ("过长", "超长", "超过", "超出", "长度")

_QUOTA_CODES: Final = re.compile(
    r"(rpm|tpm|qps|qpm|rate)_(rate_)?limit(_exceeded|_reached)?(_error)?|rate_limit_error|resource_exhausted"
    r"|too_many_requests|throttling(\..+)?|limit_requests|request_limit_exceeded"
)

_BUSY_CODES: Final = re.compile(r"(server|engine|model|service)?_?(is_)?(overloaded|busy|unavailable)(_error)?")

_NAMED_WAIT: Final = re.compile(r"(?:retry|try again) (?:in|after) (\d{1,6}(?:\.\d{1,9})?) ?(ms|s\b|sec|m\b|min)", re.I)

# Whatever a service repeats of a key is not shown, whichever key it is.
_TOKENS: Final = re.compile(
    r"(?i)\bbearer\s+\S+|\b(?:sk|ak|bce-v3|ALTAK|ghp|xox[a-z])-[\w/+.=-]{6,}|[A-Za-z0-9+/_-]{32,}={0,2}"
)

_SHOWN_CHARACTERS: Final = 200

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]+")

_LONGEST_WAIT_SECONDS: Final = 3600.0

_LONGEST_COUNT_DIGITS: Final = 12


@dataclass(frozen=True, slots=True)
class ServiceError:
    """The error of a reply: its codes in lower case, the first one as written, and the service's own sentence."""

    codes: frozenset[str]
    code: str
    message: str

    @property
    def words(self) -> str:
        """Codes and sentence in lower case."""
        return f"{' '.join(sorted(self.codes))} {self.message}".lower()


def read_error(body: Any) -> ServiceError | None:
    """The error in a parsed reply, in any of the usual shapes; None where the reply holds none.

    Shapes: `{"error": {"code", "message", "type"}}`, `{"error": "…"}`, `{"code", "message" or "msg"}`,
    `{"error_code", "error_msg"}`, and each of them as the only element of a list.
    """
    if isinstance(body, list):
        body = body[0] if body else None
    if not isinstance(body, dict):
        return None
    error = body.get("error")
    if isinstance(error, str) and (error or "choices" not in body):
        error = {"message": error, "code": body.get("code")}
    if not isinstance(error, dict) or (not error and "choices" in body):
        if "choices" in body or "result" in body or not ({"code", "error_code", "message", "msg"} & body.keys()):
            return None
        error = body
    codes = [
        str(error[name])
        for name in ("code", "error_code", "type", "status")
        if isinstance(error.get(name), str | int) and not isinstance(error.get(name), bool)
    ]
    message = next((str(error[name]) for name in ("message", "msg", "error_msg", "detail") if error.get(name)), "")
    return ServiceError(frozenset(code.lower()[:80] for code in codes), codes[0] if codes else "", message)


def status_fault(
    status: int, headers: Mapping[str, str], body: bytes, where: str, secrets: Collection[str], asked: str
) -> KefuError:
    """The meaning of an HTTP status other than success, with an error in the body or without.

    Args:
        status: of the reply.
        headers: of the reply.
        body: of the reply, as it came.
        where: the address, for the message.
        secrets: values that the message may not show.
        asked: the text that was sent, whose words it may not show either.
    """
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError:
        parsed = None
    error = read_error(parsed) or ServiceError(frozenset(), "", "")
    return service_fault(error, where, headers, status=status, secrets=secrets, asked=asked)


def service_fault(  # noqa: PLR0911 (one line a meaning)
    error: ServiceError,
    where: str,
    headers: Mapping[str, str],
    *,
    status: int,
    secrets: Collection[str],
    asked: str,
) -> KefuError:
    """The meaning of an error, with the status that it came with (200 where it came as if all was well)."""
    said = shown(error.message, secrets, asked)
    code = shown(error.code, secrets, asked)[:60]
    where = f"{where} answered HTTP {status}{f' ({code})' if code else ''}"
    codes, words = error.codes, error.words
    if status < 300:  # a gateway's own status says nothing; the error's may
        status = next((int(named) for named in sorted(codes) if _STATUS.fullmatch(named)), status)
    limited = any(map(_QUOTA_CODES.fullmatch, codes)) or any(word in words for word in _RATE_WORDS)

    if codes & _UNPAID_CODES or status == 402 or (status == 403 and any(word in words for word in _UNPAID_WORDS)):
        return allowance_used_up(where, said)
    if status == 403 and any(word in words for word in _FLAGGED_WORDS):
        return content_refused(where, said)
    if (status in {401, 403} and not limited) or codes & _CREDENTIAL_CODES:
        return credentials_refused(where, said)
    busy = any(map(_BUSY_CODES.fullmatch, codes)) or (status == 503 and ("overload" in words or "busy" in words))
    if status in {429, 529} or busy or limited:
        return quota_refused(where, _scope(status, busy, words), headers, error.message, said)
    if status in {408, 425} or status >= 500:
        return TransientFault(_sentence(f"{where}; worth trying again.", said), maybe_paid=status == 504)
    if codes & _UNSAFE_CODES or says_unsafe(words) or any(word in words for word in _FLAGGED_WORDS):
        return content_refused(where, said)
    if 300 <= status < 400 or status in {404, 405, 410} or codes & _MISSING_CODES:
        return endpoint_missing(where, said)
    if status == 413 or says_too_long(words):
        return input_too_long(where, said)
    if status < 300:
        return TransientFault(_sentence(f"{where} with an error; worth trying again.", said))
    return request_invalid(where, said)


def _scope(status: int, busy: bool, words: str) -> QuotaScope:
    if busy or status in {503, 529}:
        return "overload"
    if "qps" in words or "per second" in words:
        return "queries_per_second"
    if "tpm" in words or "token" in words:
        return "tokens"
    return "requests"


def shown(text: str, secrets: Collection[str] = (), asked: str = "") -> str:
    """A service's sentence as it may be shown and stored: one line, masked, without keys, cut to 200 characters.

    A message goes where no conversation goes, into Prefect's database and to people's chats. So what the sentence
    repeats of the text that was asked about is left out.
    """
    text = _CONTROL.sub(" ", text[: 20 * _SHOWN_CHARACTERS])
    for secret in secrets:
        text = text.replace(secret, "[secret]")
    text = " ".join(mask(_TOKENS.sub("[secret]", without_repeated(text, asked))).split())
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[: _SHOWN_CHARACTERS - 1]}…"


def _sentence(message: str, said: str) -> str:
    return f"{message} It says: {said}" if said else message


def says_too_long(message: str) -> bool:
    """Return true where an error about the input is about its length."""
    lowered = message.lower()
    return any(word in lowered for word in _TOO_LONG) or any(word in message for word in _TOO_LONG_ZH)


def says_unsafe(message: str) -> bool:
    """Return true where an error about the input is about its content."""
    lowered = message.lower()
    return any(word in lowered for word in _UNSAFE_WORDS)


def quota_refused(where: str, scope: QuotaScope, headers: Mapping[str, str], message: str, said: str) -> QuotaRefused:
    """Over a limit, with the wait by the headers or, without them, by the sentence."""
    wait = read_retry_after(headers)
    if wait is None:
        wait = _named_wait(message)
    sentence = _sentence(f"{where}: over its limit of {scope}.", said)
    return QuotaRefused(sentence, scope, wait, read_limits(headers))


def credentials_refused(where: str, said: str) -> CredentialsRefused:
    """A key, token or permission that is not accepted."""
    return CredentialsRefused(
        _sentence(f"{where}: the credentials were refused; check the key or token and its permissions.", said)
    )


def allowance_used_up(where: str, said: str) -> AllowanceUsedUp:
    """No more calls today, or ever, until somebody pays."""
    return AllowanceUsedUp(
        _sentence(f"{where}: the allowance is used up or bills are unpaid; see the account's console.", said)
    )


def endpoint_missing(where: str, said: str) -> EndpointMissing:
    """Nothing to call there."""
    version = "" if _VERSION.search(where) else " An address usually ends in /v1."
    return EndpointMissing(
        _sentence(f"{where}: there is no such endpoint or model; check --endpoint and the address.{version}", said)
    )


def content_refused(where: str, said: str) -> ContentRefused:
    """The content filter's error."""
    return ContentRefused(_sentence(f"{where}: the content filter refused this conversation.", said))


def input_too_long(where: str, said: str) -> InputTooLong:
    """More text than the model reads."""
    return InputTooLong(_sentence(f"{where}: the conversation is longer than the model reads.", said))


def request_invalid(where: str, said: str) -> RequestInvalid:
    """A request that the service does not take."""
    return RequestInvalid(_sentence(f"{where}: the service does not take this request.", said))


_QUOTA_HEADERS: Final = (
    "X-Ratelimit-Limit-Requests",
    "X-Ratelimit-Limit-Tokens",
    "X-Ratelimit-Remaining-Requests",
    "X-Ratelimit-Remaining-Tokens",
)


def read_limits(headers: Mapping[str, str]) -> QuotaHeaders | None:
    """The quota in X-Ratelimit-* headers (Qianfan and OpenAI use the same names)."""
    counts = [_count(headers.get(name)) for name in _QUOTA_HEADERS]
    return QuotaHeaders(*counts) if any(count is not None for count in counts) else None


def _count(value: str | None) -> int | None:
    # isdecimal takes Chinese digits' kin too; only ASCII ones are a header's number.
    if value is None or len(value) > _LONGEST_COUNT_DIGITS or not value.isascii() or not value.isdecimal():
        return None
    return int(value)


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
    except (ValueError, TypeError, OverflowError):
        return None
    # The comparison is false for what is no number, too.
    return min(max(0.0, seconds), _LONGEST_WAIT_SECONDS) if seconds == seconds else None  # noqa: PLR0124


_UNITS: Final = {"ms": 0.001, "s": 1.0, "sec": 1.0, "m": 60.0, "min": 60.0}


def _named_wait(message: str) -> float | None:
    """Seconds that a sentence names, such as "retry in 1.2s"."""
    found: Iterator[re.Match[str]] = _NAMED_WAIT.finditer(message[:2000])
    waits = [float(match[1]) * _UNITS[match[2].lower()] for match in found]
    return min(waits[0], _LONGEST_WAIT_SECONDS) if waits else None
