"""Detect a log's format by its content; its name plays no part."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC
from functools import cached_property
from itertools import islice
from typing import Any, Final

from tasks.reading.rules.context import NO_MAPPING, LogContext
from tasks.reading.rules.csv_rows import Dialect, split_rows
from tasks.reading.rules.file_kinds import why_no_text
from tasks.reading.rules.formats import JSON_FORMATS, LogMapping
from tasks.reading.rules.json_logs import JsonRecords
from tasks.reading.rules.log_bytes import ObjectHead, first_json_values
from tasks.reading.rules.readers import JsonDocument, JsonLines, Reader, Table
from tasks.reading.rules.sample import SAMPLED_VALUES, Sample, parsed, records_of
from tasks.reading.rules.speakers import nameable, roles_in_context, speaker_of
from tasks.reading.rules.table_logs import Columns, header_columns, mapping_columns
from tasks.reading.rules.timestamps import TimestampParser
from tasks.reading.rules.transcript_files import TranscriptFile, TranscriptLines
from tasks.reading.rules.transcripts import frequent_names, split_transcript
from tasks.reading.rules.unwrapping import list_of_records_at
from tasks.reading.rules.vocabulary import MEANINGS, lifted

_HEAD_LINES: Final = 200

_LINES_ABOVE_HEADER: Final = 20

# A row of data may hold one word that is a column's name elsewhere, such as 文本.
_FEWEST_MEANT: Final = 2

_KEYS_NAMED: Final = 5

_MOST_STRANGERS: Final = 20

_DELIMITERS: Final = {"csv": (",", ";", "|", "\x01", "，"), "tsv": ("\t",)}


@dataclass(frozen=True, slots=True)
class Detected:
    """The detected format of an object and its reader; without a reader, `note` says why there is none.

    `log` has the words of its roles, `columns` are its names and their meanings, `remark` is a fault for people to
    know of.
    """

    format: str
    reader: Reader | None
    note: str = ""
    log: LogContext | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    remark: str = ""


def detect_format(
    uri: str, head: ObjectHead, log_format: str, mappings: Mapping[str, LogMapping], timestamps: TimestampParser
) -> Detected:
    """Detect an object's format by its head. Never raises.

    Args:
        log_format: `auto`, or the only format (a name of `log_formats`) that it may be.
    """
    delimiters = {mapping.delimiter for mapping in mappings.values()}
    if note := why_no_text(head, delimiters):
        return Detected("unknown", None, note)
    lines = head.text.split("\n")
    if len(lines) > 1 and not head.whole:
        lines.pop()  # it is cut
    lines = list(islice((line for line in lines if line.strip()), _HEAD_LINES))
    if not lines and head.broken:
        return Detected("unknown", None, "compressed data that is damaged before anything can be read")
    if not lines:
        return Detected("empty", None, "nothing in it")
    sample = Sample(head, lines)
    tried = [
        _Candidates(uri, sample, log_format, name, mapping, timestamps)
        for name, mapping in _tried(log_format, mappings)
    ]
    for candidate in tried:
        if found := candidate.structured():
            return replace(found, remark=_about_keys(sample)) if found.reader and sample.looks_like_json else found
    for candidate in tried:
        if found := candidate.transcript():
            return found
    return _none(log_format, lines)


def _about_keys(sample: Sample) -> str:
    if not sample.repeated_keys:
        return ""
    named = ", ".join(map(nameable, sample.repeated_keys[:_KEYS_NAMED]))
    return f"records name a key twice ({named}); the last value counts. Mend the export: the others are lost."


def _tried(log_format: str, mappings: Mapping[str, LogMapping]) -> Iterator[tuple[str, LogMapping]]:
    """The mappings to try, in order; the empty name stands for none."""
    if log_format in mappings:
        yield log_format, mappings[log_format]
        return
    if log_format == "auto":
        yield from ((name, mapping) for name, mapping in mappings.items() if isinstance(mapping.columns, Mapping))
    yield "", NO_MAPPING
    if log_format == "auto":
        yield from ((name, mapping) for name, mapping in mappings.items() if not isinstance(mapping.columns, Mapping))


def _none(log_format: str, lines: list[str]) -> Detected:
    if log_format != "auto":
        return Detected("unknown", None, f"nothing at its beginning is in the format {log_format}")
    start = lines[0].lstrip().lower()
    if start.startswith(("<!doctype html", "<html", "<?xml")):
        return Detected("unknown", None, "a web page or XML, not a log; an export that failed looks like this")
    why = next((why for line in lines[:_LINES_ABOVE_HEADER] if (why := _nearly_a_header(line))), "")
    return Detected(
        "unknown",
        None,
        why
        or "in no known format: no JSON, no header that names a conversation id, a role and a text, no mapping that "
        "nine in ten of its first rows fit, no speaker's label",
    )


def _nearly_a_header(line: str) -> str:
    """Describe a header that names two of the three things a message needs; return "" for any other line."""
    for delimiter in (",", "\t", ";", "|"):
        names = [name.strip().strip('"') for name in line.split(delimiter)]
        if not 3 <= len(names) <= 60 or any(len(name) > 40 for name in names):
            continue
        shape = LogContext("", _NO_TIMES).vocabulary.shape(tuple(dict.fromkeys(names)))
        found = {
            "a conversation id": shape.conversation_id,
            "a speaker": shape.role or shape.is_agent,
            "a text": shape.text,
        }
        if not found["a text"] and shape.texts:
            found["a text"] = shape.texts[0]
        missing = [what for what, name in found.items() if not name]
        if len(missing) == 1:
            seen = " and ".join(f"{what} ({name})" for what, name in found.items() if name)
            return (
                f"its header names {seen}, but no column for {missing[0]} among {', '.join(names)}; "
                "--mappings FILE.toml can name it (python -m flows.try_logs writes one)"
            )
    return ""


@dataclass(slots=False)
class _Candidates:
    """One object under one mapping: the formats that it may be in."""

    uri: str
    sample: Sample
    log_format: str
    name: str
    mapping: LogMapping
    timestamps: TimestampParser

    @property
    def head(self) -> ObjectHead:
        return self.sample.head

    @property
    def lines(self) -> list[str]:
        return self.sample.lines

    def structured(self) -> Detected | None:
        """JSON or a table."""
        if not isinstance(self.mapping.columns, Mapping):
            return self._by_places()
        if self.name and self.log_format == "auto" and not self.mapping.columns and not self.mapping.match:
            return None  # nothing tells that it is meant
        return self._json() or self._table()

    def _may_be(self, *formats: str) -> bool:
        return self.log_format == "auto" or self.log_format in formats or bool(self.name)

    @cached_property
    def log(self) -> LogContext:
        return self._log_with(frozenset())

    def _log_with(self, names: frozenset[str]) -> LogContext:
        times = self.mapping.times
        parser = TimestampParser(self.timestamps.zone, times) if times else self.timestamps
        return LogContext(self.uri, parser, self.mapping, self.mapping.vocabulary(), names)

    def _fits(self, names: Any) -> bool:
        return not self.name or self.log_format != "auto" or self.mapping.fits(names)

    def _named(self, log_format: str) -> str:
        return log_format if not self.name or self.log_format != "auto" else self.name

    def _json(self) -> Detected | None:
        if not self._may_be(*JSON_FORMATS) or not self.sample.looks_like_json:
            return None
        if self.name and self.log_format == "auto" and not self.mapping.fits(self.sample.names):
            return None
        first = self.lines[0].lstrip("\x1e \t\ufeff")
        only = self.log_format if self.log_format in JSON_FORMATS else ""
        log = self.log
        records = JsonRecords(log, only)
        values = self.sample.values
        kinds = list(dict.fromkeys(kind for value in values if (kind := records.kind(value))))
        opens = first[:1] in ("[", "{") and first[1:].lstrip()[:1] in ("", '"', "[", "{", "]", "}")
        if isinstance(self.sample.first, list | dict) or len(values) * 2 > len(self.lines):
            in_lines = True
        else:
            in_lines = bool(kinds) and not first.startswith("[")
        if in_lines:
            columns = self._learn(values, log)
            if not kinds:
                return Detected(
                    "unknown", JsonLines(log, records), "JSON, but no conversations or messages", log, columns
                )
            also = f"also {', '.join(kinds[1:])}" if kinds[1:] else ""
            return Detected(self._named(kinds[0]), JsonLines(log, records), also, log, columns)
        if not opens:
            return None
        values = self.sample.document_values
        skip = 0
        if not self.head.whole and first.startswith("{"):
            skip = list_of_records_at(self.head.text, records.kind)
            if skip:
                values = [parsed(text) for text in first_json_values("[" + self.head.text[skip:])]
        columns = self._learn(values[:SAMPLED_VALUES], log)
        note = "a JSON document, not a record a line"
        return Detected(self._named("json"), JsonDocument(log, records, skip), note, log, columns)

    @staticmethod
    def _learn(values: list[Any], log: LogContext) -> dict[str, str]:
        """Learn from a sample what roles mean beside each other; return what its keys mean."""
        samples = list(islice(records_of(values), SAMPLED_VALUES * 20))
        roles: list[str] = []
        columns: dict[str, str] = {}
        paths = log.vocabulary.paths
        for sample in (lifted(sample, paths) for sample in samples) if paths else samples:
            shape = log.vocabulary.shape(tuple(sample))
            role = sample.get(shape.role)
            if isinstance(role, Mapping):
                role = next((role[key] for key in ("type", "role") if isinstance(role.get(key), str)), None)
            if isinstance(role, str):
                roles.append(role)
            for name, meaning in shape.meanings().items():
                columns.setdefault(str(name), meaning)
        for word, side in roles_in_context(roles).items():
            log.vocabulary.roles.setdefault(word, side)
        return columns

    def _table(self) -> Detected | None:
        if not self._may_be("csv", "tsv") or isinstance(self.sample.first, list | dict):
            return None
        above = self.mapping.skip_lines
        separator = self._declared_separator()
        for at, line in enumerate(self.lines[: max(_LINES_ABOVE_HEADER, above + 1)]):
            if at < above:
                continue
            for name in ("csv", "tsv"):
                for delimiter in _DELIMITERS[name] if self._may_be(name) else ():
                    if (separator and delimiter != separator) or delimiter not in line:
                        continue
                    if found := self._headed(at, name, self._dialect(delimiter)):
                        return found
        return None

    def _declared_separator(self) -> str:
        first = self.lines[0].strip().strip('"').lower()
        return self.lines[0].strip().strip('"')[4:] if first.startswith("sep=") and len(first) == 5 else ""

    def _dialect(self, delimiter: str) -> Dialect:
        quoted = self.mapping.quoted and delimiter != "\x01"
        return Dialect(delimiter, quoted, quoted and self.sample.escapes_quotes and self.sample.has('"' + delimiter))

    def _headed(self, at: int, name: str, dialect: Dialect) -> Detected | None:
        rows = list(islice(split_rows(enumerate(self.lines[at:]), dialect), 1))
        header = tuple(column.strip().strip("\u200b\ufeff") for column in rows[0][1]) if rows else ()
        if len(header) < 2 or not self._fits(header):
            return None
        notes = [] if dialect.delimiter in ",\t" else [f"its delimiter is {dialect.delimiter!r}"]
        columns = header_columns(header, self.log)
        if columns is None and not self.mapping.renames and (role := self._column_of_speakers(header, at, dialect)):
            self.log.vocabulary.learn({role: "role"})
            columns = header_columns(header, self.log)
            notes.append(f"{role} is taken for who speaks, by its values")
        if columns is None or (at and columns.transcript >= 0 and _meant(columns) < _FEWEST_MEANT):
            return None
        self._learn_roles(columns, at, dialect)
        begins = 1
        if at:
            begins = self.head.text.split("\n").index(self.lines[at]) + 1
            notes.append(f"{begins - 1} lines above the header are left out")
        if len(self.lines) == at + 1 and self.head.whole:
            notes.append("a header without a row below it")
        log = self.log if columns.transcript < 0 else self._log_with(self._names_in_cells(columns, at, dialect))
        reader = Table(log, columns, dialect, header, begins)
        return Detected(self._named(name), reader, "; ".join(notes), log, _meanings(columns))

    def _column_of_speakers(self, header: tuple[str, ...], at: int, dialect: Dialect) -> str:
        """Return the only column whose values are words for both sides, where the header names no speaker; or ""."""
        shape = self.log.vocabulary.shape(tuple(dict.fromkeys(header)))
        if not shape.conversation_id or not shape.texts or shape.speaks or len(set(header)) < len(header):
            return ""
        rows = list(self._rows(at + 1, dialect, len(header)))
        found = []
        for place, name in enumerate(header):
            sides = [speaker_of(row[place].strip()) for row in rows if row[place].strip()]
            if {"user", "agent"} <= set(sides) and None not in sides:
                found.append(name)
        return found[0] if len(found) == 1 else ""

    def _rows(self, at: int, dialect: Dialect, width: int) -> Iterator[list[str]]:
        return (row for _, row in split_rows(enumerate(self.lines[at:]), dialect, width) if len(row) == width)

    def _learn_roles(self, columns: Columns, at: int, dialect: Dialect) -> None:
        if columns.role < 0:
            return
        words = [row[columns.role].strip() for row in self._rows(at + 1, dialect, columns.width)]
        for word, side in roles_in_context(words).items():
            self.log.vocabulary.roles.setdefault(word, side)

    def _names_in_cells(self, columns: Columns, at: int, dialect: Dialect) -> frozenset[str]:
        cells = (row[columns.transcript] for row in self._rows(at + 1, dialect, columns.width))
        return frequent_names([line for cell in cells for line in cell.replace("\v", "\n").split("\n")])

    def _by_places(self) -> Detected | None:
        """A table without a header, by a mapping that names its columns in their order."""
        mapping = self.mapping
        assert isinstance(mapping.columns, tuple)
        columns = mapping_columns(mapping.columns)
        dialect = Dialect(mapping.delimiter, mapping.quoted)
        lines = self.lines[mapping.skip_lines :]
        rows = list(split_rows(enumerate(lines), dialect, columns.width))
        log = self.log
        good = sum(
            len(row) == columns.width and log.vocabulary.speaker(row[columns.role].strip()) is not None
            for _, row in rows
        )
        if self.log_format == self.name or (rows and good >= 0.9 * len(rows)):
            return Detected(
                self.name, Table(log, columns, dialect, begins=mapping.skip_lines + 1), "", log, _meanings(columns)
            )
        return None

    def transcript(self) -> Detected | None:
        """Detect a transcript: lines that begin with a speaker's label."""
        if not self._may_be("transcript") or not isinstance(self.mapping.columns, Mapping):
            return None
        if self.log_format == "auto" and self.mapping.match:
            return None  # the mapping is for the names it lists; a transcript has no names
        names = frequent_names(self.head.text.split("\n"))
        log = self._log_with(names)
        found = split_transcript(self.head.text, log.labels)
        spoken = sum(found.strangers.values())
        if len(found.strangers) > _MOST_STRANGERS and len(found.strangers) * 2 > spoken:
            return None
        if not found.utterances and spoken * 3 <= len(self.lines):
            return None
        labels = (log.labels.label(line) for line in self.lines)
        log.speakers_of_labels.update({label.name: label.speaker for label in labels if label and label.name})
        two_sided = sum(
            {"user", "agent"} <= {said.speaker for said in split_transcript(line, log.labels).utterances}
            for line in self.lines
        )
        if two_sided > 1 and two_sided >= 0.9 * len(self.lines):
            return Detected("transcript", TranscriptLines(log), "a conversation a line", log)
        return Detected("transcript", TranscriptFile(log), "", log)


_NO_TIMES: Final = TimestampParser(UTC)


def _meant(columns: Columns) -> int:
    return sum(meaning not in ("an attribute", "left out") for meaning in _meanings(columns).values())


def _meanings(columns: Columns) -> dict[str, str]:
    names = columns.names
    found = {name: "an attribute" for _, name in columns.attributes}
    for meaning in (*MEANINGS, "public"):
        at = getattr(columns, meaning, -1)
        if at >= 0:
            found[names[at]] = meaning
    found |= {names[at]: "recalled or internal" for at in columns.recalled}
    return {name: found.get(name, "left out") for name in names if name}
