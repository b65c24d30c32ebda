"""Layout: every key and prefix of the warehouse."""

import hashlib
import re
from datetime import date
from typing import Final


def answers_prefix(day: date | None, namespace: str = "") -> str:
    """The prefix of an answer log: the nightly's has no namespace, and only the nightly's always has a day."""
    return "_answers/" + (f"{namespace}/" if namespace else "") + (f"day={day.isoformat()}/" if day else "")


def submission_key(day: date) -> str:
    """The key of a day's batch submission."""
    return f"{batches_prefix(day)}submission.json"


def batches_prefix(day: date) -> str:
    """The prefix of a day's batch submission: for each task the folders `in` and `out` under its name."""
    return f"_staging/batches/day={day.isoformat()}/"


def lease_key(day: date) -> str:
    """The key of a day's lease."""
    return f"_staging/leases/day={day.isoformat()}.json"


LEASES_PREFIX: Final = "_staging/leases/"

ERASURE_LEASE: Final = "_staging/leases/erasure.json"

# One for each run that holds no day and carries texts from one place of the warehouse to another.
TEXTS_LEASES_PREFIX: Final = "_staging/leases/texts/"

# Work in progress, by folder. `_staging/unfinished/` is not: it marks a day that was half replaced.
STAGING: Final = ("_staging/runs/", LEASES_PREFIX, "_staging/shards/", "_staging/batches/")

# What these hold was paid for, and is all there is of a day that is not published.
PAID: Final = ("_answers/", "_staging/batches/")

# Answers apart from the nightly's: of evaluations, shadows and questions, whose results are tables of their own.
OTHER_ANSWERS: Final = re.compile(r"_answers/(?!day=)[^/]+/")

DAY_OF_KEY: Final = re.compile(r"(?:_answers|reports|_staging/batches)/days?=(?:\d{4}-\d\d-\d\d_)?(\d{4}-\d\d-\d\d)/")

TABLES: Final = ("summaries/", "rejects/", "metrics/", "runs/", "golden/", "question_answers/", "_months/")

# Whole dialogues, and what candidates wrote of them.
TEXTS: Final = ("_reviews/", "reviews/", "labels/", "shadows/", "evaluations/", "comparisons/")

PREFIXES: Final = ("_answers/", "_staging/", "reports/", *TABLES, *TEXTS)


def learned_limits_key(model: str) -> str:
    """The file that keeps what was learned about a model's quota."""
    return f"_endpoints/{hashlib.sha256(model.encode()).hexdigest()[:16]}.json"


def shard_leases_prefix(day: date) -> str:
    """The prefix of the leases of a day's shards."""
    return f"_staging/leases/day={day.isoformat()}.shards/"


def partition_key(table: str, day: date, name: str = "") -> str:
    """The key of a table's file for a day, or of another file beside it."""
    return f"{table}/day={day.isoformat()}/{name or f'{table}.parquet'}"


def model_folder(name: str) -> str:
    """The folder of a tuning and its model."""
    return f"models/name={name}"


def unfinished_prefix(day: date) -> str:
    """The prefix of the marks of a day that is being replaced."""
    return f"_staging/unfinished/day={day.isoformat()}/"


def sample_key(sample_id: str) -> str:
    """The key of a sample to review."""
    return f"_reviews/{sample_id}.parquet"


PSEUDONYM_KEY: Final = "_private/pseudonyms.key"

# Ids to erase, until they are; and a record of each erasure, without the data.
ERASE_REQUESTS_PREFIX: Final = "_private/erase/"

ERASURES_PREFIX: Final = "_private/erasures/"


def theme_proposals_key(number: str) -> str:
    """The key of a proposed theme that waits for a decision."""
    return f"_themes/proposals/{number}.json"


def theme_decisions_key() -> str:
    """The key of the decisions: accepted and refused themes."""
    return "_themes/decisions.json"


def known_themes_prefix(version: str) -> str:
    """The prefix of the themes that one model gave to texts by one prompt."""
    return f"_themes/known/{version}/"
