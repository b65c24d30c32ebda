"""Retries of a conversation, the pauses between them, and the rule by which an endpoint counts as down."""

from dataclasses import dataclass
from typing import Final

_FEWEST_FAILURES: Final = 3

_DOWN_AFTER_FAILURES: Final = 20  # in a row


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """The rule of attempts. Refusals by a quota are no attempts.

    Args:
        max_attempts: attempts that may fail while the endpoint demonstrably works.
        first_seconds: the longest first wait.
        cap_seconds: the longest wait.
    """

    max_attempts: int = 5
    first_seconds: float = 0.5
    cap_seconds: float = 30.0

    def backoff_seconds(self, attempt: int, u: float) -> float:
        """The wait after failed attempt number `attempt` (from 1), for a `u` drawn evenly from [0, 1)."""
        longest = self.first_seconds * 2.0 ** min(attempt - 1, 32)
        return u * min(self.cap_seconds, longest)


class OutageDetector:
    """Distinguishes a bad conversation from an outage by all calls of the run.

    A failed attempt counts fully against its conversation only if another call succeeded in the meantime. So one
    conversation that always fails is rejected while the rest continue, and during an outage (almost) nothing is
    rejected. An endpoint is down when nothing has succeeded for `down_after_seconds`, at least
    20 calls failed in a row, and they are about more than stragglers: as many conversations, or more
    than a fifth of what was asked. The last few of a day, if they fail, are no evidence against the endpoint.

    Args:
        now: when the run began.
        down_after_seconds: how long without a success.
    """

    __slots__ = (
        "_down_after_seconds",
        "_failing",
        "_failures",
        "_last_success",
        "_latest_begun",
        "_since",
        "_was_reached",
    )

    def __init__(self, now: float, down_after_seconds: float = 120.0) -> None:
        self._down_after_seconds = down_after_seconds
        self._failures = 0
        self._failing: set[str] = set()
        self._last_success: float | None = None
        self._latest_begun: float | None = None
        self._since = now
        self._was_reached = False

    def succeeded(self, now: float, began: float | None = None) -> None:
        """A call that began then was answered, or its conversation was judged by the service: it works."""
        self._last_success = self._since = now
        self._was_reached = True
        if began is not None and (self._latest_begun is None or began > self._latest_begun):
            self._latest_begun = began
        self._failures = 0
        self._failing.clear()

    def failed(self, now: float, conversation: str, reached: bool = True) -> None:
        """A call about that conversation failed in a way that may be the endpoint's; `reached`: somebody took it."""
        if not self._failures:
            # Quiet hours before the first failure (a wait for quota) are no outage.
            self._since = now
        self._failures += 1
        self._failing.add(conversation)
        self._was_reached |= reached

    def was_never_there(self, now: float, seconds: float) -> bool:
        """Return true where some calls failed over so long, and not one of the run has ever reached anybody."""
        return not self._was_reached and self._failures >= _FEWEST_FAILURES and now - self._since >= seconds

    def another_succeeded_since(self, began: float) -> bool:
        """Return true where a failed attempt that began then counts against its conversation."""
        return self._last_success is not None and self._last_success > began

    def a_later_call_succeeded(self, began: float) -> bool:
        """Return true where a call that began after that one was answered."""
        return self._latest_begun is not None and self._latest_begun > began

    def is_down(self, now: float, answered: int) -> bool:
        """Return true where waiting any longer is pointless.

        Args:
            now: the time.
            answered: how many conversations have an answer, from whenever.
        """
        lasting = self._failures >= _DOWN_AFTER_FAILURES and now - self._since >= self._down_after_seconds
        failing = len(self._failing)
        return lasting and (failing >= _DOWN_AFTER_FAILURES or 4 * failing > answered)
