"""The four headline figures of a report, each beside its past."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from tasks.reporting.rules.findings import Comparison, Headline, differs
from tasks.reporting.rules.formatting import interval_range, percent
from tasks.reporting.rules.reviewed import ReviewedSample, corrected_share
from tasks.reporting.rules.statistics import DayStatistics, Proportion
from tasks.reporting.rules.texts import Bilingual, reason_label, translate

_DIFFERS_AT = 1.96


class Delta(NamedTuple):
    """A headline's change against earlier days: in points or as a count; `bad` when it is clear and unwelcome."""

    label: Bilingual
    before: str
    change: Bilingual
    bad: bool


class Figure(NamedTuple):
    """One of the headline figures: its parts add up to the whole bar."""

    label: Bilingual
    value: str
    detail: str
    interval: str
    parts: tuple[tuple[Bilingual, int, str], ...]
    deltas: tuple[Delta, ...]
    corrected: Bilingual | None = None


def figures_of(
    statistics: DayStatistics, comparison: Comparison, days: int, reviewed: ReviewedSample | None = None
) -> Iterable[Figure]:
    """Yield conversations, acceptance, negative sentiment and coverage, each beside its past; `days` have tables.

    `reviewed` corrects acceptance and negative sentiment for the model's errors.
    """
    outcomes = statistics.outcomes
    yield Figure(
        translate("conversations"),
        f"{statistics.conversations:,}",
        "",
        "",
        (
            (translate("summarized"), outcomes.total, "main"),
            (translate("rejected"), statistics.rejected, "warn" if statistics.rejected else "rest"),
        ),
        tuple(_count_deltas(statistics.conversations, comparison, days)),
    )
    yield _share_figure(
        translate("accepted"),
        outcomes.accepted("yes"),
        (
            (translate("accepted"), outcomes.accepted("yes").part, "main"),
            (translate("not_accepted"), outcomes.accepted("no").part, "rest"),
            (translate("unknown"), outcomes.accepted("unknown").part, "unknown"),
        ),
        comparison,
        lambda day: day.accepted,
        more_is_bad=False,
    )._replace(corrected=corrected_share(reviewed, "accepted"))
    yield _share_figure(
        translate("negative"),
        outcomes.negative("yes"),
        (
            (translate("negative"), outcomes.negative("yes").part, "warn"),
            (translate("not_negative"), outcomes.negative("no").part, "rest"),
            (translate("unknown"), outcomes.negative("unknown").part, "unknown"),
        ),
        comparison,
        lambda day: day.negative,
        more_is_bad=True,
    )._replace(corrected=corrected_share(reviewed, "negative_sentiment"))
    complete = statistics.coverage
    yield _share_figure(
        translate("complete"),
        complete,
        (
            (translate("summarized"), complete.part, "main"),
            *_unread_part(statistics),
            *((reason_label(reason), count, "warn") for reason, count in statistics.rejects[:2]),
        ),
        comparison,
        lambda day: Proportion(day.rejected.whole - day.rejected.part, day.rejected.whole),
        more_is_bad=False,
        all_counted=True,
    )


def _unread_part(statistics: DayStatistics) -> Iterable[tuple[Bilingual, int, str]]:
    lost = statistics.coverage.whole - statistics.conversations
    if lost:
        yield translate("unread_about"), lost, "warn"


def _share_figure(
    label: Bilingual,
    share: Proportion,
    parts: tuple[tuple[Bilingual, int, str], ...],
    comparison: Comparison,
    measure: Callable[[Headline], Proportion],
    more_is_bad: bool,
    all_counted: bool = False,
) -> Figure:
    deltas = []
    for name, day in _earlier(comparison):
        before = measure(day)
        if share.value is None or before.value is None:
            continue
        change = share.value - before.value
        clear = differs(share, before, _DIFFERS_AT)
        deltas.append(
            Delta(
                name,
                percent(before),
                _points(change),
                clear and (change > 0) == more_is_bad,
            )
        )
    detail = f"{share.part:,}/{share.whole:,}"
    hint = "" if all_counted else interval_range(share)
    return Figure(label, percent(share), detail, hint, parts, tuple(deltas))


def _count_deltas(count: int, comparison: Comparison, days: int) -> Iterable[Delta]:
    if comparison.yesterday and comparison.yesterday.conversations:
        yield _count_delta(translate("day_before"), count, comparison.yesterday.conversations)
    if len(comparison.usual) > 1:
        mean = sum(comparison.usual) / len(comparison.usual)
        yield _count_delta(translate("weekday_mean", weeks=len(comparison.usual)), count, mean)
    elif comparison.before and comparison.before_days > 1:
        if days > 1:
            yield _count_delta(translate("span_before", days=comparison.span), count, comparison.mean * days)
        else:
            yield _count_delta(translate("daily_mean", days=comparison.before_days), count, comparison.mean)


def _count_delta(label: Bilingual, count: int, before: float) -> Delta:
    change = f"{(count - before) / before:+.0%}" if before else "–"
    said = translate("unchanged") if change in {"+0%", "-0%"} else Bilingual(_signed(change), _signed(change))
    return Delta(label, f"{before:,.0f}", said, bad=False)


def _points(change: float) -> Bilingual:
    points = f"{change * 100:+.1f}"
    return translate("unchanged") if float(points) == 0 else translate("points", delta=_signed(points))


def _signed(number: str) -> str:
    """Set a minus sign where a hyphen stands."""
    return number.replace("-", "−")


def _earlier(comparison: Comparison) -> list[tuple[Bilingual, Headline]]:
    earlier = []
    if comparison.yesterday:
        earlier.append((translate("day_before"), comparison.yesterday))
    if comparison.before and comparison.before_days > 1:
        earlier.append((translate("span_before", days=comparison.span), comparison.before))
    return earlier
