"""Matching of the customers to erase against rows, lines and texts."""

import io
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from tasks.preparing.masking import mask_identifier, mask_mapping
from tasks.preparing.pseudonyms import Pseudonyms

# Attributes that name a customer.
_CUSTOMER: Final = re.compile(
    r"user|customer|buyer|member|client|visitor|openid|unionid|uid|nick|phone|mobile|用户|客户|顾客|买家|会员|手机|电话",
    re.IGNORECASE,
)

_BARE_PLACEHOLDER: Final = re.compile(r"\[[^\[\]:]*\]")

_SHORTEST_TEXT: Final = 12  # characters: 用户：在吗 is everybody's

_UNPACKED_LIMIT: Final = 256 << 20

# The columns of a table by which its rows are known to be somebody's.
LOOKED_AT: Final = ("conversation_id", "content_hash", "attributes")

# A scan looks first for so many characters of so many names at a time: RE2 bounds the size of an expression.
_BEGINNING: Final = 40
_SIGNS_AT_ONCE: Final = 200


@dataclass(frozen=True, slots=True)
class Wanted:
    """The ids and texts to erase: as logged, and as tables and answers hold them.

    Args:
        conversations: ids, in every spelling that tables may have.
        customers: ids as logged, matched against attributes.
        hashes: fingerprints of the conversations, which answers bear.
        texts: dialogues, which training sets and sheets hold without an id.
        pseudonyms: how attributes are masked.
    """

    conversations: frozenset[str]
    customers: frozenset[str]
    pseudonyms: Pseudonyms
    hashes: frozenset[str] = frozenset()
    texts: frozenset[str] = field(default=frozenset(), repr=False)

    @staticmethod
    def of(conversations: Iterable[str], customers: Iterable[str], pseudonyms: Pseudonyms) -> "Wanted":
        """Complete a request's ids with the pseudonyms that the tables have for them."""
        names = {spelled for name in conversations for spelled in (name, mask_identifier(name, pseudonyms))}
        return Wanted(frozenset(names), frozenset(customers), pseudonyms)

    def learned(self, rows: Iterable[Mapping[str, Any]]) -> "Wanted":
        """Add the ids, fingerprints and texts of matching rows."""
        found = list(rows)
        return replace(
            self,
            conversations=self.conversations | {row["conversation_id"] for row in found if row.get("conversation_id")},
            hashes=self.hashes | {row["content_hash"] for row in found if row.get("content_hash")},
            texts=self.texts | {row["text"] for row in found if len(row.get("text") or "") >= _SHORTEST_TEXT},
        )

    def rows_in(self, table: pa.Table) -> pa.Table:
        """A table's rows that are theirs."""
        return table.filter(pa.array(self.mark_rows(table)))

    def mark_rows(self, table: pa.Table) -> NDArray[np.bool_]:
        """Mark a table's rows that are theirs, by id, by fingerprint, or by an attribute that names the customer.

        Args:
            table: with the columns `LOOKED_AT` at least, as far as its file has them.
        """
        theirs = np.zeros(table.num_rows, dtype=bool)
        for column, names in (("conversation_id", self.conversations), ("content_hash", self.hashes)):
            if names and column in table.column_names:
                theirs |= _are_in(table[column], names)
        if self.customers and "attributes" in table.column_names:
            for keys, values, rows in _entries(table["attributes"].combine_chunks()):
                theirs[rows[self._name_customers(keys, values)]] = True
        return theirs

    def _name_customers(self, keys: pa.Array, values: pa.Array) -> NDArray[np.bool_]:
        found = np.zeros(len(keys), dtype=bool)
        for key in pc.unique(keys).to_pylist():
            if _CUSTOMER.search(key):
                masked = {mask_mapping({key: name}, pseudonyms=self.pseudonyms)[key] for name in self.customers}
                names = {name for name in self.customers | masked if not _BARE_PLACEHOLDER.fullmatch(name)}
                found |= _are_in(keys, {key}) & _are_in(values, names)
        return found

    def has_line(self, line: bytes) -> bool:
        """Return true if a line of JSON is theirs: by id, by fingerprint, or by the dialogue in it."""
        texts = list(_texts_of(line))
        if not (self.conversations.isdisjoint(texts) and self.hashes.isdisjoint(texts)):
            return True
        whole = "\0".join(texts)
        return any(dialogue in whole for dialogue in self.texts)

    def has_text(self, text: str) -> bool:
        """Return true if a page names one of the conversations, or quotes one whole."""
        names = self.conversations | self.hashes
        return any(_is_named(name, text) for name in names) or any(quoted in text for quoted in self.texts)

    def has_table(self, tables: Iterable[pa.Table]) -> bool:
        """Return true if any text of a table, given in pieces, names one of the conversations, or quotes one whole."""
        known = sorted({name[:_BEGINNING] for name in self.conversations | self.hashes | self.texts})
        signs = [
            "|".join(map(re.escape, known[start : start + _SIGNS_AT_ONCE]))
            for start in range(0, len(known), _SIGNS_AT_ONCE)
        ]
        return any(
            self.has_text(text)
            for table in tables
            for column in table.columns
            for chunk in column.chunks
            for texts in _text_arrays(chunk)
            for sign in signs
            for text in texts.filter(pc.match_substring_regex(texts, sign)).to_pylist()
        )


def rows_of(content: bytes) -> pa.Table:
    """A Parquet file's table."""
    return pq.read_table(io.BytesIO(content))


def as_parquet(table: pa.Table) -> bytes:
    """A table as a Parquet file with its own schema and metadata."""
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd", compression_level=3)
    return sink.getvalue()


def text_of(key: str, content: bytes) -> str | None:
    """Everything that can be read in an object that is no table, for a scan: an unpacked workbook, or its own text.

    Returns:
        None for a workbook that is damaged, encrypted or more than 256 MB unpacked: nobody knows what it holds.
    """
    if key.endswith(".xlsx"):
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as book:
                if sum(part.file_size for part in book.infolist()) > _UNPACKED_LIMIT:
                    return None
                return "\n".join(book.read(part).decode("utf-8", "replace") for part in book.infolist())
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError):
            return None
    if key.endswith(".jsonl"):
        return "\n".join(text for line in content.splitlines() for text in _texts_of(line))
    return content.decode("utf-8", "replace")


def _texts_of(line: bytes) -> Iterable[str]:
    try:
        return _strings(orjson.loads(line))
    except ValueError:
        return [line.decode("utf-8", "replace")]


def _is_named(name: str, text: str) -> bool:
    if name not in text:
        return False
    return re.search(rf"(?<![0-9A-Za-z_-]){re.escape(name)}(?![0-9A-Za-z_-])", text) is not None


def _are_in(values: pa.Array | pa.ChunkedArray, names: Set[str]) -> NDArray[np.bool_]:
    found = pc.is_in(pc.cast(values, pa.string()), value_set=pa.array(sorted(names), pa.string()))
    return np.asarray(found.to_numpy(zero_copy_only=False) if isinstance(found, pa.Array) else found.to_numpy())


def _entries(attributes: pa.Array) -> Iterator[tuple[pa.Array, pa.Array, NDArray[np.int64]]]:
    """The keys, values and row numbers of a column of attributes, a map or a struct."""
    rows = np.arange(len(attributes))
    if pa.types.is_map(attributes.type):
        owners = np.repeat(rows, np.diff(attributes.offsets.to_numpy()))
        yield attributes.keys, attributes.items, owners
    elif pa.types.is_struct(attributes.type):
        for field_, values in zip(attributes.type, attributes.flatten(), strict=True):
            yield pa.repeat(field_.name, len(values)), values, rows


def _text_arrays(values: pa.Array) -> Iterator[pa.Array]:
    """Every array of texts in a column, however deep."""
    kind = values.type
    if pa.types.is_dictionary(kind):
        yield from _text_arrays(values.dictionary)
    elif pa.types.is_map(kind):
        yield from _text_arrays(values.keys)
        yield from _text_arrays(values.items)
    elif pa.types.is_struct(kind):
        for part in values.flatten():
            yield from _text_arrays(part)
    elif pa.types.is_list(kind) or pa.types.is_large_list(kind):
        yield from _text_arrays(values.values)
    elif pa.types.is_string(kind) or pa.types.is_large_string(kind):
        yield values


def _strings(value: Any) -> Iterable[str]:
    """Every string in a value, however deep."""
    waiting = [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, str):
            yield part
        elif isinstance(part, Mapping):
            waiting += [*part.keys(), *part.values()]
        elif isinstance(part, list | tuple):
            waiting += part
