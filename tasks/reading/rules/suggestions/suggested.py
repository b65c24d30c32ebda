"""A mapping for a log that is not understood: made of what stands in the file, and offered only if it reads it."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from tasks.reading.rules.company import Said, likely_sides
from tasks.reading.rules.correspondence import Between, said_between
from tasks.reading.rules.objects.log_bytes import ObjectHead
from tasks.reading.rules.objects.sample import Sample
from tasks.reading.rules.speakers import Speaker, roles_in_context, speaker_of
from tasks.reading.rules.suggestions.layouts import BETWEEN_TALKS, Layout, layouts_of, spoken_in
from tasks.reading.rules.suggestions.mapping_text import mapping_text
from tasks.reading.rules.suggestions.meanings import Meant, own_ids, readings_of
from tasks.reading.rules.suggestions.trial import Trial, first_right
from tasks.reading.rules.transcripts.labels import LabelReader, names_in_front
from tasks.reading.rules.vocabulary import Vocabulary

_LINES: Final = 500

_FEWEST_LINES: Final = 2  # that a name begins

_MOST_NAMES: Final = 40

_RULE: Final = re.compile(r"\s*([-=*#_—~])\1{2,}\s*")

_NO_NAME: Final = re.compile(r'[=<>{}"/\\]')


class Suggestion(NamedTuple):
    """A mapping's text that reads a file; without one, what the file lacks."""

    mapping: str
    missing: str = ""


def suggest_mapping(head: ObjectHead) -> Suggestion:
    """Suggest a mapping for a file by its beginning. Each is tried first: none is offered that reads nothing."""
    trial = Trial(head)
    lines = [line for line in trial.head.text.split("\n") if line.strip()][:_LINES]
    if not lines:
        return Suggestion("", "there is nothing in it")
    sample = Sample(trial.head, lines)
    layouts = list(layouts_of(sample))
    found = first_right((text for layout in layouts for text in _of_layout(layout)), trial)
    found = found or first_right(_of_transcript(spoken_in(sample)), trial)
    return Suggestion(found, "" if found else _missing(layouts))


def _of_layout(layout: Layout) -> Iterator[str]:
    for meant, between in readings_of(layout):
        settings = dict(layout.settings)
        if between:
            settings["between"] = {name: key for name, key in between._asdict().items() if key}
        elif layout.of is None and not _named(meant, "conversation_id"):
            settings["one_conversation"] = True
        said = _said_between(layout, between) if between else _said(layout, meant)
        roles = _sides(list(said))
        columns: Mapping[str, str] | list[str] = meant
        if not layout.has_header:
            columns = [meant.get(name, "") for name in layout.names]
        yield mapping_text(settings, columns, roles)
    for name in layout.names if layout.of is None else ():
        if any("\n" in cell for cell in layout.column(name)):
            columns = {name: "transcript"}
            if own := next(iter(own_ids(layout)), ""):
                columns[own] = "conversation_id"
            yield from _of_transcript(BETWEEN_TALKS.join(layout.column(name)), columns)


def _named(meant: Meant, meaning: str) -> str:
    return next((name for name, found in meant.items() if found == meaning), "")


def _said(layout: Layout, meant: Meant) -> Iterator[Said]:
    """Yield the messages of a layout under one reading of its names."""
    role, text, own = (_named(meant, meaning) for meaning in ("role", "text", "conversation_id"))
    if not role:
        return  # each side has a text of its own
    within = own if own in layout.names else ""
    for at, (name, words) in enumerate(zip(layout.column(role), layout.column(text), strict=True)):
        inside = str(layout.of[at]) if layout.of else ""
        yield Said(layout.column(within)[at] if within else inside, name, words)


def _said_between(layout: Layout, between: Between) -> Iterator[Said]:
    vocabulary = Vocabulary()
    rows: list[dict[str, Any]] = [dict(zip(layout.names, row, strict=True)) for row in layout.rows]
    return said_between(rows, between, vocabulary)


def _sides(said: list[Said]) -> dict[str, Speaker]:
    """The sides of the names that no word explains; nothing where every one is known."""
    names = Counter(message.name for message in said)
    known: dict[str, Speaker] = {name: side for name in names if len(name) > 1 and (side := speaker_of(name))}
    context = roles_in_context(name for name in names.elements() if name)
    if "" in names:
        known[""] = "system"
    unknown = names.keys() - known.keys() - context.keys()
    if not unknown and not context and "" not in names:
        return {}
    likely = likely_sides([message for message in said if known.get(message.name) != "system"])
    if "user" in known.values() and "agent" not in known.values():
        likely = dict.fromkeys(unknown, "agent")  # beside customers whom a word explains
    sides = {name: context.get(name) or known.get(name) or likely.get(name) for name, _ in names.most_common()}
    return {name: side for name, side in sides.items() if side}


def _of_transcript(text: str, columns: Mapping[str, str] | None = None) -> Iterator[str]:
    """Mappings that say whose side the names are on that begin lines, perhaps in a column."""
    lines = text.split("\n")[:_LINES]
    began = names_in_front(lines)
    often = (name for name, count in began.most_common(_MOST_NAMES) if count >= _FEWEST_LINES)
    names = frozenset(name for name in often if not _NO_NAME.search(name))
    if any(Vocabulary().shape((name,)).meanings() for name in names):
        return  # keys with their values, such as YAML's or a mail's
    for reader in (LabelReader(), LabelReader(names=names)):
        said = list(_labeled(lines, reader))
        if sides := _sides(said):
            yield mapping_text({}, columns or {}, sides)


def _labeled(lines: list[str], reader: LabelReader) -> Iterator[Said]:
    """Yield the messages of lines that begin with a label; a rule begins another conversation."""
    talk = 0
    name = ""
    for line in lines:
        talk += _RULE.fullmatch(line) is not None
        if label := reader.label(line):
            name = label.name
        if name and line.strip():
            yield Said(str(talk), name, line[label.end :] if label else line)


def _missing(layouts: list[Layout]) -> str:
    """Say what of a message no column, key or label of a file is."""
    if not layouts:
        return "no line begins with a speaker's name, and no table or list of messages was found"
    lacks = "who speaks and what is said" if not any(any(readings_of(layout)) for layout in layouts) else ""
    return f"no column or key tells {lacks}" if lacks else "no reading of its columns gives conversations of both sides"
