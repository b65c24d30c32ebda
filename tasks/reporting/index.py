"""reports/index.html, kept by each publication."""

from collections.abc import Mapping
from dataclasses import replace

import orjson

from tasks.domain.errors import BucketMissing, ObjectMissing, PreconditionFailed
from tasks.domain.ports import ObjectStore
from tasks.reporting.rules.pages.calendar import Entry, entry_from
from tasks.reporting.rules.pages.html import render_index

_DATA, _PAGE = "reports/index.json", "reports/index.html"

_TRIES = 8


def keep_index(store: ObjectStore, entry: Entry) -> str:
    """Enter a report into the calendar, and return the calendar's address.

    Raises:
        PreconditionFailed: others kept entering theirs; the next publication enters this one's day with its own.
        StoreError: the calendar can't be read or written.
    """
    for _ in range(_TRIES):
        there = store.stat(_DATA)
        entries = _still_there(store, read_index(store))
        if known := entries.get(entry.href):  # an alert that was fired stays so, whoever publishes the day anew
            entry = replace(entry, alerts=tuple(dict.fromkeys((*known.alerts, *entry.alerts))))
        entries[entry.href] = entry
        rows = [entries[href].as_json() for href in sorted(entries)]
        try:
            store.write_path(_DATA, orjson.dumps(rows), if_match=there.etag if there else None, if_absent=there is None)
        except PreconditionFailed:
            continue  # another day was published meanwhile: enter ours into that one
        store.write_path(_PAGE, render_index(entries.values()).encode())
        return store.uri_of(_PAGE)
    raise PreconditionFailed(f"{store.uri_of(_DATA)} changed {_TRIES} times while {entry.href} was entered.")


def forget_removed(store: ObjectStore) -> None:
    """Take reports out of the calendar that are not there any more; without a calendar do nothing.

    Raises:
        StoreError: the calendar can't be read or written.
    """
    there = store.stat(_DATA)
    entries = read_index(store)
    kept = _still_there(store, entries)
    if there is None or len(kept) == len(entries):
        return
    rows = [kept[href].as_json() for href in sorted(kept)]
    try:
        store.write_path(_DATA, orjson.dumps(rows), if_match=there.etag)
    except PreconditionFailed:
        return  # a report was published meanwhile, and has taken them out by itself
    store.write_path(_PAGE, render_index(kept.values()).encode())


def _still_there(store: ObjectStore, entries: Mapping[str, Entry]) -> dict[str, Entry]:
    """The entries whose pages exist: a report that expired, or was erased, has no link."""
    pages = {found.key.removeprefix("reports/") for found in store.list_objects("reports/")} if entries else set()
    return {href: entry for href, entry in entries.items() if href in pages}


def read_index(store: ObjectStore) -> dict[str, Entry]:
    """Return the calendar's entries by the reports' places; none where there is no calendar yet."""
    try:
        rows = orjson.loads(store.read_path(_DATA))
    except (ObjectMissing, BucketMissing):
        return {}
    return {row["href"]: entry_from(row) for row in rows}
