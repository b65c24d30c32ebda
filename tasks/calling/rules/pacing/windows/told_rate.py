"""Told rate: what a quota is said to be, by the configuration or by a reply's header."""

import math
from typing import Final

_ROUNDING: Final = 1e-6


class ToldRate:
    """A rate that is told per minute, whatever window it is counted in.

    Args:
        per_minute: calls or tokens, as configured; None where nobody says it.
        by_tokens: it counts tokens, which need not be whole in a window.
    """

    __slots__ = ("_by_tokens", "_configured", "_per_minute")

    def __init__(self, per_minute: float | None, by_tokens: bool) -> None:
        self._configured = self._per_minute = math.inf if per_minute is None else per_minute
        self._by_tokens = by_tokens

    @property
    def is_known(self) -> bool:
        """True where there is one."""
        return self._per_minute < math.inf

    @property
    def per_second(self) -> float:
        """Calls or tokens a second; infinity while unknown."""
        return self._per_minute / 60.0

    def advertise(self, per_minute: float) -> None:
        """Take a rate from a reply's header; the configured one stays the upper bound."""
        self._per_minute = min(self._configured, per_minute)

    def in_window(self, seconds: float) -> float:
        """The quota of a window of so many seconds, one call at least; infinity while unknown."""
        if not self.is_known:
            return math.inf
        whole = self._per_minute * seconds / 60.0
        return max(1.0, whole if self._by_tokens else math.floor(whole + _ROUNDING))
