"""Names of log sources, in which {day} stands for the day."""

from datetime import date
from string import Formatter

from tasks.domain.errors import UsageError


def before_the_day(template: str) -> str:
    """The folder above a source's first slot; empty where it has none."""
    literals = list[str]()
    for literal, slot, _, _ in Formatter().parse(template):
        literals.append(literal)
        if slot is not None:
            before = "".join(literals)
            return before[: before.rfind("/") + 1] or "."
    return ""


def source_of(template: str, day: date) -> str:
    """The source URI with the day filled in.

    Raises:
        UsageError: the template has another slot, or a broken one.
    """
    try:
        return template.format(day=day)
    except (KeyError, IndexError, ValueError, TypeError, AttributeError):
        raise UsageError(
            f"--source {template!r}: only {{day}} and {{day:%Y/%m/%d}} can stand in braces; write {{{{ for a brace."
        ) from None


def names_the_day(template: str) -> bool:
    """Return true where a source has a place of its own for each day."""
    return source_of(template, date(2001, 2, 3)) != source_of(template, date(2004, 5, 6))
