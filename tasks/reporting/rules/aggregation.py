"""Figures of a day's tables: streamed from record batches, in memory that stays flat.

`Aggregator` takes SUMMARIES and REJECTS batches in any order and yields a `DayStatistics`, the frozen figures that a
report is drawn from; `metrics_table` gives them in the long form of METRICS. Several days are one
`Aggregator` that the days' ones were merged into; merging is exact and its order does not matter.

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
conversations are `OTHER`. A value that a row does not name is the empty string; beyond the first thousand of a
dimension it is `OTHER`. Shares of words are of the conversations whose issue (or plan) holds the word, each counted
once.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from tasks.reporting.rules.dimensions import NO_ATTRIBUTES, AttributeDimensions
from tasks.reporting.rules.run_usage import usage_of
from tasks.reporting.rules.statistics import (
    ANSWERS,
    DayStatistics,
    Example,
    Outcomes,
)
from tasks.reporting.rules.tallies import Lowest, Tallies, Texts
from tasks.reporting.rules.words import issue_words, plan_words
from tasks.warehouse.rules.tables import SUMMARIES

TURN_BUCKETS = ("1-4", "5-9", "10-19", "20-29", "30+")

WORD_SAMPLE = 5_000


WORST_EXAMPLES = 30


_TURN_EDGES = (5, 10, 20, 30)

_QUARTER_HOUR_MICROSECONDS = 15 * 60 * 1_000_000

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


# Of the nine cells, the ones worth reading and in which order: unhappy and left without a solution first.
_SEVERITY = {
    ("no", "yes"): 0,
    ("unknown", "yes"): 1,
    ("yes", "yes"): 2,
    ("no", "unknown"): 3,
    ("no", "no"): 3,
}

_NOT_WORTH_READING = 9

_SEVERITIES = pa.array(
    [_SEVERITY.get((accepted, negative), _NOT_WORTH_READING) for accepted in ANSWERS for negative in ANSWERS],
    pa.int8(),
)


_EXAMPLE_COLUMNS = tuple(field.name for field in fields(Example))

_EXAMPLE_ROWS = pa.schema([pa.field("severity", pa.int8()), *(SUMMARIES.field(name) for name in _EXAMPLE_COLUMNS)])


class Aggregator:
    """Adds up the batches of one day, or of a span.

    Args:
        start: the first day.
        end: the last day; the same one for a single day.
        timezone: whose hours the hours of the day are.
        word_sample: words are counted in at most so many conversations, those with the lowest content hashes,
            which is a fair sample and always the same one.
        attributes: which attributes of the conversations are dimensions, too.
    """

    def __init__(
        self,
        start: date,
        end: date,
        timezone: tzinfo,
        word_sample: int = WORD_SAMPLE,
        attributes: AttributeDimensions = NO_ATTRIBUTES,
    ) -> None:
        self.start = start
        self.end = end
        self.timezone = timezone
        self._cells = [0] * 9
        self._channels = Tallies()
        self._hours = Tallies()
        self._turns = Tallies()
        self._models = Tallies()
        self._prompt_versions = Tallies()
        self._themes = {name: Tallies() for name in ("theme", "plan_theme")}
        self._attributes = {name: Tallies() for name in attributes.names}
        self._min_count = attributes.min_count
        self._rejects: Counter[str] = Counter()
        self._truncated = 0
        self._issues = Texts("issue", issue_words, word_sample)
        self._plans = Texts("plan", plan_words, word_sample)
        self._examples = Lowest(
            WORST_EXAMPLES,
            [("severity", "ascending"), ("turns", "descending"), ("conversation_id", "ascending")],
            _EXAMPLE_ROWS,
        )

    def add_summaries(self, batch: pa.RecordBatch) -> None:
        """Count rows of SUMMARIES."""
        if not batch.num_rows:
            return
        cell = pc.add(pc.multiply(_answer_code(batch["accepted"]), 3), _answer_code(batch["negative_sentiment"]))
        for code, count in _counts(cell):
            self._cells[code] += count
        for tallies, values in (
            (self._channels, batch["channel"]),
            (self._hours, _local_hours(batch["started_at"], self.timezone)),
            (self._turns, _turn_buckets(batch["turns"])),
            (self._models, batch["model"]),
            (self._prompt_versions, batch["prompt_version"]),
            *((tallies, batch[name]) for name, tallies in self._themes.items() if name in batch.schema.names),
            *((tallies, _attribute(batch, name)) for name, tallies in self._attributes.items()),
        ):
            grouped = pa.table({"value": values, "cell": cell}).group_by(["value", "cell"], use_threads=False)
            columns = grouped.aggregate([([], "count_all")]).to_pydict()
            for value, code, count in zip(columns["value"], columns["cell"], columns["count_all"], strict=True):
                tallies.add(value, code, count)
        self._truncated += pc.sum(batch["truncated"]).as_py() or 0
        self._issues.add(batch, cell)
        self._plans.add(batch, cell)
        self._add_examples(batch, cell)

    def add_rejects(self, batch: pa.RecordBatch) -> None:
        """Count rows of REJECTS."""
        for reason, count in _counts(batch["reason"]):
            self._rejects[reason or ""] += count

    def merge(self, other: "Aggregator") -> None:
        """Add what another one has counted, as if its batches had come here."""
        self._cells = [mine + theirs for mine, theirs in zip(self._cells, other._cells, strict=True)]
        self._channels.merge(other._channels)
        self._hours.merge(other._hours)
        self._turns.merge(other._turns)
        self._models.merge(other._models)
        self._prompt_versions.merge(other._prompt_versions)
        for mine, theirs in ((self._themes, other._themes), (self._attributes, other._attributes)):
            for name, tallies in mine.items():
                tallies.merge(theirs[name])
        self._rejects.update(other._rejects)
        self._truncated += other._truncated
        self._issues.merge(other._issues)
        self._plans.merge(other._plans)
        self._examples.add(other._examples.rows())

    def result(self, *runs: Mapping[str, Any], newest: Sequence[Mapping[str, Any]] | None = None) -> DayStatistics:
        """The figures so far.

        Args:
            runs: rows of RUNS as mappings, oldest first. Keys may be missing.
            newest: those of them that made the tables, one a day; left out, the last.
        """
        return DayStatistics(
            start=self.start,
            end=self.end,
            timezone=self.timezone,
            outcomes=Outcomes(tuple(self._cells)),
            rejects=tuple(sorted(self._rejects.items(), key=lambda item: (-item[1], item[0]))),
            channels=self._channels.groups(),
            hours=self._hours.groups([f"{hour:02}" for hour in range(24)]),
            turns=self._turns.groups(TURN_BUCKETS),
            models=self._models.groups(),
            prompt_versions=self._prompt_versions.groups(),
            themes=self._themes["theme"].groups(),
            plan_themes=self._themes["plan_theme"].groups(),
            attributes={name: found.at_least(self._min_count).groups() for name, found in self._attributes.items()},
            issues=self._issues.words(),
            plans=self._plans.words(),
            truncated=self._truncated,
            examples=tuple(Example(**row) for row in self._examples.rows().select(_EXAMPLE_COLUMNS).to_pylist()),
            usage=usage_of(runs, runs[-1:] if newest is None else newest),
        )

    def _add_examples(self, batch: pa.RecordBatch, cell: pa.Array) -> None:
        severity = _SEVERITIES.take(cell)
        worth_reading = pc.less(severity, _NOT_WORTH_READING)
        columns = {"severity": severity, **{name: batch[name] for name in _EXAMPLE_COLUMNS}}
        columns["turns"] = pc.fill_null(batch["turns"], 0)
        columns["conversation_id"] = pc.fill_null(batch["conversation_id"], "")
        self._examples.add(pa.table(columns, schema=_EXAMPLE_ROWS).filter(worth_reading))


def _attribute(batch: pa.RecordBatch, name: str) -> pa.Array:
    return pc.map_lookup(batch["attributes"], name, "first")


def _answer_code(answers: pa.Array) -> pa.Array:
    """Positions in ANSWERS of nullable booleans."""
    return pc.fill_null(pc.if_else(answers, pa.scalar(0, pa.int8()), pa.scalar(1, pa.int8())), 2)


def _counts(values: pa.Array) -> list[tuple[Any, int]]:
    counted = pc.value_counts(values)
    return list(zip(counted.field("values").to_pylist(), counted.field("counts").to_pylist(), strict=True))


def _turn_buckets(turns: pa.Array) -> pa.Array:
    bucket = pa.array([0], pa.int8())[0]
    for edge in _TURN_EDGES:
        bucket = pc.add(bucket, pc.greater_equal(pc.fill_null(turns, 0), edge).cast(pa.int8()))
    return pa.array(TURN_BUCKETS).take(bucket)


def _local_hours(instants: pa.Array, timezone: tzinfo) -> pa.Array:
    """Hours of the day as "00" to "23"; null where the time is.

    Every zone's offset is a multiple of a quarter of an hour, so that a batch asks the zone a few times only,
    and Arrow's own zone database, which small machines lack, is not needed.
    """
    quarters = pc.divide(instants.cast(pa.int64()), _QUARTER_HOUR_MICROSECONDS).dictionary_encode()
    hours = [_local_hour(quarter, timezone) for quarter in quarters.dictionary.to_pylist()]
    return pa.array(hours, pa.string()).take(quarters.indices)


def _local_hour(quarter: int, timezone: tzinfo) -> str | None:
    try:
        local = (_EPOCH + timedelta(microseconds=quarter * _QUARTER_HOUR_MICROSECONDS)).astimezone(timezone)
    except OverflowError:
        return None
    return f"{local.hour:02}"
