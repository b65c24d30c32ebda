"""Usage ratio: how the tokens that a service counts relate to our estimates, and how far they spread."""

# Before replies have shown it, an estimate counts for a bit more than its value.
_FIRST_RATIO = 1.25

_FIRST_SPREAD = 0.25

# So long as few replies came, what the log holds may be much less at the service.
_FIRST_DOUBT = 0.4

_FEW_REPLIES = 50

_SLOWEST_GAIN = 0.005


class UsageRatio:
    """A running mean of used / estimated, and of its deviation (both relative)."""

    __slots__ = ("_replies", "ratio", "spread")

    def __init__(self) -> None:
        self.ratio = _FIRST_RATIO
        self.spread = _FIRST_SPREAD
        self._replies = 0

    @property
    def doubt(self) -> float:
        """The relative error that the log's sum of estimates may have."""
        return self.spread if self._replies > _FEW_REPLIES else _FIRST_DOUBT

    def learn(self, estimate: int, used: int) -> None:
        """Take one reply's usage."""
        self._replies += 1
        gain = max(_SLOWEST_GAIN, 1.0 / self._replies)
        off = used / max(estimate, 1) - self.ratio
        self.ratio += gain * off
        if self._replies > 1:  # the first one differs from a guess, not from others
            gain = max(_SLOWEST_GAIN, 1.0 / (self._replies - 1))
            self.spread += gain * (abs(off) / self.ratio * 1.25 - self.spread)
