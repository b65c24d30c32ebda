"""Figures of a day or of a span, asked of its tables by the questions in `sql/`.

`ask_for_statistics` returns a `DayStatistics`: the values that a report is drawn from, and beside them the same
figures in the long form of METRICS, which `metrics.sql` makes. Analysts get the same by `_catalog/views.sql`, for any
days: `FROM metrics_of(DATE '2026-11-16', DATE '2026-11-22')`.

The metrics, by stable name. A share's `value` is numerator / denominator, null where there is nothing to
divide; counts have no denominator:

| metric                  | dimension         | value_key       | numerator / denominator            |
| ----------------------- | ----------------- | --------------- | ---------------------------------- |
| conversations           | all               | all             | summarized + rejected              |
| summarized_share        | all               | all             | summarized / conversations         |
| rejected_share          | all               | all             | rejected / conversations           |
| rejected_share          | reason            | records.Reason  | of that reason / conversations     |
| summaries               | each below        | its value       | rows (words: of the sample)        |
| accepted_share          | each below        | its value       | accepted / rows                    |
| not_accepted_share      | each below        | its value       | not accepted / rows                |
| accepted_unknown_share  | each below        | its value       | acceptance unknown / rows          |
| negative_share          | each below        | its value       | negative / rows                    |
| not_negative_share      | each below        | its value       | not negative / rows                |
| negative_unknown_share  | each below        | its value       | sentiment unknown / rows           |
| outcome_share           | accepted_negative | yes/unknown, …  | rows of that cell / rows           |
| issue_known_share       | all               | all             | rows with an issue / rows          |
| plan_known_share        | all               | all             | rows with a plan / rows            |
| truncated_share         | all               | all             | cut conversations / rows           |
| issue_word_sample_share | all               | all             | looked at / rows with an issue     |
| plan_word_sample_share  | all               | all             | looked at / rows with a plan       |
| calls, … (see below)    | run               | all             | counts, or nothing                 |

The run's: calls, retries, quota_refusals, reused, prompt_tokens, completion_tokens, seconds, cost, quota_use.
Dimensions: all, channel, hour (00 to 23, local), turns (1-4 … 30+), model, prompt_version, theme, plan_theme,
issue_word, plan_word, and the attributes that the setting `dimensions` names; of these, values with too few
conversations are `OTHER`. A value that a row does not name is the empty string; beyond the thousand most frequent of a
dimension it is `OTHER`. Shares of words are of the conversations whose issue (or plan) holds the word, each counted
once; words are cut here, so `metrics_of` has none.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, tzinfo
from typing import Any

import pyarrow as pa

from tasks.reporting.queries import Warehouse
from tasks.reporting.rules.dimensions import NO_ATTRIBUTES, AttributeDimensions
from tasks.reporting.rules.groups import (
    count_words,
    figures_of_days,
    groups_by_dimension,
    in_order,
    usage_of,
    word_rows,
)
from tasks.reporting.rules.statistics import DayFigures, DayStatistics, Example, Outcomes
from tasks.reporting.rules.words import issue_words, plan_words
from tasks.warehouse.rules.tables import METRICS, RUNS

TURN_BUCKETS = ("1-4", "5-9", "10-19", "20-29", "30+")

WORD_SAMPLE = 5_000

FIGURES_MEMORY = "240MB"

WORST_EXAMPLES = 30

_HOURS = [f"{hour:02}" for hour in range(24)]

_RUNS_BY_DAY = RUNS.append(pa.field("day", pa.date32()))


def hold_runs(warehouse: Warehouse, runs: Mapping[date, Sequence[Mapping[str, Any]]]) -> None:
    """Let rows of RUNS be the table `runs`, by day; keys may be missing."""
    rows = [{**row, "day": day} for day, made in runs.items() for row in made]
    warehouse.hold("runs", pa.Table.from_pylist(rows, schema=_RUNS_BY_DAY))


def ask_for_statistics(
    warehouse: Warehouse,
    first: date,
    last: date,
    zone: tzinfo,
    attributes: AttributeDimensions = NO_ATTRIBUTES,
    word_sample: int = WORD_SAMPLE,
) -> DayStatistics:
    """Return the figures of the days `first` to `last`.

    Args:
        warehouse: tables that hold these days.
        first: the first day.
        last: the last day; the same one for a single day.
        zone: whose hours the hours of the day are.
        attributes: which attributes of the conversations are dimensions, too.
        word_sample: words are counted in at most so many conversations.

    Raises:
        TableDamaged: a file can't be read.
    """
    span: dict[str, Any] = {"first": first, "last": last}
    outcomes = warehouse.ask(
        "outcomes_by_value",
        **span,
        zone=str(zone),
        attributes=list(attributes.names),
        min_count=attributes.min_count,
    )
    reasons = warehouse.ask("rejects_by_reason", **span)
    texts = warehouse.ask("texts_known", **span, sample=word_sample)
    used = warehouse.ask("run_usage", **span)
    (known,) = texts.to_pylist()
    looked_into = warehouse.ask("texts_for_words", **span, sample=word_sample).to_pylist()
    issues = [row for row in looked_into if row["dimension"] == "issue_word"]
    plans = [row for row in looked_into if row["dimension"] == "plan_word"]
    words = {
        "issue_word": count_words(issues, issue_words, known["issues_looked_at"], known["issues"]),
        "plan_word": count_words(plans, plan_words, known["plans_looked_at"], known["plans"]),
    }
    worst = warehouse.ask("unhappiest_conversations", **span, most=WORST_EXAMPLES)
    tables = {"outcomes": outcomes, "words": word_rows(words), "reasons": reasons, "texts": texts, "used": used}
    groups = groups_by_dimension(outcomes)
    return DayStatistics(
        start=first,
        end=last,
        timezone=zone,
        outcomes=groups["all"][0].outcomes if "all" in groups else Outcomes(),
        rejects=tuple((row["reason"], row["conversations"]) for row in reasons.to_pylist()),
        channels=groups.get("channel", ()),
        hours=in_order(groups.get("hour", ()), _HOURS),
        turns=in_order(groups.get("turns", ()), TURN_BUCKETS),
        models=groups.get("model", ()),
        prompt_versions=groups.get("prompt_version", ()),
        themes=groups.get("theme", ()),
        plan_themes=groups.get("plan_theme", ()),
        attributes={name: groups.get(name, ()) for name in attributes.names},
        issues=words["issue_word"],
        plans=words["plan_word"],
        truncated=known["truncated"],
        examples=tuple(Example(**row) for row in worst.to_pylist()),
        usage=usage_of(used.to_pylist()[0]),
        metrics=_long_form(warehouse, tables.items()),
    )


def ask_for_days(warehouse: Warehouse, first: date, last: date) -> tuple[DayFigures, ...]:
    """Return the few figures of each of the days `first` to `last` that has any.

    Raises:
        TableDamaged: a file can't be read.
    """
    return figures_of_days(warehouse.ask("outcomes_of_days", first=first, last=last))


def _long_form(warehouse: Warehouse, answers: Iterable[tuple[str, pa.Table]]) -> pa.Table:
    """Return the answers as a table of METRICS."""
    for name, table in answers:
        warehouse.hold(name, table)
    rows = warehouse.ask("metrics")
    return pa.Table.from_arrays([rows[field.name].cast(field.type) for field in METRICS], schema=METRICS)
