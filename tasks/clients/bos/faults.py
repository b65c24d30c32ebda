"""Faults of calls to BOS: those that may pass, and the errors for those that last."""

from http.client import HTTPException
from ssl import SSLCertVerificationError

from baidubce.exception import BceHttpClientError, BceServerError

from tasks.clients.bos.download import BrokenBody
from tasks.domain.errors import (
    BucketMissing,
    ObjectMissing,
    PreconditionFailed,
    StoreError,
    StoreRefused,
    StoreUnavailable,
)

_NO_ACCESS = {
    "InvalidAccessKeyId": "there is no such access key: check BCE_ACCESS_KEY_ID",
    "SignatureDoesNotMatch": "the secret does not belong to the access key: check BCE_SECRET_ACCESS_KEY",
    "InvalidHTTPAuthHeader": "the credentials are malformed: check BCE_ACCESS_KEY_ID and BCE_SECRET_ACCESS_KEY",
    "RequestExpired": "the request looked outdated: check this machine's clock",
    "RequestTimeTooSkewed": "the request looked outdated: check this machine's clock",
    "AccountOverdue": "the account has unpaid bills: pay them in the console",
}

# What a broken or slow connection does to a request; statuses of 500 and above count besides.
_DAMAGED = frozenset({"BadDigest", "IncompleteBody", "RequestTimeout", "MissingContentLength"})


class BosFault:
    """One failed attempt: `is_passing` if a retry may succeed, else `explain` gives the error to raise."""

    def __init__(self, error: Exception) -> None:
        cause = error.last_error if isinstance(error, BceHttpClientError) else error
        self._cause = cause
        self._status, self._code, self._message = 0, "", ""
        if isinstance(cause, BceServerError):
            self._status, self._code = int(cause.status_code or 0), str(cause.code or "")
            self._message = str(cause)
            self._request_id = cause.request_id

    @property
    def is_passing(self) -> bool:
        """True if another attempt may succeed."""
        if isinstance(self._cause, BceServerError):
            return self._status >= 500 or self._status in (0, 408, 429) or self._code in _DAMAGED
        return not isinstance(self._cause, SSLCertVerificationError)

    @property
    def is_refusal(self) -> bool:
        """True if other credentials may succeed, such as those that came after a token that has expired."""
        return self._status in (401, 403) or "token" in self._code.lower() or self._code in _NO_ACCESS

    def explain(  # noqa: PLR0911 (one case a line)
        self, action: str, where: str, bucket: str, endpoint: str, attempts: int
    ) -> StoreError:
        """The error to raise."""
        failed = f"Can't {action} {where}"
        if self.is_passing or not self._status:
            return StoreUnavailable(
                f"{failed}: {self._reason()} ({attempts} attempts at {endpoint}). "
                "Check the network and BOS_ENDPOINT, and start again; what was written before is whole."
            )
        if self._code in _NO_ACCESS:
            return StoreRefused(f"{failed}: {_NO_ACCESS[self._code]}.")
        if self._status in (401, 403):
            return StoreRefused(
                f"{failed}: {self._reason()}. Give the access key permission for this bucket, or use another key."
            )
        if self._code == "NoSuchBucket" or self._status in (301, 302, 307):
            return BucketMissing(
                f"{failed}: there is no bucket {bucket!r} at {endpoint}. "
                "Check its name, and that BOS_ENDPOINT is the bucket's own region."
            )
        if self._status == 404:
            return ObjectMissing(f"There is no object {where}.")
        if self._status in (409, 412):
            return PreconditionFailed(f"{failed}: {self._reason()}.")
        return StoreUnavailable(f"{failed}: BOS does not take the request: {self._reason()}.")

    def _reason(self) -> str:
        if not isinstance(self._cause, BceServerError):
            if isinstance(self._cause, OSError) and "Tunnel connection failed" in str(self._cause):
                return f"the proxy answered {self._cause}; check HTTPS_PROXY and NO_PROXY"
            if isinstance(self._cause, (OSError, HTTPException, BrokenBody)):
                return f"{type(self._cause).__name__.lstrip('_')}: {self._cause}"
            return "the answer is not from BOS (a proxy's page?)"
        request = f", request {self._request_id}" if self._request_id else ""
        return f"{self._status} {self._code}{': ' if self._code else ''}{self._message}{request}"
