"""Refusals and faults over HTTP, by what has to be done about them: codes and statuses decide, words only explain.

A sentence that mentions the billing page is no unpaid bill; a code, a status made for it, or plain words
(余额不足, spending limit, requests per day) are. Words that the service repeats of a conversation count for nothing.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

import orjson

from tasks.clients import fault_words
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
from tasks.domain.nesting import is_deep
from tasks.domain.records import QuotaHeaders
from tasks.preparing.masking import mask

_VERSION: Final = re.compile(r"/v[0-9]")

# retry in 1.2s, try again in 7m12s, wait 12 seconds
_NAMED_WAIT: Final = re.compile(
    r"(?:retry|try again|wait)(?: in| after)? (?=\d)(?:(\d{1,3})h ?)?(?:(\d{1,4})m(?![a-z]) ?)?"
    r"(?:(\d{1,6}(?:\.\d{1,9})?) ?(ms|s\b|sec|m\b|min))?",
    re.IGNORECASE,
)

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
    `{"error_code", "error_msg"}`, `{"base_resp": {"status_code", "status_msg"}}`, and each of them as the only
    element of a list.
    """
    if isinstance(body, list):
        body = body[0] if body else None
    if not isinstance(body, dict):
        return None
    error = body.get("error")
    status = body.get("base_resp")
    if isinstance(status, dict) and status.get("status_code"):
        error = {"code": status["status_code"], "message": status.get("status_msg")}
    if isinstance(error, str) and (error or "choices" not in body):
        error = {"message": error, "code": body.get("code")}
    if not isinstance(error, dict) or (not error and "choices" in body):
        if (
            "choices" in body
            or "result" in body
            or isinstance(body.get("message"), dict)
            or not ({"code", "error_code", "message", "msg"} & body.keys())
        ):
            return None
        error = body
    codes = [
        str(error[name])
        for name in ("code", "error_code", "type", "status")
        if isinstance(error.get(name), str | int) and not isinstance(error.get(name), bool)
    ]
    codes += _quotas(error.get("details"))
    message = next((str(error[name]) for name in ("message", "msg", "error_msg", "detail") if error.get(name)), "")
    return ServiceError(frozenset(code.lower()[:80] for code in codes), codes[0] if codes else "", message)


def _quotas(details: object) -> list[str]:
    """The names of the quotas that were exceeded, as Google lists them: GenerateRequestsPerDayPerProjectPerModel."""
    found = details if isinstance(details, list) else []
    lists = [detail.get("violations") for detail in found[:8] if isinstance(detail, dict)]
    violations = [violation for listed in lists if isinstance(listed, list) for violation in listed[:8]]
    return [str(violation.get("quotaId") or "") for violation in violations if isinstance(violation, dict)]


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
    if is_deep(body, parsed):
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
    codes = error.codes
    words = f"{' '.join(sorted(codes))} {without_repeated(error.message, asked)}".lower()
    no_key = status < 300 and fault_words.NO_KEY.search(words) is not None
    if status < 300:  # a gateway's own status says nothing; the error's may
        status = next((int(named) for named in sorted(codes) if fault_words.STATUS.fullmatch(named)), status)
    limited = any(map(fault_words.QUOTA_CODES.fullmatch, codes)) or _holds(words, fault_words.RATE_WORDS)

    if _is_used_up(status, codes, words):
        return allowance_used_up(where, said)
    if status == 403 and _holds(words, fault_words.FLAGGED_WORDS):
        return content_refused(where, said)
    if (status in {401, 403, 407} and not limited) or codes & fault_words.CREDENTIAL_CODES or no_key:
        return credentials_refused(where, said)
    busy = any(map(fault_words.BUSY_CODES.fullmatch, codes)) or (
        status == 503 and ("overload" in words or "busy" in words)
    )
    if status in {429, 529} or busy or limited:
        return quota_refused(where, _scope(status, busy, words), headers, error.message, said)
    if status in {408, 409, 424, 425, 499} or status >= 500:
        return TransientFault(_sentence(f"{where}; worth trying again.", said), maybe_paid=status == 504)
    unsafe = codes & fault_words.UNSAFE_CODES or says_unsafe(words) or _holds(words, fault_words.FLAGGED_WORDS)
    if unsafe or status == 451:
        return content_refused(where, said)
    missing = codes & fault_words.MISSING_CODES or fault_words.NO_MODEL.search(words)
    if 300 <= status < 400 or status in {404, 405, 410} or missing:
        return endpoint_missing(where, said)
    if status == 413 or says_too_long(words):
        return input_too_long(where, said)
    if status < 300:
        return TransientFault(_sentence(f"{where} with an error; worth trying again.", said))
    return request_invalid(where, said)


def _is_used_up(status: int, codes: frozenset[str], words: str) -> bool:
    if status == 402 or (codes & fault_words.UNPAID_CODES and fault_words.LIMIT_OF_TOKENS not in words):
        return True
    if status == 404 or status >= 500:
        return False
    if status == 403 and _holds(words, fault_words.UNPAID_WORDS):
        return True
    if fault_words.OF_MINUTES.search(words):  # whatever else the sentence tells of days and money
        return False
    today = status not in {400, 422} and fault_words.USED_UP_TODAY.search(words)
    return bool(today or fault_words.USED_UP.search(words))


def _holds(words: str, signs: Iterable[str]) -> bool:
    return any(sign in words for sign in signs)


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
    return _holds(message.lower(), fault_words.TOO_LONG) or _holds(message, fault_words.TOO_LONG_ZH)


def says_unsafe(message: str) -> bool:
    """Return true where an error about the input is about its content."""
    return _holds(message.lower(), fault_words.UNSAFE_WORDS)


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
            seconds = (parsedate_to_datetime(value) - _time_there(headers)).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return None
    # The comparison is false for what is no number, too.
    return min(max(0.0, seconds), _LONGEST_WAIT_SECONDS) if seconds == seconds else None  # noqa: PLR0124


def _time_there(headers: Mapping[str, str]) -> datetime:
    """The time by the clock of whoever answered: this machine's may be hours off."""
    try:
        time = parsedate_to_datetime(headers["Date"])
    except (KeyError, ValueError, TypeError):
        return datetime.now(UTC)
    return time if time.tzinfo else time.replace(tzinfo=UTC)


_UNITS: Final = {"ms": 0.001, "s": 1.0, "sec": 1.0, "m": 60.0, "min": 60.0}


def _named_wait(message: str) -> float | None:
    """Seconds that a sentence names, such as "retry in 1.2s"."""
    found = _NAMED_WAIT.search(message[:2000])
    if found is None or not any(found.groups()):
        return None
    hours, minutes, count, unit = found.groups()
    wait = 3600 * int(hours or 0) + 60 * int(minutes or 0) + float(count or 0) * _UNITS[(unit or "s").lower()]
    return min(wait, _LONGEST_WAIT_SECONDS)
