"""Quota limit."""

import math
from typing import Final

_STRIKES_TO_SHUT: Final = 3


class AdaptiveLimit:
    """The most that a service takes of one thing, as far as it was told or found out.

    A refusal brings it down to what the service held at that moment; refusals of calls sent before the first
    one was known belong to the same event. When everything sent after an event is refused as well, time and
    again, the bound is `shut`: one trial call at a time, until one is taken. Below what was told it probes
    upward after `probe_seconds`, in steps that double as long as the calls they let through are taken.

    Args:
        told: what was configured or promised, never exceeded; infinity when unknown.
        probe_seconds: how long to stay at a bound that was found.
        longest_probe_seconds: twice as long each time it is found where it was, up to this.
        start: where to begin, when not at `told`.
    """

    __slots__ = (
        "_event",
        "_found_by",
        "_longest_probe_seconds",
        "_probe_at",
        "_probe_seconds",
        "_proven",
        "_proven_before",
        "_renew_at",
        "_stay",
        "_step",
        "_taken",
        "limit",
        "strikes",
        "told",
    )

    def __init__(
        self, told: float, probe_seconds: float, longest_probe_seconds: float, start: float = math.inf
    ) -> None:
        self.told = told
        self._probe_seconds = self._stay = probe_seconds
        self._longest_probe_seconds = longest_probe_seconds
        self.limit = min(start, told)
        self._step = self.limit if self.limit < told else 0.0
        self._probe_at = -math.inf
        self._proven = self._proven_before = 0.0
        self._renew_at = -math.inf
        self._event = self._found_by = 0
        self._taken = False
        self.strikes = 0

    @property
    def shut(self) -> bool:
        """Whether only trial calls may go."""
        return self.strikes >= _STRIKES_TO_SHUT

    def tell(self, told: float) -> None:
        """Take a new promise; the same one again says nothing new about what was found since."""
        if told != self.told:
            self.told = self.limit = told
            self._step = 0.0
            self.strikes = 0

    def at(self, now: float, size: float = 1.0) -> float:
        """The bound now; `size` is the smallest step that lets one more call through."""
        if self.limit < self.told and not self._step and now >= self._probe_at and not self.strikes:
            self._step = size
            self.limit = min(self.told, self.limit + size)
        return self.limit

    def refused(self, sequence: int, last_sequence: int, inside: float, least: float, now: float) -> bool:
        """A call was refused; say whether that is a new event.

        Args:
            sequence: the call's place in the order of sending.
            last_sequence: that of the last call sent.
            inside: what the service held as the call was sent; infinity if that is no matter.
            least: what the bound never goes below, and where it starts over once shut if `inside` was no matter.
            now: the time.
        """
        if self.limit == self.told < math.inf:
            # What was promised and lately proven is not disproved by one call that overtook another.
            inside = max(inside, self._proven, self._proven_before)
        if inside < math.inf:
            self.limit = max(least, min(self.limit, inside))
        if sequence <= self._event:
            return False
        # Does the service still take some? Refusals at once come in the order of sending, so then a
        # call between the last event and this one was not refused; others come in any order.
        survived = sequence > self._event + 1 if inside < math.inf else self._taken
        self.strikes = 1 if survived else self.strikes + 1
        self._event = last_sequence
        self._taken = False
        if inside < math.inf:
            self._found_by = sequence
            self._step = 0.0
            self._proven = self._proven_before = 0.0
            self._probe_at = now + self._stay
            self._stay = min(2 * self._stay, self._longest_probe_seconds)
        elif self.shut:
            self.limit = min(self.limit, least)
        return True

    def correct(self, sequence: int, delta: float) -> None:
        """What an earlier call used is known now: had it been known, the bound had been found `delta` higher."""
        if sequence < self._found_by and self.limit < self.told:
            self.limit += delta

    def accepted(self, sequence: int, reached: float, lump: float, now: float) -> None:
        """A call was taken.

        Args:
            sequence: the call's place in the order of sending.
            reached: what was in use with it, counted as the bound counts.
            lump: how far from the bound a call may stay because the next would not fit.
            now: the time.
        """
        self._taken = True
        if now >= self._renew_at:
            self._proven_before = self._proven
            self._proven = 0.0
            self._renew_at = now + self._probe_seconds / 4
        self._proven = max(self._proven, reached)
        if self.strikes and sequence > self._event:
            if self.shut:  # on the way here it may have fallen further than it had to
                self._probe_at = now
            self.strikes = 0
        if self._step and reached >= self.limit - max(self._step / 2, lump):
            self._step *= 2
            self._stay = self._probe_seconds
            self.limit = min(self.told, self.limit + self._step)
            if self.limit == self.told:
                self._step = 0.0
