"""A caller beside a night's own: for calls that must look like its others and are counted and kept apart."""

from typing import Any

from tasks.calling.caller import Caller
from tasks.calling.rules.usage import UsageTotals


class CallerBeside(Caller):
    """Shares another caller's queue, budget, canary and end, as one of its own calls would; counts usage apart.

    Args:
        first: the night's own.
        arguments: as for a caller.
    """

    def __init__(self, first: Caller, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._admission, self.outage = first._admission, first.outage
        self._count_billed_before()
        first._beside.append(self)

    @property
    def run_id(self) -> str:
        """The run that its answers are bought by."""
        return self._run_id

    @property
    def billed(self) -> UsageTotals:
        """Everything that its run paid for through it, before a restart and since."""
        before, now = self._answers.billed_before, self.usage
        return UsageTotals(
            before.calls + now.calls,
            before.prompt_tokens + now.prompt_tokens,
            before.completion_tokens + now.completion_tokens,
            before.cached_tokens + now.cached_tokens,
        )
