"""Matching of the customers to erase against rows, lines and texts."""

import io
import re
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

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

    def has_row(self, row: Mapping[str, Any]) -> bool:
        """Return true if a table's row is theirs."""
        if row.get("conversation_id") in self.conversations or row.get("content_hash") in self.hashes:
            return True
        return any(self._names_customer(key, value) for key, value in _pairs(row.get("attributes")))

    def has_line(self, line: bytes) -> bool:
        """Return true if a line of JSON is theirs: by id, by fingerprint, or by the dialogue in it."""
        return any(
            text in self.conversations or text in self.hashes or any(dialogue in text for dialogue in self.texts)
            for text in _texts_of(line)
        )

    def has_text(self, text: str) -> bool:
        """Return true if a page names one of the conversations, or quotes one whole."""
        names = self.conversations | self.hashes
        return any(_is_named(name, text) for name in names) or any(quoted in text for quoted in self.texts)

    def _names_customer(self, key: str, value: str) -> bool:
        if not self.customers or _CUSTOMER.search(key) is None or _BARE_PLACEHOLDER.fullmatch(value):
            return False
        return value in self.customers or any(
            value == mask_mapping({key: customer}, pseudonyms=self.pseudonyms)[key] for customer in self.customers
        )


def rows_of(content: bytes) -> pa.Table:
    """A Parquet file's table."""
    return pq.read_table(io.BytesIO(content))


def split_rows(table: pa.Table, wanted: Wanted) -> tuple[list[dict[str, Any]], pa.Table]:
    """The rows that are theirs, and the table without them."""
    looked_at = [
        name for name in ("conversation_id", "content_hash", "attributes", "text") if name in table.schema.names
    ]
    rows: Sequence[dict[str, Any]] = table.select(looked_at).to_pylist() if looked_at else []
    theirs = [wanted.has_row(row) for row in rows]
    if not any(theirs):
        return [], table
    return [row for row, mine in zip(rows, theirs, strict=True) if mine], table.filter(
        pa.array([not matches for matches in theirs])
    )


def as_parquet(table: pa.Table) -> bytes:
    """A table as a Parquet file with its own schema and metadata."""
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd", compression_level=3)
    return sink.getvalue()


def text_of(key: str, content: bytes) -> str:
    """Everything that can be read in an object, for a scan: tables' values, an unpacked workbook, or its own text."""
    if key.endswith(".parquet"):
        return "\n".join(_strings(rows_of(content).to_pylist()))
    if key.endswith(".xlsx"):
        with zipfile.ZipFile(io.BytesIO(content)) as book:
            if sum(part.file_size for part in book.infolist()) > _UNPACKED_LIMIT:
                return ""
            return "\n".join(book.read(part).decode("utf-8", "replace") for part in book.infolist())
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


def _pairs(attributes: Any) -> Iterable[tuple[str, str]]:
    if isinstance(attributes, Mapping):
        return [(str(key), str(value)) for key, value in attributes.items()]
    return [(str(key), str(value)) for key, value in attributes or ()]


def _strings(value: Any) -> Iterable[str]:
    """Every string in a value, however deep."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, Mapping):
            waiting += [*one.keys(), *one.values()]
        elif isinstance(one, list | tuple):
            waiting += one
