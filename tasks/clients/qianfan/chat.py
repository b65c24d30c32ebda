"""Summarizers for Qianfan: models and services of its V2 interface, and of V1, which Baidu switched off."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from tasks.clients import http_faults as faults
from tasks.clients.chat_replies import parse_body
from tasks.clients.http_pool import Call, ConnectionLimits, Pool, address
from tasks.clients.openai_chat import ChatCompletions
from tasks.clients.qianfan.credentials import BearerToken, QianfanCredentials
from tasks.domain.errors import (
    CredentialsRefused,
    EndpointMissing,
    KefuError,
    QuotaScope,
    ReplyUnreadable,
    TransientFault,
    UsageError,
)
from tasks.domain.model_options import ModelOptions
from tasks.domain.ports import Summarizer
from tasks.domain.records import Reply, Request

V1_ENDED: Final = "2026-08-31"

V1_NOTICE: Final = (
    f"Qianfan's V1 interface (--endpoint v1:ID) was switched off by Baidu on {V1_ENDED}: deploy the service again "
    "with interface version V2 and name it by --endpoint NAME."
)

_V2_PATH: Final = "/v2/chat/completions"

_V1_PATH: Final = "/rpc/2.0/ai_custom/v1/wenxinworkshop/chat/"

_QUOTA: Final[Mapping[int, QuotaScope]] = {
    4: "requests",
    18: "queries_per_second",
    336100: "overload",
    336501: "requests",
    336502: "tokens",
}

_EXPIRED: Final = frozenset({110, 111})

_FAULTS: Final[Mapping[int, Callable[[str, str], KefuError]]] = {
    **dict.fromkeys((6, 13, 14, 336004), faults.credentials_refused),
    **dict.fromkeys((3, 15, 336005), faults.endpoint_missing),
    **dict.fromkeys((17, 19), faults.allowance_used_up),
    **dict.fromkeys((336104, 336105), faults.content_refused),
    336103: faults.input_too_long,
}

_INVALID: Final = frozenset({100, 336001, 336002, 336003, 336006, 336007})

_ENDPOINT: Final = re.compile(r"[A-Za-z0-9]+([-_./:][A-Za-z0-9]+)*")

# A token or signature that the service calls expired this often with no accepted call between is a wrong one.
_EXPIRIES_IN_A_ROW: Final = 3


@dataclass(frozen=True, slots=True)
class QianfanAddresses:
    """Qianfan's addresses: `v2` for models, `iam` for bearer tokens, `v1` for the interface that was switched off."""

    v2: str = "https://qianfan.baidubce.com"
    iam: str = "https://iam.bj.baidubce.com"
    v1: str = "https://aip.baidubce.com"


def open_qianfan(
    endpoint: str,
    credentials: QianfanCredentials,
    addresses: QianfanAddresses,
    options: ModelOptions,
    limits: ConnectionLimits,
) -> Summarizer:
    """The summarizer behind `ID` or `v2:ID` (V2), or behind `v1:ID`.

    Raises:
        UsageError: the endpoint cannot be one.
    """
    kind = QianfanV1Summarizer if is_v1(endpoint) else QianfanSummarizer
    return kind(model_of(endpoint), credentials, addresses, options, limits)


def is_v1(endpoint: str) -> bool:
    """Return true where an endpoint names the interface that was switched off."""
    return endpoint.startswith("v1:")


def model_of(endpoint: str) -> str:
    """The model or service that an endpoint names.

    Raises:
        UsageError: it cannot be one.
    """
    model = endpoint.removeprefix("v1:") if is_v1(endpoint) else endpoint.removeprefix("v2:")
    if not _ENDPOINT.fullmatch(model):
        raise UsageError(f"--endpoint {endpoint!r} is no name of a model or service; copy it from the Qianfan console.")
    return model


class QianfanSummarizer:
    """A model or deployed service of the V2 interface.

    Args:
        model: its name: for a service, the one on its page in the console.
        credentials: the API key, or the key pair that fetches tokens.
        addresses: where Qianfan is.
        options: of the model.
        limits: of connections and times.
    """

    def __init__(
        self,
        model: str,
        credentials: QianfanCredentials,
        addresses: QianfanAddresses = QianfanAddresses(),
        options: ModelOptions = ModelOptions(),  # noqa: B008  frozen
        limits: ConnectionLimits = ConnectionLimits(),  # noqa: B008  frozen
    ) -> None:
        self._model = model
        self._pool = Pool(limits, credentials.secrets)
        self._token = BearerToken(credentials, addresses.iam, self._pool)
        self._chat = ChatCompletions(addresses.v2.rstrip("/") + _V2_PATH, model, options, self._pool)
        self._expiries = 0

    @property
    def model(self) -> str:
        """The model's name."""
        return self._model

    @property
    def paid(self) -> bool:
        """Every call is billed."""
        return True

    async def summarize(self, request: Request, on_sent: Callable[[], None]) -> Reply:
        """One call, no retries; raises as the port does.

        An expired token ends the call as a TransientFault and is replaced: the next try is paced as well.
        """
        token = await self._token.get()
        try:
            reply = await self._chat.ask(request.prompt, on_sent, {"Authorization": f"Bearer {token}"})
        except CredentialsRefused as error:
            raise self._refused(error, token) from error
        except EndpointMissing as error:
            raise EndpointMissing(
                "V2 knows services by the name on their page in the Qianfan console; one that was deployed with "
                f"interface version V1 has to be deployed again with V2. ({error})"
            ) from error
        self._expiries = 0
        return reply

    def _refused(self, error: CredentialsRefused, token: str) -> KefuError:
        if self._token.is_current(token):
            self._expiries += 1
        self._token.forget(token)
        if not self._token.renewable or self._expiries >= _EXPIRIES_IN_A_ROW:
            return error
        return TransientFault(f"{error} The next try takes a new token.")

    async def aclose(self) -> None:
        """Close the connections."""
        await self._pool.aclose()


class QianfanV1Summarizer:
    """A service of the V1 interface, which may still stand behind an address of one's own.

    Args:
        endpoint: the last part of the service's V1 address.
        credentials: the key pair signs calls; an API key or bearer token is sent as it is.
        addresses: where Qianfan is.
        options: of the model; V1 knows tokens, temperature and the system prompt.
        limits: of connections and times.
    """

    def __init__(
        self,
        endpoint: str,
        credentials: QianfanCredentials,
        addresses: QianfanAddresses = QianfanAddresses(),
        options: ModelOptions = ModelOptions(),  # noqa: B008  frozen
        limits: ConnectionLimits = ConnectionLimits(),  # noqa: B008  frozen
    ) -> None:
        self._model = endpoint
        self._credentials = credentials
        self._base_url = addresses.v1.rstrip("/")
        self._path = f"{_V1_PATH}{endpoint}"
        self._where = address(self._base_url + self._path)
        self._headers = {"Content-Type": "application/json", **options.headers}
        self._body: dict[str, Any] = {
            "temperature": options.temperature,
            "max_output_tokens": options.max_tokens,
            **options.extra_fields,
        }
        if options.system_prompt:
            self._body["system"] = options.system_prompt
        self._pool = Pool(limits, credentials.secrets)
        self._expiries = 0

    @property
    def model(self) -> str:
        """The service's id."""
        return self._model

    @property
    def paid(self) -> bool:
        """Every call is billed."""
        return True

    async def summarize(self, request: Request, on_sent: Callable[[], None]) -> Reply:
        """One call, no retries; raises as the port does."""
        data = orjson.dumps({"messages": [{"role": "user", "content": request.prompt}], **self._body})
        if self._credentials.bearer_token:
            headers = {**self._headers, "Authorization": f"Bearer {self._credentials.bearer_token}"}
        else:
            headers = self._credentials.signed("POST", self._base_url, self._path, self._headers)
        call = Call(on_sent, request.prompt)
        try:
            body = await self._pool.send(call, "POST", self._base_url + self._path, headers, data=data)
            reply = self._read(parse_body(body, self._where), call)
        except EndpointMissing as error:
            raise EndpointMissing(f"{V1_NOTICE} ({error})") from error
        except _Expired as error:
            self._expiries += 1
            if self._expiries >= _EXPIRIES_IN_A_ROW or self._credentials.bearer_token:
                raise faults.credentials_refused(str(error), "") from error
            raise TransientFault(f"{error}: the signature had expired; the next try makes a new one.") from error
        self._expiries = 0
        return reply

    def _read(self, body: Mapping[str, Any], call: Call) -> Reply:
        if "error_code" in body:
            raise self._fault(body, call)
        text = body.get("result")
        usage = body.get("usage")
        if not isinstance(text, str):
            raise ReplyUnreadable(f"{self._where}: the reply holds no result.")
        counts = usage if isinstance(usage, dict) else {}
        tokens = [counts.get(name) for name in ("prompt_tokens", "completion_tokens")]
        prompt_tokens, completion_tokens = (
            token if isinstance(token, int) and 0 <= token < 100_000_000 else 0 for token in tokens
        )
        return Reply(
            text,
            prompt_tokens,
            completion_tokens,
            cut_off=bool(body.get("is_truncated")) or body.get("finish_reason") == "length",
            refused=bool(body.get("need_clear_history")) or body.get("finish_reason") == "content_filter",
            limits=faults.read_limits(call.headers),
        )

    def _fault(self, body: Mapping[str, Any], call: Call) -> KefuError:
        try:
            code = int(body["error_code"])
        except (TypeError, ValueError):
            code = -1
        message, secrets = str(body.get("error_msg") or ""), self._credentials.secrets
        return v1_fault(code, message, self._where, call.headers, secrets, call.asked)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._pool.aclose()


class _Expired(KefuError):
    """Error 110 or 111."""


def v1_fault(
    code: int, message: str, where: str, headers: Mapping[str, str], secrets: tuple[str, ...] = (), asked: str = ""
) -> KefuError:
    """The meaning of an error code of V1, which comes with status 200."""
    said = faults.shown(message, secrets, asked)
    where = f"{where} answered with error {code}"
    if code in _QUOTA:
        return faults.quota_refused(where, _QUOTA[code], headers, message, said)
    if code in _EXPIRED:
        return _Expired(where)
    if code in _FAULTS:
        return _FAULTS[code](where, said)
    if faults.says_unsafe(message):
        return faults.content_refused(where, said)
    if code in _INVALID:
        make = faults.input_too_long if faults.says_too_long(message) else faults.request_invalid
        return make(where, said)
    return TransientFault(f"{where}; worth trying again.{f' It says: {said}' if said else ''}")
