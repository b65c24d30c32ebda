"""Adaptive limit: the most that a service takes of one thing, as far as it advertised or refusals showed it."""

import math
from typing import Final

REFUSALS_TO_OPEN: Final = 3

_FIRST_PAUSE_SECONDS: Final = 0.5

_LONGEST_PROBE_SECONDS: Final = 160.0

# A refused call may have been overtaken by so many, so that the service held more than was sent before it.
_OVERTAKING: Final = 2.0

_OVERTAKING_SHARE: Final = 0.03


class AdaptiveLimit:
    """The most that a service takes of one thing.

    A refusal brings it down to what the service held at that moment; refusals of calls sent before the first one was
    known belong to the same event. When everything sent after an event is refused as well, time and again, the limit
    `is_open`, as a circuit breaker is: one probe at a time, until one is taken. Below the advertised limit it probes
    upward after `probe_seconds`, in steps that double as long as the calls they let through are taken.

    Args:
        advertised: configured or promised by the service, never exceeded; infinity when unknown.
        probe_seconds: how long to stay at a limit that was found.
        longest_probe_seconds: twice as long each time it is found where it was, up to this.
        start: the limit to begin at, when not the advertised one.
    """

    __slots__ = (
        "_floor",
        "_found_by",
        "_longest_probe_seconds",
        "_next_stay",
        "_probe_at",
        "_probe_seconds",
        "_proven",
        "_proven_before",
        "_renew_at",
        "_stay",
        "_step",
        "_sure",
        "_taken",
        "advertised",
        "event",
        "limit",
        "refused_events",
    )

    def __init__(
        self, advertised: float, probe_seconds: float, longest_probe_seconds: float, start: float = math.inf
    ) -> None:
        self.advertised = advertised
        self._probe_seconds = self._stay = self._next_stay = probe_seconds
        self._longest_probe_seconds = longest_probe_seconds
        self.limit = min(start, advertised)
        self._step = self.limit if self.limit < advertised else 0.0
        self._probe_at = -math.inf
        self._proven = self._proven_before = 0.0
        self._renew_at = -math.inf
        self._found_by = 0
        self._taken = False
        self._sure = self._floor = 0.0
        self.event = 0
        self.refused_events = 0

    @property
    def is_open(self) -> bool:
        """True while only single probes may go."""
        return self.refused_events >= REFUSALS_TO_OPEN

    @property
    def pause_seconds(self) -> float:
        """The time to send nothing at all: while it is open, twice as long after each refusal."""
        return _FIRST_PAUSE_SECONDS * 2.0 ** min(self.refused_events - REFUSALS_TO_OPEN, 16) if self.is_open else 0.0

    @property
    def is_probing(self) -> bool:
        """True while more is tried than was taken at the limit that refusals showed."""
        return self._step > 0

    def advertise(self, advertised: float) -> None:
        """Take a new promise; the same one again does not undo what was found since."""
        if advertised != self.advertised:
            self.advertised = self.limit = advertised
            self._step = 0.0
            self.refused_events = 0

    def trust(self) -> None:
        """Go back to the advertised limit: what was found was none."""
        self.limit = self.advertised
        self._step = 0.0
        self.refused_events = 0

    def restart(self, advertised: float, limit: float, last_sequence: int, now: float, probe_seconds: float) -> None:
        """Begin anew at a limit counted in another window; refusals of calls sent until now are known already."""
        self._probe_seconds = self._stay = self._next_stay = probe_seconds
        self._longest_probe_seconds = max(self._longest_probe_seconds, _LONGEST_PROBE_SECONDS)
        self.advertised, self.limit = advertised, min(limit, advertised)
        self._step = self._proven = self._proven_before = 0.0
        self._probe_at = now + self._stay
        self.event = self._found_by = last_sequence
        self._taken = False
        self.refused_events = 0

    def at(self, now: float, size: float = 1.0) -> float:
        """The limit now; `size` is the smallest step that lets one more call through."""
        if self.limit < self.advertised and not self._step and now >= self._probe_at and not self.refused_events:
            self._step = size
            self._sure = self.limit
            self.limit = min(self.advertised, self.limit + size)
        return self.limit

    def refused(self, sequence: int, last_sequence: int, inside: float, least: float, now: float) -> bool:
        """A call was refused; return True if that is a new event.

        Args:
            sequence: the call's place in the order of sending.
            last_sequence: that of the last call sent.
            inside: what the service held as the call was sent; infinity if that is no matter.
            least: what the limit never goes below, and where it starts over once open if `inside` was no matter.
            now: the time.
        """
        if self.limit == self.advertised < math.inf:
            # What was promised and lately proven is not disproved by one call that overtook another.
            inside = max(inside, self._proven, self._proven_before)
        if sequence > self.event:
            self._floor = self._sure if self._step else 0.0
        if inside >= self._floor - max(_OVERTAKING, _OVERTAKING_SHARE * self._floor):
            inside = max(inside, self._floor)  # a probe that is refused refutes no more than the probe
        if inside < math.inf:
            self.limit = max(least, min(self.limit, inside))
        if sequence <= self.event:
            return False
        # Does the service still take some? Refusals at once come in the order of sending, so then a
        # call between the last event and this one was not refused; others come in any order.
        survived = sequence > self.event + 1 if inside < math.inf else self._taken
        self.refused_events = 1 if survived else self.refused_events + 1
        self.event = last_sequence
        self._taken = False
        if inside < math.inf:
            self._found_by = sequence
            self._step = 0.0
            self._proven = self._proven_before = 0.0
            if now >= self._probe_at:  # earlier, it refutes no probe: more of one burst comes back
                self._stay = self._next_stay
                self._next_stay = min(2 * self._stay, self._longest_probe_seconds)
            self._probe_at = now + self._stay
        elif self.is_open:
            self.limit = min(self.limit, least)
        return True

    def yield_to(self, limit: float, now: float) -> None:
        """Take another limit than the one that was found, which is inexact, and stay there for a while."""
        self.limit = min(limit, self.advertised)
        self._probe_at = max(self._probe_at, now + self._stay)

    def correct(self, sequence: int, delta: float) -> None:
        """Move a limit that was found by `delta`: what an earlier call used is known only now."""
        if sequence < self._found_by and self.limit < self.advertised:
            self.limit = min(self.advertised, self.limit + delta)

    def accepted(self, sequence: int, reached: float, lump: float, now: float) -> None:
        """A call was taken.

        Args:
            sequence: the call's place in the order of sending.
            reached: what was in use with it, counted as the limit counts.
            lump: how far from the limit a call may stay because the next would not fit.
            now: the time.
        """
        self._taken = True
        if now >= self._renew_at:
            self._proven_before = self._proven
            self._proven = 0.0
            self._renew_at = now + self._probe_seconds / 4
        self._proven = max(self._proven, reached)
        if self.refused_events and sequence > self.event:
            if self.is_open:  # on the way here it may have fallen further than it had to
                self._probe_at = now
            self.refused_events = 0
        if self._step and reached >= self.limit - max(self._step / 2, lump):
            self._step *= 2
            self._stay = self._next_stay = self._probe_seconds
            self.limit = min(self.advertised, self.limit + self._step)
            if self.limit == self.advertised:
                self._step = 0.0
