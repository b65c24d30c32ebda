"""Lines of a terminal about a backfill: one a day, and one about all of them."""

from collections.abc import Iterator, Sequence
from typing import Final

from tasks.domain.money import in_currency
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
        cost = in_currency(outcome["estimated_cost"], outcome["currency"])
        return (
            f"{outcome['day']}: {outcome['conversations']} conversations; about {outcome['estimated_tokens']} tokens, "
            f"a cost of {cost}; nothing was called or written"
        )
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
        cost = in_currency(sum(outcome["estimated_cost"] for outcome in done), done[0]["currency"])
        tokens = sum(outcome["estimated_tokens"] for outcome in done)
        yield f"{len(done)} days: {total['conversations']:,} conversations; about {tokens:,} tokens, a cost of {cost}"
        return
    yield (
        f"{len(done)} days: {total['conversations']:,} conversations = {total['summarized']:,} summarized + "
        f"{total['rejected']:,} rejected; {total['calls']:,} calls"
    )
    yield f"all reports: {done[0]['warehouse']}/reports/index.html"
