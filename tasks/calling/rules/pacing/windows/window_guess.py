"""Window guesses: the windows in which a service may have been full as it refused a call for the first time.

At the rate that was told, a window that is full holds rate times length. The log says what was sent within any length
of time before the refusal, so the length at which both agree is the first guess. The next ones are windows that are
common, with less in them than was told. The last one is the longest window with a lower limit.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from tasks.calling.rules.pacing.windows.sent_history import KNOWN_SECONDS, SentHistory, snapped
from tasks.calling.rules.pacing.windows.told_rate import ToldRate

# Windows to try when the rate itself is in doubt.
_LIKELY_SECONDS: Final = (1.0, 10.0)

_SHORTEST_SECONDS: Final = 1.0

# What was on its way as the call was refused, as a part of the window.
TOLERANCE: Final = 0.03


@dataclass(frozen=True, slots=True)
class Guess:
    """A guess: the service was full with `held` calls (or tokens) in a window of so many `seconds`.

    `is_at_rate`: that is the rate that was told, give or take what was on its way.
    """

    seconds: float
    held: float
    is_at_rate: bool = False


def guesses(history: SentHistory, told: ToldRate, longest_seconds: float, tolerance: float) -> list[Guess]:
    """Return what explains a refusal, the likeliest first; nothing where only a lower limit does.

    Args:
        history: of the refused call.
        told: the rate that the service is said to have.
        longest_seconds: the window that was assumed.
        tolerance: the relative error that sums of the history may have.
    """
    if not history:
        return []
    own = history.own
    short = [
        Guess(seconds, min(history.held(seconds), told.in_window(seconds)), is_at_rate=True)
        for seconds in _full_at_the_rate(history, told, longest_seconds, tolerance)
    ]
    for seconds in _LIKELY_SECONDS:
        held = history.held(seconds)
        most = min(held + own, told.in_window(seconds) * (1 + tolerance))
        if seconds < longest_seconds and held and history.most(seconds) <= most:
            short.append(Guess(seconds, held))
    return [*short, Guess(longest_seconds, max(own, history.held(longest_seconds)))] if short else []


def _full_at_the_rate(
    history: SentHistory, told: ToldRate, longest_seconds: float, tolerance: float
) -> Iterator[float]:
    """The window in which the service, at the rate that was told, was full."""
    if not told.is_known:
        return
    rate, own = told.per_second, history.own
    least, most = history.held(longest_seconds) / rate, history.upper(longest_seconds) / rate
    guess = max(snapped(least, most, tolerance), _SHORTEST_SECONDS, 1.0 / rate)
    for seconds in sorted({guess, *KNOWN_SECONDS}):
        quota = rate * seconds
        if seconds >= longest_seconds * (1 - TOLERANCE):
            return
        full = history.held(seconds) + own > quota * (1 - TOLERANCE)
        refuted = history.most(seconds) > quota * (1 + tolerance) + own
        if seconds == guess or (full and not refuted):
            yield seconds
            return
