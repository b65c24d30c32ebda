"""From a span's tables to proposed themes, and the decisions about them in the warehouse."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Final

import orjson
import pyarrow as pa
from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.domain.days import days_between
from tasks.domain.errors import BucketMissing, NoTables, ObjectMissing
from tasks.domain.layout import partition_key, theme_decisions_key, theme_proposals_key
from tasks.domain.ports import ObjectStore
from tasks.themes.rules.assigning import Assigner
from tasks.themes.rules.discovery import Occurrence, Proposal, discover
from tasks.themes.rules.normalizing import normalize
from tasks.themes.rules.proposals import NUMBER, Decision, Field, Proposed, decision_from, numbered, proposed_of
from tasks.themes.rules.taxonomy import Theme
from tasks.warehouse.parquet import open_table

_FIELDS: Final[tuple[Field, ...]] = ("issue", "plan")

_ROWS_AT_A_TIME = 5_000

# Of more distinct texts those with the lowest content hashes are looked at: a fair sample, and always the same one.
_MOST_TEXTS = 50_000


@task(name="propose-themes", cache_policy=NO_CACHE)
def find_proposals(
    store: ObjectStore, start: date, end: date, reference_days: int, assigner: Assigner
) -> list[Proposed]:
    """Propose themes for what issues and plans of a span say more often than the days before it.

    Args:
        store: the warehouse.
        start: the first day of the span.
        end: its last day.
        reference_days: how many days before the span to compare with; days without tables count as nothing.
        assigner: tells where the texts lie today.

    Raises:
        NoTables: the span has none.
    """
    days = days_between(start, end)
    before = [start - timedelta(days=number) for number in range(1, reference_days + 1)]
    known = {word for decision in read_decisions(store) for word in decision.keywords}
    found: dict[Field, Sequence[Proposal]] = {}
    for field in _FIELDS:
        now = _texts(store, days, field)
        if not now:
            continue
        found[field] = _discover(now, _texts(store, before, field), assigner, known)
    if not found:
        raise NoTables(f"{store.uri} has no texts from {start} to {end}: summarize those days first.")
    return numbered(start, end, found)


def _discover(now: Counter[str], before: Counter[str], assigner: Assigner, known: set[str]) -> list[Proposal]:
    texts = list(now)
    plain = normalize(pa.array(texts, pa.string())).to_pylist()
    themes = assigner.assign(pa.array(texts, pa.string())).to_pylist()
    occurrences = [
        Occurrence(short, text, theme or "", now[text]) for short, text, theme in zip(plain, texts, themes, strict=True)
    ]
    if before:
        reference: Counter[str] = Counter()
        for short, count in zip(normalize(pa.array(list(before))).to_pylist(), before.values(), strict=True):
            reference[short] += count
        return discover(occurrences, reference, known)
    sure = assigner.are_sure(pa.array(texts, pa.string()))
    reference = Counter()
    for occurrence, is_sure in zip(occurrences, sure, strict=True):
        if is_sure:
            reference[occurrence.plain] += occurrence.count
    unsure = [occurrence for occurrence, is_sure in zip(occurrences, sure, strict=True) if not is_sure]
    return discover(unsure, reference, known)


def _texts(store: ObjectStore, days: Sequence[date], field: Field) -> Counter[str]:
    """The texts of days that have tables, with their numbers."""
    lowest: dict[str, tuple[str, int]] = {}
    for day in days:
        for text, content_hash in _rows(store, day, field):
            known_hash, count = lowest.get(text, (content_hash, 0))
            lowest[text] = (min(known_hash, content_hash), count + 1)
    chosen = sorted(lowest.items(), key=lambda item: item[1][0])[:_MOST_TEXTS]
    return Counter({text: count for text, (_, count) in chosen})


def _rows(store: ObjectStore, day: date, field: Field) -> Iterator[tuple[str, str]]:
    try:
        with open_table(store, partition_key("summaries", day)) as table:
            for batch in table.iter_batches(_ROWS_AT_A_TIME, columns=[field, "content_hash"], use_threads=False):
                for text, content_hash in zip(batch[field].to_pylist(), batch["content_hash"].to_pylist(), strict=True):
                    if text and text.strip():
                        yield text, content_hash or ""
    except ObjectMissing:
        return


def store_proposals(store: ObjectStore, proposals: Sequence[Proposed]) -> None:
    """Keep proposals until somebody decides about them."""
    for proposed in proposals:
        store.write_path(theme_proposals_key(proposed.number), orjson.dumps(proposed.as_json()))


def read_proposals(store: ObjectStore, numbers: Sequence[str]) -> dict[str, Proposed]:
    """Those of the proposals that there are, by number."""
    found: dict[str, Proposed] = {}
    for number in filter(NUMBER.fullmatch, numbers):
        try:
            found[number] = proposed_of(orjson.loads(store.read_path(theme_proposals_key(number))))
        except ObjectMissing:
            continue
    return found


def read_decisions(store: ObjectStore) -> list[Decision]:
    """Everything that was decided about proposals, in the order of the decisions."""
    try:
        rows = orjson.loads(store.read_path(theme_decisions_key()))
    except (ObjectMissing, BucketMissing):  # a warehouse that begins has not even its folder
        return []
    return [decision_from(row) for row in rows]


def store_decisions(store: ObjectStore, decisions: Sequence[Decision]) -> None:
    """Add decisions to those before; a second one about the same proposal replaces the first."""
    key = theme_decisions_key()
    there = store.stat(key)
    kept = {decision.number: decision for decision in (read_decisions(store) if there else [])}
    kept |= {decision.number: decision for decision in decisions}
    content = orjson.dumps([decision.as_json() for decision in kept.values()], option=orjson.OPT_INDENT_2)
    store.write_path(key, content, if_match=there.etag if there else None, if_absent=there is None)


def accepted_themes(store: ObjectStore) -> tuple[Theme, ...]:
    """The themes that people accepted, in the order of acceptance."""
    return tuple(decision.theme for decision in read_decisions(store) if decision.theme is not None)
