"""Quota of the Qianfan server: sliding windows over arrival times, and how full they were."""

from bisect import bisect_right
from collections import Counter

from tests.builders.quotas import Quota
from tests.servers.qianfan_behavior import Behavior


class CallQuota:
    """The quota of one endpoint, set by its behavior at each call; `running` are the calls in flight."""

    def __init__(self) -> None:
        self._requests, self._token_quota, self._queries = Quota(0, 60), Quota(0, 60), Quota(0, 1)
        self.running = 0

    def refusal(self, behavior: Behavior, now: float, tokens: int) -> tuple[str, int] | None:
        """Return the limit that this arrival exceeds: a reason and V1's code."""
        for quota, per_minute in ((self._requests, behavior.rpm), (self._token_quota, behavior.tpm)):
            quota.size, quota.seconds, quota.style = (
                per_minute * behavior.window_seconds / 60,
                behavior.window_seconds,
                behavior.style,
            )
        self._queries.size = behavior.qps
        if behavior.concurrency and self.running >= behavior.concurrency:
            return "concurrency", 336100
        if self._queries.is_full(now, 1):
            return "qps", 18
        if self._requests.is_full(now, 1):
            return "requests", 336501
        if self._token_quota.is_full(now, tokens):
            return "tokens", 336502
        return None

    def take(self, now: float, tokens: int) -> None:
        """Count an accepted call."""
        self._queries.take(now, 1)
        self._requests.take(now, 1)
        self._token_quota.take(now, tokens)

    def headers(self, behavior: Behavior) -> dict[str, str]:
        """Return the rate limit headers of a reply."""
        if behavior.headers == "off":
            return {}
        told = 2 if behavior.headers == "wrong" else 1
        headers = {}
        if behavior.rpm:
            left = max(0, int(self._requests.size - self._requests.held))
            headers["X-Ratelimit-Limit-Requests"] = str(int(behavior.rpm * told))
            headers["X-Ratelimit-Remaining-Requests"] = str(left * told)
        if behavior.tpm:
            left = max(0, int(self._token_quota.size - self._token_quota.held))
            headers["X-Ratelimit-Limit-Tokens"] = str(int(behavior.tpm * told))
            headers["X-Ratelimit-Remaining-Tokens"] = str(left * told)
        return headers


def max_in_window(times: list[float], window: float) -> int:
    """The most arrivals in any half-open window of that length."""
    return max((bisect_right(times, at + window - 1e-9) - i for i, at in enumerate(times)), default=0)


def window_fills(accepted: list[tuple[float, int]], window: float) -> list[tuple[int, int]]:
    """Calls and tokens in each whole window since the first arrival."""
    if not accepted:
        return []
    start = accepted[0][0]
    calls: Counter[int] = Counter()
    tokens: Counter[int] = Counter()
    for at, amount in accepted:
        calls[int((at - start) / window)] += 1
        tokens[int((at - start) / window)] += amount
    return [(calls[i], tokens[i]) for i in range(max(calls) + 1)]
