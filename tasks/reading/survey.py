"""Survey logs before a run: the detected format of each file, and the conversations and rejects it would give."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from tasks.domain.records import Conversation, Reject
from tasks.reading.conversations import DetectedFormat, LogObject, LogReader
from tasks.reading.rules.suggestions.suggested import Suggestion, suggest_mapping
from tasks.reading.rules.vocabulary import normalized
from tasks.reading.tally import ReadingTally

CONVERSATIONS_SHOWN: Final = 3

_FILES_KEPT: Final = 200

_REASONS_KEPT: Final = 1_000


@dataclass(frozen=True, slots=True)
class FileSurvey:
    """The survey of one file: its format, columns, speakers with their sides, and a mapping where it is a guess.

    `missing` says why there is no mapping for a file that gives no conversation.
    """

    uri: str
    format: str
    encoding: str
    compressed: bool
    note: str
    columns: Mapping[str, str]
    speakers: Mapping[str, str]
    mapping: str
    missing: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """A conversation as the model would see it, masked."""

    conversation_id: str
    started_at: str
    text: str


@dataclass(slots=True)
class LogSurvey:
    """All of the logs: their files, the first conversations, the days, and what would be rejected and why."""

    files: list[FileSurvey] = field(default_factory=list)
    more_files: int = 0
    shown: list[Shown] = field(default_factory=list)
    conversations: int = 0
    rejects: Counter[tuple[str, str]] = field(default_factory=Counter)
    tally: ReadingTally = field(default_factory=ReadingTally)


def survey_logs(objects: Iterable[LogObject], reader: LogReader, most: int = 0) -> LogSurvey:
    """Read logs to their end, or to the first `most` conversations, and return what each file holds.

    Raises:
        UsageError: there is no such format.
        StoreError: an object can't be had.
    """
    survey = LogSurvey()
    found: list[DetectedFormat] = []
    understood: set[str] = set()
    for reading in reader.read(objects, survey.tally):
        if isinstance(reading, DetectedFormat):
            if len(found) < _FILES_KEPT:
                found.append(reading)
            else:
                survey.more_files += 1
        elif isinstance(reading, Conversation):
            survey.conversations += 1
            understood.add(reading.source_uri)
            if len(survey.shown) < CONVERSATIONS_SHOWN:
                survey.shown.append(_shown(reading, reader))
            if survey.conversations == most:
                break
        else:
            _count(survey.rejects, reader.storable(reading))
    survey.files = [_file(file, file.uri in understood) for file in found]
    return survey


def _count(rejects: Counter[tuple[str, str]], reject: Reject) -> None:
    reason = reject.reason.value, reject.detail
    rejects[reason if reason in rejects or len(rejects) < _REASONS_KEPT else (reject.reason.value, "…")] += 1


def _shown(conversation: Conversation, reader: LogReader) -> Shown:
    request = reader.prepare(conversation)
    began = conversation.started_at
    return Shown(
        request.conversation.conversation_id,
        began.astimezone(reader.zone).isoformat(" ", "minutes")[:16] if began else "",
        request.text,
    )


def _file(found: DetectedFormat, understood: bool) -> FileSurvey:
    log = found.log
    words = log.vocabulary.speakers.items() if log else ()
    empty = "" in log.vocabulary.unknown_roles if log else False  # else its messages' kinds said whose they are
    speakers = {word or '""': side or "?" for word, side in words if word or side or empty}
    strangers = dict(log.strangers) if log else {}
    speakers |= {name: side or "?" for name, side in (log.speakers_of_labels.items() if log else ())}
    speakers |= dict.fromkeys(strangers, "?")
    measured = log.mapping.measured if log else {}
    columns = {name: measured.get(normalized(name), meaning) for name, meaning in found.columns.items()}
    doubtful = found.head is not None and ("?" in speakers.values() or not understood)
    suggestion = suggest_mapping(found.head) if found.head and doubtful else Suggestion("")
    return FileSurvey(
        found.uri,
        found.format,
        found.encoding,
        found.compressed,
        found.note,
        columns,
        speakers,
        suggestion.mapping,
        suggestion.missing if not understood else "",
    )
