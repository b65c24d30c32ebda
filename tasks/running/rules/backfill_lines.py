"""Lines of a terminal about a backfill: one a day, and one about all of them."""

from collections.abc import Iterator, Sequence
from typing import Final

from tasks.domain.money import cost_of_tokens
from tasks.running.rules.backfills import Outcome
from tasks.warehouse.rules.day_tally import CEILING, DRY_RUN, LIMITED

_COUNTS: Final = ("conversations", "summarized", "rejected", "calls")


def format_outcomes(outcomes: Sequence[Outcome]) -> str:
    """Return the lines of the days in their order, and of their sum where several were done or estimated."""
    return "\n".join([*map(_line, outcomes), *_lines_of_all(outcomes)])


def _line(outcome: Outcome) -> str:
    if "conversations" not in outcome or outcome["status"] == CEILING:
        return f"{outcome['day']}: {outcome['status']}"
    if outcome["status"] == DRY_RUN:
        cost = cost_of_tokens(outcome["estimated_cost"], outcome["estimated_tokens"], outcome["currency"])
        return f"{outcome['day']}: {outcome['conversations']} conversations; {cost}; nothing was called or written"
    cut = ", cut by --limit" if outcome["status"] == LIMITED else ""
    return (
        f"{outcome['day']}: {outcome['conversations']} conversations = {outcome['summarized']} summarized + "
        f"{outcome['rejected']} rejected{cut}; report: {outcome['report']}"
    )


def _lines_of_all(outcomes: Sequence[Outcome]) -> Iterator[str]:
    done = [outcome for outcome in outcomes if "summarized" in outcome]
    if len(done) < 2:
        return
    total = {name: sum(outcome[name] for outcome in done) for name in _COUNTS}
    if done[0]["status"] == DRY_RUN:
        amount, tokens = (sum(outcome[name] for outcome in done) for name in ("estimated_cost", "estimated_tokens"))
        cost = cost_of_tokens(amount, tokens, done[0]["currency"])
        yield f"{len(done)} days: {total['conversations']:,} conversations; {cost}"
        return
    yield (
        f"{len(done)} days: {total['conversations']:,} conversations = {total['summarized']:,} summarized + "
        f"{total['rejected']:,} rejected; {total['calls']:,} calls"
    )
    yield f"all reports: {done[0]['warehouse']}/reports/index.html"
