"""The figures in the long form of the METRICS table."""

from collections.abc import Iterator

import pyarrow as pa

from tasks.reporting.rules.statistics import ANSWERS, DayStatistics, Group, Proportion
from tasks.warehouse.rules.tables import METRICS


def metrics_table(statistics: DayStatistics) -> pa.Table:
    """The figures as a table of METRICS; the names are in the module's docstring."""
    rows = list(_metric_rows(statistics))
    return pa.Table.from_pydict(
        {field.name: [row[index] for row in rows] for index, field in enumerate(METRICS)}, schema=METRICS
    )


_MetricRow = tuple[str, str, str, float | None, int | None, int | None]


def _metric_rows(statistics: DayStatistics) -> Iterator[_MetricRow]:
    total = statistics.outcomes.total
    read = statistics.conversations
    yield _count("conversations", "all", "all", read)
    yield _share("summarized_share", "all", "all", Proportion(total, read))
    yield _share("rejected_share", "all", "all", Proportion(statistics.rejected, read))
    for reason, count in statistics.rejects:
        yield _share("rejected_share", "reason", reason, Proportion(count, read))
    dimensions: dict[str, tuple[Group, ...]] = {
        "all": (Group("all", statistics.outcomes),),
        "channel": statistics.channels,
        "hour": statistics.hours,
        "turns": statistics.turns,
        "model": statistics.models,
        "prompt_version": statistics.prompt_versions,
        "theme": statistics.themes,
        "plan_theme": statistics.plan_themes,
        **statistics.attributes,
        "issue_word": statistics.issues.groups,
        "plan_word": statistics.plans.groups,
    }
    for dimension, groups in dimensions.items():
        for group in groups:
            yield from _outcome_rows(dimension, group)
    for accepted in ANSWERS:
        for negative in ANSWERS:
            cell = Proportion(statistics.outcomes.cell(accepted, negative), total)
            yield _share("outcome_share", "accepted_negative", f"{accepted}/{negative}", cell)
    yield _share("issue_known_share", "all", "all", Proportion(statistics.issues.known, total))
    yield _share("plan_known_share", "all", "all", Proportion(statistics.plans.known, total))
    yield _share("truncated_share", "all", "all", Proportion(statistics.truncated, total))
    for name, words in (("issue", statistics.issues), ("plan", statistics.plans)):
        yield _share(f"{name}_word_sample_share", "all", "all", Proportion(words.counted_in, words.known))
    for name in ("calls", "retries", "quota_refusals", "reused", "prompt_tokens", "completion_tokens"):
        count = getattr(statistics.usage, name)
        if count is not None:
            yield _count(name, "run", "all", count)
    for name in ("seconds", "cost", "quota_use"):
        value = getattr(statistics.usage, name)
        if value is not None:
            yield name, "run", "all", value, None, None


def _outcome_rows(dimension: str, group: Group) -> Iterator[_MetricRow]:
    outcomes = group.outcomes
    yield _count("summaries", dimension, group.key, outcomes.total)
    for name, share in (
        ("accepted_share", outcomes.accepted("yes")),
        ("not_accepted_share", outcomes.accepted("no")),
        ("accepted_unknown_share", outcomes.accepted("unknown")),
        ("negative_share", outcomes.negative("yes")),
        ("not_negative_share", outcomes.negative("no")),
        ("negative_unknown_share", outcomes.negative("unknown")),
    ):
        yield _share(name, dimension, group.key, share)


def _count(metric: str, dimension: str, key: str, count: int) -> _MetricRow:
    return metric, dimension, key, float(count), count, None


def _share(metric: str, dimension: str, key: str, share: Proportion) -> _MetricRow:
    return metric, dimension, key, share.value, share.part, share.whole
