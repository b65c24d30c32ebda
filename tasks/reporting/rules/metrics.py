"""Metrics."""

from collections.abc import Iterator

import pyarrow as pa

from tasks.reporting.rules.digest import ANSWERS, Digest, Group, Share
from tasks.warehouse.rules.tables import METRICS


def metrics_table(digest: Digest) -> pa.Table:
    """The figures as a table of METRICS; the names are in the module's docstring."""
    rows = list(_metric_rows(digest))
    return pa.Table.from_pydict(
        {field.name: [row[index] for row in rows] for index, field in enumerate(METRICS)}, schema=METRICS
    )


_MetricRow = tuple[str, str, str, float | None, int | None, int | None]


def _metric_rows(digest: Digest) -> Iterator[_MetricRow]:
    total = digest.outcomes.total
    read = digest.conversations
    yield _count("conversations", "all", "all", read)
    yield _share("summarized_share", "all", "all", Share(total, read))
    yield _share("rejected_share", "all", "all", Share(digest.rejected, read))
    for reason, count in digest.rejects:
        yield _share("rejected_share", "reason", reason, Share(count, read))
    dimensions: dict[str, tuple[Group, ...]] = {
        "all": (Group("all", digest.outcomes),),
        "channel": digest.channels,
        "hour": digest.hours,
        "turns": digest.turns,
        "model": digest.models,
        "prompt_version": digest.prompt_versions,
        "issue_word": digest.issues.groups,
        "plan_word": digest.plans.groups,
    }
    for dimension, groups in dimensions.items():
        for group in groups:
            yield from _outcome_rows(dimension, group)
    for accepted in ANSWERS:
        for negative in ANSWERS:
            cell = Share(digest.outcomes.cell(accepted, negative), total)
            yield _share("outcome_share", "accepted_negative", f"{accepted}/{negative}", cell)
    yield _share("issue_known_share", "all", "all", Share(digest.issues.told, total))
    yield _share("plan_known_share", "all", "all", Share(digest.plans.told, total))
    yield _share("truncated_share", "all", "all", Share(digest.truncated, total))
    for name, words in (("issue", digest.issues), ("plan", digest.plans)):
        yield _share(f"{name}_word_sample_share", "all", "all", Share(words.counted_in, words.told))
    for name in ("calls", "retries", "quota_refusals", "reused", "prompt_tokens", "completion_tokens"):
        count = getattr(digest.effort, name)
        if count is not None:
            yield _count(name, "run", "all", count)
    for name in ("seconds", "cost", "quota_use"):
        value = getattr(digest.effort, name)
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


def _share(metric: str, dimension: str, key: str, share: Share) -> _MetricRow:
    return metric, dimension, key, share.value, share.part, share.whole
