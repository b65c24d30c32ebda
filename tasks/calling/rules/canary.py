"""The canary and the brake: whether a run's answers are worth buying on.

The first calls are judged before the rest goes; afterwards a window of the latest calls is judged on and on.
"""

import math
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from tasks.domain.records import Reason

# One wrong alarm in twenty at the limit itself, judged once; later windows are judged a hundred thousand times.
_DOUBT: Final = 0.05

_DOUBT_ON_AND_ON: Final = 1e-6

# Answers that are empty, refused or cut off are far above the usual from here on.
_TIMES_THE_USUAL: Final = 3.0

_LEAST_UNUSUAL: Final = 0.1

_REMEDIES: Final[Mapping[str, str]] = {
    Reason.LOST_TO_THINKING: "switch thinking off (--thinking off) or allow more tokens (--max-output-tokens)",
    Reason.REFUSED: "the service refuses these conversations; ask for another model or the filter's settings",
    Reason.INVALID_REQUEST: "the service does not take the request; check --endpoint and the options of the model",
    Reason.TOO_LONG: "lower --max-input-tokens to what the model reads",
    Reason.ENDPOINT_ERROR: "the service breaks its answers off or fails; see its console",
    Reason.UNPARSEABLE: "check that --endpoint and --prompt belong together, or try --response-format json_schema",
    Reason.INVALID_FIELDS: "check that --endpoint and --prompt belong together, or try --response-format json_schema",
}

CUT_OFF: Final = "cut_off"

# One in so many of the first calls may take its time.
_STRAGGLERS: Final = 5


@dataclass(frozen=True, slots=True)
class CanaryRule:
    """The rule that stops a run whose answers are useless.

    Args:
        first: calls that are judged before the rest goes, and the length of the window afterwards; 0 judges nothing.
        max_useless_ratio: answers without a summary that a run may have.
        usual_ratio: rejects of the days before; None where there are none to compare with.
    """

    first: int = 50
    max_useless_ratio: float = 0.2
    usual_ratio: float | None = None


class Canary:
    """Judges the answers of a run as they come."""

    __slots__ = ("_begun", "_judged", "_most_first", "_most_later", "_most_unusual", "_rule", "_window", "trouble")

    def __init__(self, rule: CanaryRule) -> None:
        self.trouble: str | None = None
        self._rule = rule
        self._begun = self._judged = 0
        self._window: deque[str] = deque(maxlen=max(1, rule.first))
        ratio = rule.max_useless_ratio
        self._most_first = critical_count(rule.first, ratio, _DOUBT)
        self._most_later = critical_count(rule.first, ratio, _DOUBT_ON_AND_ON)
        unusual = 1.0 if rule.usual_ratio is None else max(_LEAST_UNUSUAL, _TIMES_THE_USUAL * rule.usual_ratio)
        self._most_unusual = critical_count(rule.first, unusual, _DOUBT_ON_AND_ON)

    @property
    def is_open(self) -> bool:
        """Return true where one more conversation may be asked about.

        A few of the first may be tried again and again; the rest does not wait for those.
        """
        first = self._rule.first
        return self._begun < first or self._judged >= first - first // _STRAGGLERS or not first

    def begin(self) -> None:
        """Count a conversation that is asked about now."""
        self._begun += 1

    def judge(self, useless: Reason | None, cut_off: bool = False) -> None:
        """Take one answer into account.

        Args:
            useless: the reason for which it holds no summary; None where it holds one.
            cut_off: it was ended at its length limit.
        """
        rule = self._rule
        if not rule.first or self.trouble:
            return
        self._judged += 1
        self._window.append(useless or (CUT_OFF if cut_off else ""))
        if not self._window[-1]:
            return  # the counts rise with no good answer
        bad = sum(what not in {"", CUT_OFF} for what in self._window)
        unusual = sum(what != "" for what in self._window)
        # Before the first verdict a count that no later answer can mend is enough.
        most = self._most_first if self._judged <= rule.first else self._most_later
        if bad >= most:
            self.trouble = self._sentence(bad, f"more than the {rule.max_useless_ratio:.0%} of --max-reject-ratio")
        elif rule.usual_ratio is not None and unusual >= self._most_unusual:
            self.trouble = self._sentence(unusual, f"far more than the {rule.usual_ratio:.1%} of the days before")

    def _sentence(self, bad: int, measure: str) -> str:
        reasons = Counter(what for what in self._window if what).most_common()
        named = ", ".join(f"{count} {reason}" for reason, count in reasons)
        remedy = _REMEDIES.get(reasons[0][0], "allow longer answers (--max-output-tokens)")
        place = "first" if self._judged <= self._rule.first else "last"
        return (
            f"{bad} of the {place} {len(self._window)} answers hold no usable summary ({named}), {measure}: {remedy}."
        )


@lru_cache(maxsize=64)
def critical_count(number: int, ratio: float, doubt: float) -> int:
    """The smallest count of `number` that a true share of `ratio` reaches with a probability of `doubt` at most.

    `number` + 1 where no count is so unlikely.
    """
    if ratio >= 1.0 or not number:
        return number + 1
    if ratio <= 0.0:
        return 1
    tail = 0.0
    for count in range(number, -1, -1):
        tail += math.comb(number, count) * ratio**count * (1 - ratio) ** (number - count)
        if tail > doubt:
            return count + 1
    return 0
