"""A survey of logs for a terminal: one screen."""

import shlex
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, Final, Protocol

_FILES: Final = 8

_REASONS: Final = 6

_DAYS: Final = 7

_LINES: Final = 8

_MAPPINGS: Final = 3

_WIDTH: Final = 110


class _File(Protocol):
    @property
    def uri(self) -> str: ...
    @property
    def format(self) -> str: ...
    @property
    def encoding(self) -> str: ...
    @property
    def note(self) -> str: ...
    @property
    def columns(self) -> Mapping[str, str]: ...
    @property
    def speakers(self) -> Mapping[str, str]: ...
    @property
    def mapping(self) -> str: ...
    @property
    def missing(self) -> str: ...


def as_lines(survey: Any, path: str, flags: str) -> Iterator[str]:
    """Yield the survey's lines, and what to run next.

    Args:
        survey: a LogSurvey.
        path: where the logs are.
        flags: what was said about reading them, to be said again.
    """
    yield from _found(survey)
    yield ""
    yield from _next_steps(survey, path, flags)


def dry_run_lines(survey: Any, path: str) -> Iterator[str]:
    """Yield the survey's lines, and a mapping where the logs were a guess."""
    yield from _found(survey)
    if any(file.mapping for file in survey.files):
        yield ""
        yield from _next_steps(survey, path, "")


def _found(survey: Any) -> Iterator[str]:
    for file in survey.files[:_FILES]:
        yield from _file(file)
    hidden = len(survey.files) - _FILES + survey.more_files
    if hidden > 0:
        yield f"… and {hidden} more files"
    yield ""
    yield from _counts(survey)
    for shown in survey.shown:
        yield ""
        yield f"{shown.conversation_id}  {shown.started_at}".rstrip()
        lines = shown.text.split("\n")
        yield from (f"  {_clipped(line)}" for line in lines[:_LINES])
        if len(lines) > _LINES:
            yield f"  … {len(lines) - _LINES} more lines"


def _file(file: _File) -> Iterator[str]:
    stored = ", ".join(filter(None, (file.format if file.format != "unknown" else "not understood", file.encoding)))
    yield f"{file.uri}: {stored}{f' ({file.note})' if file.note else ''}"
    meant = [f"{name} = {meaning}" for name, meaning in file.columns.items()]
    if meant:
        yield f"  columns   {_clipped('; '.join(meant), 300)}"
    if file.speakers:
        sides = [f"{_clipped(name, 24)} = {side}" for name, side in list(file.speakers.items())[:12]]
        yield f"  speakers  {'; '.join(sides)}"
    if file.missing:
        yield f"  no mapping was found that reads it: {file.missing}"


def _counts(survey: Any) -> Iterator[str]:
    rejected = sum(survey.rejects.values())
    days: Counter[Any] = survey.tally.days
    yield f"{survey.conversations:,} conversations can be summarized, {rejected:,} rejects."
    if days:
        listed = "; ".join(f"{day} {days[day]:,}" for day in sorted(days)[:_DAYS])
        more = f"; … {len(days) - _DAYS} more days to {max(days)}" if len(days) > _DAYS else ""
        yield f"  days      {listed}{more}"
    if survey.tally.undated:
        yield f"  no time   {survey.tally.undated:,} conversations: they belong to whichever day is asked for"
    if (lost := survey.tally.unread_conversations) and survey.tally.unread_rejects:
        yield f"  unread    about {lost:,} conversations are lost in what can't be read"
    for (reason, detail), count in survey.rejects.most_common(_REASONS):
        yield f"  left out  {count:,} {reason}: {_clipped(detail, 200)}"
    for note in survey.tally.notes[:_REASONS]:
        yield f"  note      {_clipped(note, 300)}"


def _next_steps(survey: Any, path: str, flags: str) -> Iterator[str]:
    suggested: dict[str, str] = {}  # by mapping, the first file that it reads
    for file in survey.files:
        if file.mapping:
            suggested.setdefault(file.mapping, file.uri)
    source = shlex.quote(path)
    if suggested:
        yield from _suggestions(suggested, source)
        return
    if not survey.conversations:
        yield "Nothing here can be summarized."
        return
    days = survey.tally.days
    command = f"--source {source}{flags} --summarizer offline"
    if len(days) > 1:
        yield f"All of its days:  python -m flows.backfill_days --all-days {command}"
    day = f"--day {max(days)} " if days else ""
    yield f"{'The last of them' if len(days) > 1 else 'Its day'}: python -m flows.summarize_day {day}{command}"


def _suggestions(suggested: Mapping[str, str], source: str) -> Iterator[str]:
    """Yield the mappings that were found to read files, and how to look again; each kind of file has its own."""
    for place, (mapping, uri) in enumerate(islice(suggested.items(), _MAPPINGS)):
        own = f"mine{place + 1}" if place else "mine"
        read = "it" if len(suggested) == 1 else uri
        yield f"This mapping reads {read}. Save it as {own}.toml, check it, and look again:"
        yield from (f"  {line}" for line in mapping.splitlines())
        tried = source if len(suggested) == 1 else shlex.quote(uri)
        yield f"  python -m flows.try_logs {tried} --mappings {own}.toml --log-format mine"
    if len(suggested) > _MAPPINGS:
        yield f"… and {len(suggested) - _MAPPINGS} more kinds of files; look at them one by one."


def _clipped(text: str, width: int = _WIDTH) -> str:
    text = "".join(sign if sign.isprintable() else " " for sign in text)
    return text if len(text) <= width else f"{text[: width - 1]}…"
