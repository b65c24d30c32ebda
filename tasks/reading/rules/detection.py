"""Detect a log's format by its content; its name plays no part."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC
from itertools import islice, pairwise
from typing import Final

from tasks.reading.rules.candidate import Candidate, Detected
from tasks.reading.rules.context import NO_MAPPING, LogContext
from tasks.reading.rules.formats import LogMapping
from tasks.reading.rules.json.detection import detect_json
from tasks.reading.rules.objects.file_kinds import YAML_TO_JSON, is_yaml, why_no_text
from tasks.reading.rules.objects.log_bytes import ObjectHead
from tasks.reading.rules.objects.sample import Sample
from tasks.reading.rules.reasons import TRY_LOGS
from tasks.reading.rules.speakers import Speaker, nameable
from tasks.reading.rules.tables.detection import detect_by_places, detect_headerless, detect_table
from tasks.reading.rules.timestamps import TimestampParser
from tasks.reading.rules.transcripts.dialogues import split_transcript
from tasks.reading.rules.transcripts.files import TranscriptFile, TranscriptLines
from tasks.reading.rules.transcripts.labels import are_dashed, frequent_names
from tasks.reading.rules.transcripts.titles import people_titled

_HEAD_LINES: Final = 200

_LINES_ABOVE_HEADER: Final = 20

_KEYS_NAMED: Final = 5

_MOST_STRANGERS: Final = 20


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
        Candidate(uri, sample, log_format, name, mapping, timestamps) for name, mapping in _tried(log_format, mappings)
    ]
    detectors = (_structured, detect_headerless, _transcript)
    found = next(filter(None, (detect(candidate) for detect in detectors for candidate in tried)), None)
    if found and found.reader and sample.looks_like_json and found.format != "transcript":
        return replace(found, remark=_about_keys(sample))
    return found or _none(log_format, lines)


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
    if is_yaml("\n".join([*lines[:_LINES_ABOVE_HEADER], ""])):
        return Detected("unknown", None, f"YAML, not a log that can be read. This makes JSON of it: {YAML_TO_JSON}")
    why = next((why for line in lines[:_LINES_ABOVE_HEADER] if (why := _nearly_a_header(line))), "")
    return Detected(
        "unknown",
        None,
        why
        or "in no known format: no JSON, no header that names a conversation id, a role and a text, no mapping that "
        f"nine in ten of its first rows fit, no speaker's label. For a mapping, {TRY_LOGS}",
    )


# A column's name is repeated in a message, and may be the text of a row whose line was merged with the header's.
_COLUMN: Final = re.compile(r"(?!.*\d{5})[\w ()（）/#.:\[\]-]{0,40}")


def _nearly_a_header(line: str) -> str:
    """Describe a header that names two of the three things a message needs; return "" for any other line."""
    for delimiter in (",", "\t", ";", "|"):
        names = [name.strip().strip('"') for name in line.split(delimiter)]
        if not 3 <= len(names) <= 60 or any(not _COLUMN.fullmatch(name) for name in names):
            continue
        shape = LogContext("", _NO_TIMES).vocabulary.shape(tuple(dict.fromkeys(names)))
        found = {
            "a conversation id": shape.conversation_id,
            "a speaker": shape.role or shape.is_agent or shape.is_user,
            "a text": shape.text,
        }
        if not found["a text"] and shape.texts:
            found["a text"] = shape.texts[0]
        missing = [what for what, name in found.items() if not name]
        if len(missing) == 1:
            seen = " and ".join(f"{what} ({name})" for what, name in found.items() if name)
            return (
                f"its header names {seen}, but no column for {missing[0]} among {', '.join(names)}; "
                f"a mapping can name it; {TRY_LOGS}"
            )
    return ""


def _structured(candidate: Candidate) -> Detected | None:
    """JSON or a table."""
    if not isinstance(candidate.mapping.columns, Mapping):
        return detect_by_places(candidate)
    if (
        candidate.name
        and candidate.log_format == "auto"
        and not candidate.mapping.columns
        and not candidate.mapping.match
    ):
        return None  # nothing tells that it is meant
    return detect_json(candidate) or detect_table(candidate)


def _transcript(candidate: Candidate) -> Detected | None:
    """Detect a transcript: lines that begin with a speaker's label."""
    if not _may_be_transcript(candidate):
        return None
    roles = _asked_and_answered(candidate.lines)
    if roles and not candidate.mapping.roles:
        candidate.mapping = replace(candidate.mapping, roles=roles)
    titled = people_titled(candidate.lines[0])
    if not any(line.lstrip().startswith(tuple(titled)) for line in candidate.lines[1:]):
        titled = {}
    if titled and not candidate.mapping.roles:
        candidate.mapping = replace(candidate.mapping, roles=titled)
    names = frequent_names(candidate.head.text.split("\n"))
    log = replace(candidate.log_with(names), dashed=are_dashed(candidate.lines), titled=bool(titled))
    found = split_transcript(candidate.head.text, log.labels)
    spoken = sum(found.strangers.values())
    if len(found.strangers) > _MOST_STRANGERS and len(found.strangers) * 2 > spoken:
        return None
    if not found.utterances and spoken * 3 <= len(candidate.lines):
        return None
    labels = (log.labels.label(line) for line in candidate.lines)
    log.speakers_of_labels.update({label.name: label.speaker for label in labels if label and label.name})
    two_sided = sum(
        {"user", "agent"} <= {said.speaker for said in split_transcript(line, log.labels).utterances}
        for line in candidate.lines
    )
    if two_sided > 1 and two_sided >= 0.9 * len(candidate.lines):
        return Detected("transcript", TranscriptLines(log), "a conversation a line", log)
    return Detected("transcript", TranscriptFile(log), "", log)


def _may_be_transcript(candidate: Candidate) -> bool:
    if not candidate.may_be("transcript") or not isinstance(candidate.mapping.columns, Mapping):
        return False
    if candidate.log_format == "auto" and candidate.mapping.match:
        return False  # the mapping is for the names it lists; a transcript has no names
    return not _are_rows(candidate.lines)


def _are_rows(lines: list[str]) -> bool:
    """True for lines below a header that names a conversation: a table whose texts were not found."""
    for delimiter in (",", "\t", ";", "|"):
        names = [name.strip().strip('"') for name in lines[0].split(delimiter)]
        if len(names) < _FEWEST_NAMES or any(len(row.split(delimiter)) < len(names) for row in lines[1:]):
            continue
        if len(lines) > 1 and LogContext("", _NO_TIMES).vocabulary.shape(tuple(dict.fromkeys(names))).conversation_id:
            return True
    return False


_FEWEST_NAMES: Final = 3

_ASKED: Final = re.compile(r"[\s>*#-]{0,8}(?P<name>(?P<user>问|問|[Qq])\d{0,4}|(?:答|[Aa])\d{0,4})[:：]")


def _asked_and_answered(lines: list[str]) -> dict[str, Speaker]:
    """The sides of 问 and 答, of Q and A, where they begin most lines by turns; in any other log they are words."""
    found = [label for line in lines if (label := _ASKED.match(line))]
    turns = sum(bool(one["user"]) != bool(other["user"]) for one, other in pairwise(found))
    if len(found) * 2 < len(lines) or turns * 3 < len(found) or not turns:
        return {}
    return {label["name"]: "user" if label["user"] else "agent" for label in found}


_NO_TIMES: Final = TimestampParser(UTC)
