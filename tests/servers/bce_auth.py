"""bce-auth-v1 as its documentation describes it, written apart from the SDKs whose signatures it checks."""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, quote

DEFAULT_SIGNED = {"host", "content-length", "content-type", "content-md5"}


def _hmac(key: str, text: str) -> str:
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()


def _escape(text: str) -> str:
    return quote(text, safe="")


def verify(  # noqa: PLR0911 (one line an error)
    method: str, path: str, query: str, headers: Mapping[str, str], access_key_id: str, secret: str
) -> str | None:
    """Return the fault of a request's signature, or None. `path` is as sent, escaped; `query` without `?`."""
    given = {name.lower(): value for name, value in headers.items()}
    parts = given.get("authorization", "").split("/")
    if len(parts) != 6 or parts[0] != "bce-auth-v1":
        return "no bce-auth-v1 authorization"
    _, key_id, timestamp, expiry, signed, signature = parts
    if key_id != access_key_id:
        return "unknown access key"
    try:
        start = datetime.strptime(timestamp, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        end = start + timedelta(seconds=int(expiry))
    except ValueError:
        return "malformed time"
    now = datetime.now(UTC)
    if not start - timedelta(minutes=5) <= now <= end:
        return "expired"
    names = set(signed.split(";")) if signed else DEFAULT_SIGNED
    if signed and "host" not in names:
        return "host is not signed"
    if signed and not names <= given.keys():
        return f"signed headers were not sent: {sorted(names - given.keys())}"
    chosen = sorted(
        f"{_escape(name)}:{_escape(value.strip())}"
        for name, value in given.items()
        if value.strip() and (name in names or (not signed and name.startswith("x-bce-")))
    )
    pairs = parse_qsl(query, keep_blank_values=True)
    canonical_query = "&".join(
        sorted(f"{_escape(name)}={_escape(value)}" for name, value in pairs if name.lower() != "authorization")
    )
    signing_key = _hmac(secret, f"bce-auth-v1/{key_id}/{timestamp}/{expiry}")
    text = "\n".join([method.upper(), path, canonical_query, "\n".join(chosen)])
    if not hmac.compare_digest(_hmac(signing_key, text), signature):
        return "signature does not match"
    return None
