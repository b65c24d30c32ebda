"""Detection of tables: a header that names a conversation, a speaker and a text, or columns that a mapping names."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Final

from tasks.reading.rules.candidate import Candidate, Detected
from tasks.reading.rules.company import Said, roles_by_company
from tasks.reading.rules.context import LogContext
from tasks.reading.rules.correspondence import WORKED_OUT, Between, correspondence_in, learn_correspondence
from tasks.reading.rules.dialogue import is_newest_first
from tasks.reading.rules.formats import Comparison
from tasks.reading.rules.json.fields import joined
from tasks.reading.rules.json.reshaping import text_of_each_side
from tasks.reading.rules.json.texts import words_in_envelope
from tasks.reading.rules.objects.sample import LINES_ABOVE_HEADER
from tasks.reading.rules.readers import Table
from tasks.reading.rules.speakers import Speaker, roles_in_context, side_named_in, side_of_others, speaker_of
from tasks.reading.rules.tables.csv_rows import Dialect, split_rows
from tasks.reading.rules.tables.row_kinds import are_names, sides_of
from tasks.reading.rules.tables.rows import Columns, columns_of_sides, header_columns, mapping_columns
from tasks.reading.rules.tables.told_by_values import (
    is_conversations_name,
    time_by_values,
    told_by_values,
    transcripts_by_values,
)
from tasks.reading.rules.transcripts.labels import frequent_names
from tasks.reading.rules.vocabulary import MEANINGS, NAMES, Shape, normalized

# A row of data may hold one word that is a column's name elsewhere, such as 文本.
_FEWEST_MEANT: Final = 2

_MOST_GUESSED: Final = 200  # columns

_FEW_ROWS: Final = 20

_FEWEST_WITHOUT_HEADER: Final = 6  # rows

_SEVERAL: Final = ("~|~", "|~|", "~!~", "|@|", "@@@", "|||", "||", "@@", "^^", "##", "$$", "::", ";;")

_DELIMITERS: Final = {
    "csv": (*_SEVERAL, ",", ";", "|", "\x01", "，", "^", "~", "\x02", "\x03", "\x1f", "¦"),
    "tsv": ("\t",),
}

_FEWEST_NAMES: Final = 3

_BETWEEN_NAMES: Final = re.compile(r"(?<=[^\W_])[^\w\s\"'()（）\[\]]{2,4}(?=[^\W_])")

_LONGEST_HEADER: Final = 2_000

_OF_DUMPS: Final = ("\t", "\x01", "\x02", "\x1f")

_FEWEST_BLANK: Final = 0.25  # of the ids, where a blank one is that of the row above

_TAKEN_FOR: Final = {
    "conversation_id": "the conversation's id",
    "role": "who speaks",
    "text": "what is said",
    "time": "the time",
    "transcript": "the dialogue",
}

_CONVERSATION_IDS: Final = frozenset(NAMES["conversation_id"].split())


def detect_table(candidate: Candidate) -> Detected | None:
    """A table with a header."""
    if not candidate.may_be("csv", "tsv") or isinstance(candidate.sample.first, list | dict):
        return None
    if not candidate.may_fit:
        return None
    above = candidate.skipped
    separator = _declared_separator(candidate)
    for at, line in enumerate(candidate.lines[: max(LINES_ABOVE_HEADER, above + 1)]):
        if at < above:
            continue
        for name in ("csv", "tsv"):
            for delimiter in (*_DELIMITERS[name], *_signs_between(line)) if candidate.may_be(name) else ():
                if (separator and delimiter != separator) or delimiter not in line:
                    continue
                if found := _headed(candidate, at, name, _dialect(candidate, delimiter)):
                    return found
    return None


def detect_by_places(candidate: Candidate) -> Detected | None:
    """A table without a header, by a mapping that names its columns in their order."""
    mapping = candidate.mapping
    assert isinstance(mapping.columns, tuple)
    columns = mapping_columns(mapping.columns)
    dialect = Dialect(mapping.delimiter, mapping.quoted)
    lines = candidate.lines[candidate.skipped :]
    rows = list(split_rows(enumerate(lines), dialect, columns.width))
    log = candidate.log
    good = sum(
        len(row) == columns.width and log.vocabulary.speaker(row[columns.role].strip()) is not None for _, row in rows
    )
    if candidate.log_format == candidate.name or (rows and good >= 0.9 * len(rows)):
        return Detected(
            candidate.name, Table(log, columns, dialect, begins=mapping.skip_lines + 1), "", log, _meanings(columns)
        )
    return None


def detect_headerless(candidate: Candidate) -> Detected | None:
    """A table of messages without a header: every row has a known speaker, and the others' meanings are plain."""
    if candidate.name or not candidate.may_be("csv", "tsv") or isinstance(candidate.sample.first, list | dict):
        return None
    for name, delimiters in _DELIMITERS.items():
        for delimiter in delimiters if candidate.may_be(name) else ():
            if delimiter in candidate.lines[0] and (found := _by_values_alone(candidate, name, delimiter)):
                return found
    return None


def _signs_between(line: str) -> tuple[str, ...]:
    """The signs that stand between all names of a line, where they are several and always the same: @#@, <>."""
    found = _BETWEEN_NAMES.findall(line[:_LONGEST_HEADER])
    return (found[0],) if len(found) >= _FEWEST_NAMES - 1 and len(set(found)) == 1 else ()


def _by_values_alone(candidate: Candidate, name: str, delimiter: str) -> Detected | None:
    dialect = _dialect(candidate, delimiter)
    rows = [row for _, row in split_rows(enumerate(candidate.lines), dialect)]
    width = len(rows[0])
    if len(rows) < _FEWEST_WITHOUT_HEADER or width < _FEWEST_NAMES or any(len(row) != width for row in rows):
        return None
    places = tuple(f"column {at}" for at in range(1, width + 1))
    learned = told_by_values([dict(zip(places, row, strict=True)) for row in rows], candidate.log.vocabulary)
    meant = {meaning: place for place, meaning in learned.items()}
    if not {"conversation_id", "role", "text", "time"} <= meant.keys():
        return None
    at_role = places.index(meant["role"])
    if not all(speaker_of(row[at_role].strip()) for row in rows):
        return None
    candidate.log.vocabulary.learn(learned)
    columns = header_columns(places, candidate.log)
    assert columns is not None
    return Detected(name, Table(candidate.log, columns, dialect), "no header", candidate.log, _meanings(columns))


def _declared_separator(candidate: Candidate) -> str:
    first = candidate.lines[0].strip().strip('"').lower()
    return candidate.lines[0].strip().strip('"')[4:] if first.startswith("sep=") and len(first) == 5 else ""


def _dialect(candidate: Candidate, delimiter: str) -> Dialect:
    sample = candidate.sample
    quoted = candidate.mapping.quoted and delimiter != "\x01" and len(delimiter) == 1
    escaped = quoted and sample.escapes_quotes and sample.has('"' + delimiter)
    dumped = delimiter in _OF_DUMPS and not escaped and (sample.has("\\n") or sample.has("\\N"))
    spaced = quoted and sample.has(f'{delimiter} "') and not sample.has(f'{delimiter}"')
    return Dialect(delimiter, quoted, escaped, dumped, spaced=spaced)


def _headed(candidate: Candidate, at: int, name: str, dialect: Dialect) -> Detected | None:
    if dialect.quoted and _is_quoted_by_apostrophes(candidate.lines[at], dialect.delimiter):
        dialect = dialect._replace(quote="'")
    rows = list(islice(split_rows(enumerate(candidate.lines[at:]), dialect), 1))
    header = tuple(column.strip().strip("\u200b\ufeff") for column in rows[0][1]) if rows else ()
    dialect = dialect._replace(padded=bool(rows) and all(map(_is_padded, filter(str.strip, rows[0][1]))))
    if len(header) < 2 or not candidate.fits(header):
        return None
    notes = [] if dialect.delimiter in ",\t" else [f"its delimiter is {dialect.delimiter!r}"]
    between = _correspondence(candidate, header, at, dialect)
    if between:
        notes.append(f"{between.sender} and {between.receiver} tell the conversations apart")
    columns = header_columns((*header, *WORKED_OUT) if between else header, candidate.log)
    if not (between or candidate.mapping.renames) and (learned := _told_by_values(candidate, header, at, dialect)):
        candidate.log.vocabulary.learn(learned)
        columns = header_columns(header, candidate.log)
        notes += [f"{name} is taken for {_TAKEN_FOR[meaning]}, by its values" for name, meaning in learned.items()]
    sides = sides_of(header, candidate.log.vocabulary) if columns is None or columns.transcript >= 0 else None
    if sides:
        columns = columns_of_sides(header, candidate.log)
        notes.append(f"{header[sides.user]} and {header[sides.agent]} are taken for what each side says")
    sparse = at or sum(map(bool, header)) * 2 <= len(header)
    if columns is None or (sparse and columns.transcript >= 0 and _meant(columns) < _FEWEST_MEANT):
        return None
    _learn_roles(candidate, columns, at, dialect)
    begins = 1
    if at:
        begins = candidate.head.text.split("\n").index(candidate.lines[at]) + 1
        notes.append(f"{begins - 1} lines above the header are left out")
    if len(candidate.lines) == at + 1 and candidate.head.whole:
        notes.append("a header without a row below it")
    log = (
        candidate.log
        if columns.transcript < 0
        else candidate.log_with(_names_in_cells(candidate, columns, at, dialect))
    )
    if between:
        log = replace(log, mapping=replace(log.mapping, between=between))
    log = _looked_into(candidate, columns, at, dialect, log, notes)
    fills = not (sides or between) and _leaves_ids_blank(candidate, columns, at, dialect)
    if fills:
        notes.append("a blank id is that of the row above")
    short = 0 if sides or between else _common_width(candidate, columns, at, dialect)
    reader = Table(log, columns, dialect, header, begins, sides, fills, short)
    return Detected(candidate.named(name), reader, "; ".join(notes), log, _meanings(columns))


def _common_width(candidate: Candidate, columns: Columns, at: int, dialect: Dialect) -> int:
    """The width that all of the first rows have, where they lack columns of attributes at their end; else 0."""
    widths = {len(row) for _, row in split_rows(enumerate(candidate.lines[at + 1 :]), dialect)}
    needed = {place for place in columns if isinstance(place, int)}
    (width,) = widths if len(widths) == 1 else (0,)
    return width if max(needed) < width < columns.width else 0


def _looked_into(
    candidate: Candidate, columns: Columns, at: int, dialect: Dialect, log: LogContext, notes: list[str]
) -> LogContext:
    """The log with what its first rows show of their order, their texts and their speakers; each is noted."""
    if columns.number < 0 and _is_newest_first(candidate, columns, at, dialect):
        log = replace(log, newest_first=True)
        notes.append("the newest row stands first")
    if columns.text >= 0 and _are_enveloped(candidate, columns, at, dialect):
        log = replace(log, enveloped=True)
        notes.append("its texts are taken out of JSON")
    if columns.role >= 0 and (side := _side_by_names(candidate, columns, at, dialect)):
        log = replace(log, mapping=replace(log.mapping, side=side))
        notes.append(f"{side.left} is the {side.side} where it is {side.right}")
    return log


def _correspondence(candidate: Candidate, header: tuple[str, ...], at: int, dialect: Dialect) -> Between | None:
    """The columns of sender and receiver, by the mapping or in a table that names no conversation."""
    if candidate.name or len(set(header)) < len(header) or len(header) > _MOST_GUESSED:
        return candidate.mapping.between
    records = [dict(zip(header, row, strict=True)) for row in _rows(candidate, at + 1, dialect, len(header))]
    between = correspondence_in(records, candidate.log.vocabulary)
    if between:
        learn_correspondence(records, between, candidate.log.vocabulary)
        candidate.log.counts_guess("pairs")
    return between


def _told_by_values(candidate: Candidate, header: tuple[str, ...], at: int, dialect: Dialect) -> dict[str, str]:
    """Return the meanings of columns that their values tell, where the header names a conversation alone."""
    if len(set(header)) < len(header) or len(header) > _MOST_GUESSED:
        return {}
    if not any(map(_is_name, header)) and (len(header) < _FEWEST_NAMES or not are_names(header)):
        return {}
    shape = candidate.log.vocabulary.shape(header)
    if shape.speaks and shape.text and shape.conversation_id and shape.time:
        rows = list(islice(_rows(candidate, at + 1, dialect, len(header)), _FEW_ROWS))
    else:
        rows = list(_rows(candidate, at + 1, dialect, len(header)))
    records = [dict(zip(header, row, strict=True)) for row in rows]
    found = _transcripts(records, shape) or told_by_values(records, candidate.log.vocabulary)
    if not found and text_of_each_side(header) and not shape.speaks:
        ids = [name for name in header if is_conversations_name(normalized(name))]
        found = {ids[0]: "conversation_id"} if len(ids) == 1 and not shape.conversation_id else {}
        return found if shape.time or shape.started_at else {**found, **time_by_values(records)}
    if not shape.conversation_id and "conversation_id" not in found.values():
        return {}
    if not shape.speaks and (found or shape.transcripts) and not (shape.time or shape.started_at):
        found = {**found, **time_by_values(records)}
    return found


def _transcripts(records: Sequence[Mapping[str, str]], shape: Shape) -> dict[str, str]:
    """The column of labeled words, beside a conversation's id and no column of speakers."""
    if shape.speaks or not shape.conversation_id or (shape.transcripts and not shape.texts):
        return {}
    name = transcripts_by_values(records)
    return {name: "transcript"} if name and name not in shape.transcripts else {}


def _rows(candidate: Candidate, at: int, dialect: Dialect, width: int) -> Iterator[list[str]]:
    return (row for _, row in split_rows(enumerate(candidate.lines[at:]), dialect, width) if len(row) == width)


def _are_enveloped(candidate: Candidate, columns: Columns, at: int, dialect: Dialect) -> bool:
    """True for texts that are all objects written as JSON, with the words in them."""
    texts = [row[columns.text] for row in _rows(candidate, at + 1, dialect, columns.width) if row[columns.text].strip()]
    return len(texts) > 1 and all(map(words_in_envelope, texts))


def _learn_roles(candidate: Candidate, columns: Columns, at: int, dialect: Dialect) -> None:
    if columns.role < 0:
        return
    vocabulary, at_id = candidate.log.vocabulary, columns.conversation_id
    rows = list(_rows(candidate, at + 1, dialect, columns.width))
    said = [(row[at_id] if at_id >= 0 else "", row[columns.role].strip()) for row in rows]
    vocabulary.learn_roles(roles_in_context(word for _, word in said))

    def side_of(word: str) -> Speaker | None:
        return vocabulary.roles.get(word) or speaker_of(word)

    others = side_of_others(said, side_of)
    if others and not candidate.mapping.roles:
        vocabulary.learn_roles({"*": others})
        candidate.log.counts_guess(others)
    if at_id >= 0 and columns.text >= 0 and not candidate.mapping.roles and not candidate.log.tells_sides:
        named = [Said(row[at_id], row[columns.role].strip(), row[columns.text]) for row in rows]
        if roles := roles_by_company(named, side_of):
            vocabulary.learn_roles(roles)
            candidate.log.counts_guess("company")


def _is_newest_first(candidate: Candidate, columns: Columns, at: int, dialect: Dialect) -> bool:
    if columns.time < 0 or columns.role < 0:
        return False
    parse = candidate.log.timestamps.parse
    rows = _rows(candidate, at + 1, dialect, columns.width)
    days = columns.date
    return is_newest_first(
        [parse(joined(row[days], row[columns.time]) if days >= 0 else row[columns.time]) for row in rows]
    )


def _side_by_names(candidate: Candidate, columns: Columns, at: int, dialect: Dialect) -> Comparison | None:
    """The comparison that tells who speaks where the speaker is a nickname, and a column beside names the customer's
    or the agent's.
    """
    mapping, speaker_of = candidate.mapping, candidate.log.vocabulary.speaker
    rows = list(_rows(candidate, at + 1, dialect, columns.width))
    names = [row[columns.role].strip() for row in rows]
    if mapping.side or mapping.roles or any(speaker_of(name) in ("user", "agent") for name in names if name):
        return None
    told: list[tuple[int, Speaker]] = []
    for place, name in enumerate(columns.names):
        side = side_named_in(name)
        same = [row[place].strip() == row[columns.role].strip() != "" for row in rows]
        if side and place != columns.role and any(same) and not all(same):
            told.append((place, side))
    if not told or not _agree(told, rows, names):
        return None
    place, side = told[0]
    return Comparison(columns.names[columns.role], columns.names[place], side, "agent" if side == "user" else "user")


def _agree(told: list[tuple[int, Speaker]], rows: list[list[str]], names: list[str]) -> bool:
    """True where columns for one side name the speaker, or those of both sides, and then every speaker once."""
    if len({side for _, side in told}) == 1:
        return True
    named = (
        {side for place, side in told if row[place].strip() == name} for row, name in zip(rows, names, strict=True)
    )
    return all(len(sides) == 1 for sides in named)


def _leaves_ids_blank(candidate: Candidate, columns: Columns, at: int, dialect: Dialect) -> bool:
    """True for a table that names a conversation in the first of its rows alone, as merged cells are exported."""
    if columns.conversation_id < 0 or columns.role < 0:
        return False
    speaker_of = candidate.log.vocabulary.speaker
    rows = _rows(candidate, at + 1, dialect, columns.width)
    ids = [row[columns.conversation_id].strip() for row in rows if speaker_of(row[columns.role].strip())]
    return bool(ids and ids[0]) and ids.count("") >= _FEWEST_BLANK * len(ids)


def _names_in_cells(candidate: Candidate, columns: Columns, at: int, dialect: Dialect) -> frozenset[str]:
    cells = (row[columns.transcript] for row in _rows(candidate, at + 1, dialect, columns.width))
    return frequent_names([line for cell in cells for line in cell.replace("\v", "\n").split("\n")])


def _is_quoted_by_apostrophes(line: str, delimiter: str) -> bool:
    return all(len(cell) > 1 and cell[0] == cell[-1] == "'" for cell in line.strip().split(delimiter))


def _is_padded(cell: str) -> bool:
    return cell[0] == cell[-1] == " "


def _is_name(cell: str) -> bool:
    """True for a header's cell that names a conversation's id, as no row of data does."""
    word = normalized(cell)
    return word in _CONVERSATION_IDS or is_conversations_name(word)


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
