"""Tells log formats apart by what an object holds; its name plays no part."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from tasks.reading.rules.dialogue import TimestampParser, split_transcript
from tasks.reading.rules.formats import JSON_FORMATS, LogMapping, Vocabulary
from tasks.reading.rules.json_logs import JsonRecords, parse_json
from tasks.reading.rules.log_bytes import ObjectHead
from tasks.reading.rules.readers import JsonDocument, JsonLines, Reader, Table, TranscriptFile, TranscriptLines
from tasks.reading.rules.table_logs import header_columns, mapping_columns, split_rows

_HEAD_LINES: Final = 200

_DELIMITERS: Final = {"csv": (",", ";", "|"), "tsv": ("\t",)}

_FILE_KINDS: Final = {
    b"PK\x03\x04": "a ZIP archive or an Excel workbook",
    b"PAR1": "a Parquet file",
    b"BZh": "bzip2 data",
    b"\xfd7zXZ": "xz data",
    b"\x28\xb5\x2f\xfd": "zstd data",
    b"7z\xbc\xaf": "a 7z archive",
    b"Rar!": "a RAR archive",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"%PDF": "a PDF document",
    b"SQLite": "an SQLite database",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
}

_CONTROLS: Final = dict.fromkeys((*range(9), *range(14, 27), *range(28, 32)))


@dataclass(frozen=True, slots=True)
class Detected:
    """What an object is taken for, and its reader; without one, `note` says why there is none."""

    format: str
    reader: Reader | None
    note: str = ""


def detect_format(
    uri: str, head: ObjectHead, log_format: str, mappings: Mapping[str, LogMapping], timestamps: TimestampParser
) -> Detected:
    """What an object is, by its head. Never raises.

    Args:
        log_format: `auto`, or the only format (a name of `log_formats`) that it may be.
    """
    if note := _no_text(head):
        return Detected("unknown", None, note)
    lines = head.text.split("\n")
    if len(lines) > 1 and not head.whole:
        lines.pop()  # it is cut
    lines = list(islice((line for line in lines if line.strip()), _HEAD_LINES))
    if not lines and head.broken:
        return Detected("unknown", None, "compressed data that is damaged before anything can be read")
    if not lines:
        return Detected("empty", None, "nothing in it")
    candidates = _Candidates(uri, head, lines, log_format, mappings, timestamps)
    return (
        candidates.json() or candidates.table() or candidates.mapped() or candidates.transcript() or _none(log_format)
    )


def _none(log_format: str) -> Detected:
    if log_format != "auto":
        return Detected("unknown", None, f"nothing at its beginning is in the format {log_format}")
    return Detected(
        "unknown",
        None,
        "in no known format: no JSON, no header that names a conversation id, a role and a text, no mapping that "
        "nine in ten of its first rows fit, no speaker's label",
    )


def _no_text(head: ObjectHead) -> str:
    for magic, kind in _FILE_KINDS.items():
        if head.magic.startswith(magic):
            return f"{kind}, not a log: extract or export it as text first"
    if "ustar" in head.text[:600]:
        return "a tar archive, not a log: extract it first"
    if len(head.text.translate(_CONTROLS)) < 0.95 * len(head.text):
        return "binary data, or UTF-16 without a byte order mark: not a log"
    return ""


@dataclass(frozen=True, slots=True)
class _Candidates:
    uri: str
    head: ObjectHead
    lines: list[str]
    log_format: str
    mappings: Mapping[str, LogMapping]
    timestamps: TimestampParser

    def _may_be(self, *formats: str) -> bool:
        return self.log_format == "auto" or self.log_format in formats or self._renaming() is not None

    def _renaming(self) -> LogMapping | None:
        """The mapping asked for, if it is one that gives keys their meaning rather than columns."""
        mapping = self.mappings.get(self.log_format)
        return mapping if mapping and isinstance(mapping.columns, Mapping) else None

    def json(self) -> Detected | None:
        if not self._may_be(*JSON_FORMATS):
            return None
        only = self.log_format if self.log_format in JSON_FORMATS else ""
        records = JsonRecords(self.uri, Vocabulary(self._renaming()), self.timestamps, only)
        values = [value for line in self.lines if isinstance(value := _parsed(line), list | dict)]
        kinds = list(dict.fromkeys(kind for value in values if (kind := records.kind(value))))
        first = self.lines[0].lstrip()
        opens = first[:1] in ("[", "{") and first[1:].lstrip()[:1] in ("", '"', "[", "{", "]", "}")
        if isinstance(_parsed(first), list | dict) or len(values) * 2 > len(self.lines):
            in_lines = True
        else:
            in_lines = bool(kinds) and not first.startswith("[")
        if in_lines:
            if not kinds:
                return Detected("unknown", JsonLines(self.uri, records), "JSON, but no conversations or messages")
            also = f"also {', '.join(kinds[1:])}" if kinds[1:] else ""
            return Detected(kinds[0], JsonLines(self.uri, records), also)
        if opens:
            return Detected("json", JsonDocument(self.uri, records), "a JSON document, not a record a line")
        return None

    def table(self) -> Detected | None:
        if not self._may_be("csv", "tsv"):
            return None
        mapping = self._renaming()
        vocabulary = Vocabulary(mapping)
        quoted = mapping is None or mapping.quoted
        for name in ("csv", "tsv"):
            for delimiter in _DELIMITERS[name] if self._may_be(name) else ():
                ((_, row),) = split_rows([(1, self.lines[0])], delimiter, quoted)
                header = [column.strip() for column in row]
                columns = header_columns(header, vocabulary) if len(header) > 1 else None
                if columns:
                    reader = Table(self.uri, columns, vocabulary, self.timestamps, delimiter, quoted, header)
                    notes = [] if delimiter in ",\t" else [f"its delimiter is {delimiter}"]
                    if len(self.lines) == 1 and self.head.whole:
                        notes.append("a header without a row below it")
                    return Detected(name, reader, "; ".join(notes))
        return None

    def mapped(self) -> Detected | None:
        for name, mapping in self.mappings.items():
            if self.log_format not in ("auto", name) or isinstance(mapping.columns, Mapping):
                continue
            vocabulary = Vocabulary(mapping)
            columns = mapping_columns(mapping.columns)
            rows = list(split_rows(enumerate(self.lines), mapping.delimiter, mapping.quoted, columns.width))
            good = sum(
                len(row) == columns.width and vocabulary.speaker(row[columns.role].strip()) is not None
                for _, row in rows
            )
            if self.log_format == name or good >= 0.9 * len(rows):
                delimiter, quoted = mapping.delimiter, mapping.quoted
                return Detected(name, Table(self.uri, columns, vocabulary, self.timestamps, delimiter, quoted))
        return None

    def transcript(self) -> Detected | None:
        if not self._may_be("transcript") or not split_transcript(self.head.text).said:
            return None
        vocabulary = Vocabulary(self._renaming())
        two_sided = sum(
            {"user", "agent"} <= {speaker for speaker, _, _ in split_transcript(line).said} for line in self.lines
        )
        if two_sided > 1 and two_sided >= 0.9 * len(self.lines):
            reader = TranscriptLines(self.uri, vocabulary, self.timestamps)
            return Detected("transcript", reader, "a conversation a line")
        return Detected("transcript", TranscriptFile(self.uri, vocabulary, self.timestamps))


def _parsed(line: str) -> Any:
    try:
        return parse_json(line)
    except ValueError:
        return None
