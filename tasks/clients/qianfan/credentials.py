"""Qianfan's credentials: an API key, or a key pair that signs requests and fetches bearer tokens."""

import asyncio
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final
from urllib.parse import urlencode, urlsplit

import orjson

from tasks.clients.http_pool import Call, Pool
from tasks.domain.errors import TransientFault, UsageError

_TOKEN_SECONDS: Final = 86_400

_FETCH_PATH: Final = "/v1/BCE-BEARER/token"


@dataclass(frozen=True, slots=True)
class QianfanCredentials:
    """An API key (or another bearer token), a key pair, or both; model calls then use the API key."""

    access_key: str = field(default="", repr=False)
    secret_key: str = field(default="", repr=False)
    bearer_token: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        if not (self.bearer_token or self.has_pair):
            raise UsageError(
                "Qianfan needs credentials: set QIANFAN_BEARER_TOKEN to an API key (bce-v3/ALTAK-…), or "
                "QIANFAN_ACCESS_KEY and QIANFAN_SECRET_KEY."
            )

    @property
    def has_pair(self) -> bool:
        """Return true where requests can be signed."""
        return bool(self.access_key and self.secret_key)

    @property
    def secrets(self) -> tuple[str, ...]:
        """The secrets, which no message may show."""
        return tuple(filter(None, (self.access_key, self.secret_key, self.bearer_token)))

    def signed(
        self, method: str, base_url: str, path: str, headers: Mapping[str, str], query: Mapping[str, str] | None = None
    ) -> dict[str, str]:
        """The headers of a request with the key pair's signature."""
        # The SDK takes half a second to load, and an API key needs none of it.
        from qianfan.resources.auth.iam import iam_sign  # noqa: PLC0415
        from qianfan.resources.typing import QfRequest  # noqa: PLC0415

        _quicken_signer()
        request = QfRequest(method=method, url=path, query=dict(query or {}))
        request.headers = {**headers, "Host": urlsplit(base_url).netloc}
        iam_sign(self.access_key, self.secret_key, request)
        return dict(request.headers)


class BearerToken:
    """The token that model calls send: the API key, or one fetched with the key pair while the other callers wait.

    Args:
        credentials: of the account.
        iam_url: where tokens are fetched.
        pool: whose connections are used.
    """

    def __init__(self, credentials: QianfanCredentials, iam_url: str, pool: Pool) -> None:
        self._credentials = credentials
        self._iam_url = iam_url.rstrip("/")
        self._pool = pool
        self._lock = asyncio.Lock()
        self._token = credentials.bearer_token
        self._expires = float("inf")

    def is_current(self, token: str) -> bool:
        """Return true where calls are made with this token now."""
        return token == self._token

    @property
    def renewable(self) -> bool:
        """Return true where a new token can take a refused one's place."""
        return self._credentials.has_pair

    def forget(self, token: str) -> None:
        """Fetch a new token at the next call, where there is a key pair to do it with."""
        if self.renewable and self.is_current(token):
            self._token = ""

    async def get(self) -> str:
        """The token to send."""
        if self._is_valid():
            return self._token
        async with self._lock:
            if not self._is_valid():
                self._token = await self._fetch()
                self._expires = time.monotonic() + _TOKEN_SECONDS * 0.9
        return self._token

    def _is_valid(self) -> bool:
        return bool(self._token) and time.monotonic() < self._expires

    async def _fetch(self) -> str:
        query = {"expireInSeconds": str(_TOKEN_SECONDS)}
        headers = self._credentials.signed(
            "GET", self._iam_url, _FETCH_PATH, {"Content-Type": "application/json"}, query
        )
        body = await self._pool.send(Call(), "GET", f"{self._iam_url}{_FETCH_PATH}?{urlencode(query)}", headers)
        try:
            token = orjson.loads(body)["token"]
        except (orjson.JSONDecodeError, KeyError, TypeError) as error:
            raise TransientFault(f"{self._iam_url}: no token in the reply; worth trying again.") from error
        return str(token)


def _quicken_signer() -> None:
    """Keep what is escaped for a signature: nearly all of it is the same in every call, 0.15 ms. Silence its DEBUG."""
    import baidubce.utils  # noqa: PLC0415

    if not hasattr(baidubce.utils.normalize_string, "cache_info"):
        baidubce.utils.normalize_string = lru_cache(maxsize=256)(baidubce.utils.normalize_string)
        logging.getLogger("baidubce.auth.bce_v1_signer").setLevel(logging.WARNING)  # it logs keys
