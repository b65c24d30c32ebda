"""Limits of an endpoint: what is configured, what another night learned, and how the pacing stands."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Learned:
    """Facts about an endpoint that one night learned for the next: windows in seconds, 0 where nothing was found."""

    requests_seconds: float = 0.0
    tokens_seconds: float = 0.0
    queries_per_second: float = 0.0


@dataclass(frozen=True, slots=True)
class Limits:
    """The configured limits; None where the quota is to be found out.

    Args:
        requests_per_minute: calls a minute.
        tokens_per_minute: prompt and answer tokens a minute.
        concurrency: the most calls in flight.
        window_seconds: the longest window that the service may count in; the quotas above are scaled to it.
        queries_per_second: calls a second, where that is limited besides.
        learned: what another night found out.
    """

    requests_per_minute: float | None = None
    tokens_per_minute: float | None = None
    concurrency: int = 64
    window_seconds: float = 60.0
    queries_per_second: float | None = None
    learned: Learned = Learned()


@dataclass(frozen=True, slots=True)
class LimiterSnapshot:
    """The state of the pacing. Limits are those in force, per minute; None while unknown.

    `sent_last_window` and `tokens_last_window` are what the service counts now; `waiting` calls want to go. `fill` is
    the part of the fuller of its windows that is taken now, `used` the part of what it would have allowed so far; both
    None where no limit is known.
    """

    in_flight: int
    waiting: int
    sent_last_window: int
    tokens_last_window: int
    limit_requests: float | None
    limit_tokens: float | None
    refusals: int
    fill: float | None = None
    used: float | None = None
