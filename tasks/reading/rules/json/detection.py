"""Detection of JSON: a value a line, or a document over many lines."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import islice
from typing import Any, Final

from tasks.reading.rules.candidate import Candidate, Detected
from tasks.reading.rules.company import Said, roles_by_company
from tasks.reading.rules.context import LogContext
from tasks.reading.rules.correspondence import correspondence_in, learn_correspondence
from tasks.reading.rules.dialogue import is_newest_first
from tasks.reading.rules.formats import JSON_FORMATS, People
from tasks.reading.rules.json.fields import text_of, time_of
from tasks.reading.rules.json.learning import groups_of, learn_from
from tasks.reading.rules.json.people import sides_by_people
from tasks.reading.rules.json.records import JsonRecords
from tasks.reading.rules.json.texts import identity
from tasks.reading.rules.json.unwrapping import list_of_records_at
from tasks.reading.rules.objects.log_bytes import first_json_values
from tasks.reading.rules.objects.sample import SAMPLED_VALUES, parsed, records_of
from tasks.reading.rules.readers import JsonDocument, JsonLines
from tasks.reading.rules.speakers import Speaker, roles_in_context, side_of_others, speaker_of
from tasks.reading.rules.tables.told_by_values import kind_in
from tasks.reading.rules.vocabulary import Vocabulary, lifted

_GROUPS: Final = 20


def detect_json(candidate: Candidate) -> Detected | None:
    """JSON that holds conversations or messages, and other JSON as such."""
    if not candidate.may_be(*JSON_FORMATS) or not candidate.sample.looks_like_json:
        return None
    if candidate.name and candidate.log_format == "auto" and not candidate.mapping.fits(candidate.sample.names):
        return None
    first = candidate.sample.opening
    only = candidate.log_format if candidate.log_format in JSON_FORMATS else ""
    log = candidate.log
    values = candidate.sample.values
    if not candidate.name:
        sampled = values or candidate.sample.document_values
        learn_from(sampled, log.vocabulary)
        log = _with_correspondence(_with_people(log, sampled), sampled)
    log = replace(log, newest_first=_are_newest_first(values, log))
    records = JsonRecords(log, only)
    kinds = list(dict.fromkeys(kind for value in values if (kind := records.kind(value))))
    opens = first[:1] in ("[", "{") and first[1:].lstrip()[:1] in ("", '"', "[", "{", "]", "}")
    if isinstance(candidate.sample.first, list | dict) or len(values) * 2 > len(candidate.lines):
        in_lines = True
    else:
        in_lines = bool(kinds) and not first.startswith("[")
    if in_lines:
        columns = _learn(values, log)
        if not kinds:
            return Detected("unknown", JsonLines(log, records), "JSON, but no conversations or messages", log, columns)
        also = f"also {', '.join(kinds[1:])}" if kinds[1:] else ""
        return Detected(candidate.named(kinds[0]), JsonLines(log, records), also, log, columns)
    if not opens:
        return None
    values = candidate.sample.document_values
    skip = 0
    if not candidate.head.whole and first.startswith("{"):
        skip = list_of_records_at(candidate.head.text, records.kind)
        if skip:
            values = [parsed(text) for text in first_json_values("[" + candidate.head.text[skip:])]
            if not candidate.name:
                learn_from(values[:SAMPLED_VALUES], log.vocabulary)
    columns = _learn(values[:SAMPLED_VALUES], log)
    note = "a JSON document, not a record a line"
    return Detected(candidate.named("json"), JsonDocument(log, records, skip), note, log, columns)


def _with_people(log: LogContext, values: list[Any]) -> LogContext:
    """The log with the way to tell its sides, where its conversations say who their people are."""
    groups = () if log.tells_sides else islice(groups_of(values, log.vocabulary), _GROUPS)
    found = (sides_by_people(group[:SAMPLED_VALUES], log.vocabulary) for group in groups)
    told = next((comparison for comparison in found if comparison is not None), None)
    if told is None:
        return log
    mapping = replace(log.mapping, people=told) if isinstance(told, People) else replace(log.mapping, side=told)
    return replace(log, mapping=mapping)


def _with_correspondence(log: LogContext, values: list[Any]) -> LogContext:
    """The log with the way to tell its conversations, where its messages say who writes to whom."""
    for rows in islice(groups_of(values, log.vocabulary), _GROUPS):
        if between := correspondence_in(rows, log.vocabulary):
            learn_correspondence(rows, between, log.vocabulary)
            log.counts_guess("pairs")
            return replace(log, mapping=replace(log.mapping, between=between))
    return log


def _are_newest_first(values: list[Any], log: LogContext) -> bool:
    """True for messages, one a line, whose times fall."""
    times = []
    for value in values:
        shape = log.vocabulary.shape(tuple(value)) if isinstance(value, dict) else None
        if shape is None or not (shape.message and shape.time):
            return False
        times.append(log.timestamps.parse(time_of(value, shape)))
    return is_newest_first(times)


def _learn(values: list[Any], log: LogContext) -> dict[str, str]:
    """Learn from a sample what roles mean beside each other; return what its keys mean."""
    vocabulary = log.vocabulary
    samples = list(islice(records_of(values), SAMPLED_VALUES * 20))
    said: list[tuple[str, str]] = []
    columns: dict[str, str] = {}
    for sample in (lifted(sample, vocabulary.paths) for sample in samples) if vocabulary.paths else samples:
        shape = vocabulary.shape(tuple(sample))
        role = sample.get(shape.role)
        if isinstance(role, Mapping):
            role = kind_in(role) or None
        if isinstance(role, str):
            said.append((identity(sample.get(shape.conversation_id)) if shape.names_its_conversation else "", role))
        for name, meaning in shape.meanings().items():
            columns.setdefault(str(name), meaning)
    vocabulary.learn_roles(roles_in_context(word for _, word in said))

    def side_of(word: str) -> Speaker | None:
        return vocabulary.roles.get(word) or speaker_of(word)

    others = side_of_others(said, side_of)
    if others and all(conversation for conversation, _ in said) and not log.mapping.roles:
        vocabulary.learn_roles({"*": others})
        log.counts_guess(others)
    told = log.mapping.roles or log.tells_sides or log.mapping.between or any(side_of(word) for _, word in said)
    if not told and (roles := roles_by_company(list(_said_in(values, vocabulary)), side_of)):
        vocabulary.learn_roles(roles)
        log.counts_guess("company")
    return columns


def _said_in(values: list[Any], vocabulary: Vocabulary) -> Iterator[Said]:
    """Yield the messages of a sample whose speaker is a name; those of one list are one conversation's."""
    for at, group in enumerate(islice(groups_of(values, vocabulary), SAMPLED_VALUES)):
        for row in group:
            shape = vocabulary.shape(tuple(row))
            name = row.get(shape.role)
            if isinstance(name, str) and name and shape.texts and not set(shape.messages) - set(shape.texts):
                own = identity(row.get(shape.conversation_id)) if shape.names_its_conversation else ""
                yield Said(own or f"list {at}", name, text_of(row, shape))
