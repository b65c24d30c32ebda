"""The themes that a model gave to texts, as files of the warehouse: keys of texts, never their words."""

import logging
from collections.abc import Iterator, Mapping
from typing import Final

import pyarrow as pa

from tasks.domain.errors import BucketMissing, TableDamaged
from tasks.domain.layout import known_themes_prefix
from tasks.domain.ports import ObjectStore
from tasks.themes.rules.known import KnownThemes, known_themes
from tasks.warehouse.parquet import parquet_bytes, read_table

_log = logging.getLogger(__name__)

_SCHEMA: Final = pa.schema([("text_key", pa.uint64()), ("theme", pa.string())])


def read_known_themes(store: ObjectStore, version: str) -> KnownThemes:
    """The answers of one model to one prompt; an empty table where it said nothing yet.

    A damaged file is logged and passed over: its texts are asked again.
    """
    return known_themes(_files(store, known_themes_prefix(version)))


def _files(store: ObjectStore, prefix: str) -> Iterator[Mapping[int, str | None]]:
    try:
        keys = sorted(file.key for file in store.list_objects(prefix))
    except BucketMissing:  # a warehouse that begins has not even its folder
        return
    for key in keys:
        try:
            table = read_table(store, key, _SCHEMA)
        except TableDamaged as error:
            _log.warning("Passed over: %s", error)
            continue
        yield dict(zip(table["text_key"].to_pylist(), table["theme"].to_pylist(), strict=True))


def store_known_themes(store: ObjectStore, version: str, name: str, said: Mapping[int, str | None]) -> None:
    """Keep what a model said, in a file of its own; a theme of None is a text that it named none for."""
    table = pa.table({"text_key": list(said), "theme": list(said.values())}, schema=_SCHEMA)
    store.write_path(f"{known_themes_prefix(version)}{name}.parquet", parquet_bytes(table))
