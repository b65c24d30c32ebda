"""The time at a service, read from the Date header of whatever it answers: no key, no cost."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit, urlunsplit

from tasks.clients.http_pool import is_loopback


async def server_clock(url: str, seconds: float = 10.0) -> datetime | None:
    """The time of the server at an address, to the second; None where it gives none."""
    import aiohttp  # noqa: PLC0415 - where it is used: a quarter of a second that most commands can do without

    parts = urlsplit(url)
    root = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], "/", "", ""))
    try:
        async with (
            aiohttp.ClientSession(
                trust_env=not is_loopback(url), timeout=aiohttp.ClientTimeout(total=seconds)
            ) as session,
            session.get(root, allow_redirects=False) as answer,
        ):
            time = parsedate_to_datetime(answer.headers["Date"])
    except (aiohttp.ClientError, TimeoutError, OSError, KeyError, ValueError, TypeError):
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)
