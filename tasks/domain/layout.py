"""Layout: every key and prefix of the warehouse."""

import hashlib
import re
from datetime import date
from typing import Final


def answers_prefix(day: date | None, namespace: str = "") -> str:
    """Where an answer log lies in its warehouse: the nightly's has no shelf, and only it always has a day."""
    return "_answers/" + (f"{namespace}/" if namespace else "") + (f"day={day.isoformat()}/" if day else "")


def submission_key(day: date) -> str:
    """Where a day's submission lies in its warehouse."""
    return f"{batches_prefix(day)}submission.json"


def batches_prefix(day: date) -> str:
    """Where everything of a day's submission lies: for each task the folders `in` and `out` under its name."""
    return f"_staging/batches/day={day.isoformat()}/"


def lease_key(day: date) -> str:
    """Where a day's lease lies in its warehouse."""
    return f"_staging/leases/day={day.isoformat()}.json"


# Work in progress, by folder. `_staging/unfinished/` is not: it says that a day was half replaced.
_STAGING: Final = ("_staging/runs/", "_staging/leases/", "_staging/shards/", "_staging/batches/")

# What these hold was paid for, and is all there is of a day that is not published.
_PAID: Final = ("_answers/", "_staging/batches/")

_DAY: Final = re.compile(r"(?:_answers|reports|_staging/batches)/days?=(?:\d{4}-\d\d-\d\d_)?(\d{4}-\d\d-\d\d)/")

TABLES: Final = ("summaries/", "rejects/", "metrics/", "runs/")

# Whole dialogues, and what candidates wrote of them.
TEXTS: Final = ("_reviews/", "reviews/", "labels/", "shadows/", "evaluations/", "comparisons/")

PREFIXES: Final = ("_answers/", "_staging/", "reports/", *TABLES, *TEXTS)


def learned_limits_key(model: str) -> str:
    """The file that keeps what was learned about a model's quota."""
    return f"_endpoints/{hashlib.sha256(model.encode()).hexdigest()[:16]}.json"


def shard_leases_prefix(day: date) -> str:
    """Where the leases of a day's shards lie."""
    return f"_staging/leases/day={day.isoformat()}.shards/"


def partition_key(table: str, day: date, name: str = "") -> str:
    """The key of a table's file for a day, or of another file beside it."""
    return f"{table}/day={day.isoformat()}/{name or f'{table}.parquet'}"


def model_folder(name: str) -> str:
    """Where everything about a tuning and its model lies in the warehouse."""
    return f"models/name={name}"


def _unfinished(day: date) -> str:
    return f"_staging/unfinished/day={day.isoformat()}/"


def _sample_key(sample_id: str) -> str:
    return f"_reviews/{sample_id}.parquet"


PSEUDONYM_KEY: Final = "_private/pseudonyms.key"

# Ids to erase, until they are; and a record of each erasure, without the data.
ERASE_REQUESTS_PREFIX: Final = "_private/erase/"

ERASURES_PREFIX: Final = "_private/erasures/"


def theme_proposals_key(number: str) -> str:
    """Where a proposed theme waits for a decision."""
    return f"_themes/proposals/{number}.json"


def theme_decisions_key() -> str:
    """Where the accepted and refused themes are."""
    return "_themes/decisions.json"
