"""Meanings that the columns of a layout may have, by their names and by their values, the likeliest first."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC
from itertools import combinations, islice, pairwise, product
from typing import Final

from tasks.reading.rules.company import may_be_customers
from tasks.reading.rules.correspondence import Between, correspondence_in
from tasks.reading.rules.speakers import Speaker, roles_in_context
from tasks.reading.rules.suggestions.layouts import ROWS, Layout
from tasks.reading.rules.tables.told_by_values import is_conversations_name, is_prose
from tasks.reading.rules.timestamps import TimestampParser
from tasks.reading.rules.vocabulary import Vocabulary, normalized

_TRIED: Final = 4  # columns for each meaning

_MOST_READINGS: Final = 40

_MOST_SPEAKERS: Final = 200

_MOST_NEW: Final = 2 / 3  # of the rows, by a name that spoke in none before: two rows a customer, and one agent

_MOST_IN_A_CONVERSATION: Final = 100

_LONGEST_NAME: Final = 64

_MOST_NAMED: Final = 0.6  # of the rows that name a speaker; others are the system's

_MOST_OF_ONE: Final = 0.8  # of the rows, where each holds what one side says

_LEAST_PROSE: Final = 0.3  # of the texts; others are "ok" or a number

Meant = dict[str, str]


def readings_of(layout: Layout) -> Iterator[tuple[Meant, Between | None]]:
    """Yield what the names of a layout may mean, and who writes to whom where that parts conversations."""
    vocabulary = Vocabulary()
    known = {meaning: name for name, meaning in vocabulary.shape(layout.names).meanings().items()}
    left_out = [name for name in layout.names if _is_empty(layout.column(name))]
    times = [name for name in layout.names if _are_times(layout.column(name))]
    free = [name for name in layout.names if name not in (*times, *left_out)]
    texts = _ranked(free, lambda name: _like_text(layout.column(name)) * (2 if known.get("text") == name else 1))
    roles = _ranked(free, lambda name: _like_speakers(name, layout, vocabulary))
    if layout.of is None:
        rows = [dict(zip(layout.names, row, strict=True)) for row in layout.rows]
        ids = _ranked(free, lambda name: _like_ids(name, layout.column(name)))
    else:
        rows, ids = [], own_ids(layout)[:1]
    time = _first_of(known.get("time"), times, layout)
    between = correspondence_in(rows, vocabulary) if rows else None
    if between and texts:
        yield _meant(time, text=texts[0]), between
    if layout.has_header and layout.of is None:
        for sides in _texts_of_sides(texts, layout) if ids else ():
            yield _meant(time, conversation_id=ids[0], **sides), None
    none_named = [""] if layout.of is not None or len(layout.rows) < ROWS else []  # longer than any conversation
    choices = product(roles[:_TRIED], [*ids[:_TRIED], *none_named], texts[:2])
    ranked = sorted(
        choices, key=lambda choice: roles.index(choice[0]) + _rank(ids, choice[1]) + 2 * texts.index(choice[2])
    )
    for role, own, text in islice(ranked, _MOST_READINGS):
        if len({role, own, text}) == 3:
            yield _meant(time, text=text, role=role, conversation_id=own), None


def own_ids(layout: Layout) -> list[str]:
    """The names of what may be the id of records that are a conversation each."""
    records = layout.outer or {name: layout.column(name) for name in layout.names}
    return _ranked(records, lambda name: _like_own_ids(name, records[name]))


def _texts_of_sides(texts: list[str], layout: Layout) -> Iterator[Meant]:
    """Yield two columns of texts of which each row fills one: what the customer says, and what the agent does."""
    for one, other in combinations(texts[:_TRIED], 2):
        filled = [
            (bool(first), bool(second)) for first, second in zip(layout.column(one), layout.column(other), strict=True)
        ]
        if filled.count((True, False)) + filled.count((False, True)) >= _MOST_OF_ONE * len(filled):
            customers_first = may_be_customers(layout.column(one), layout.column(other))
            user, agent = (one, other) if customers_first else (other, one)
            yield {"user_text": user, "agent_text": agent}


def _meant(time: str, **names: str) -> Meant:
    return {name: meaning for meaning, name in {**names, "time": time}.items() if name}


def _rank(ids: list[str], own: str) -> int:
    """The place of an id; none at all is the last resort."""
    return ids.index(own) if own else len(ids[:_TRIED]) + _TRIED


def _first_of(known: str | None, times: list[str], layout: Layout) -> str:
    """The time by its name, or else the one that changes most."""
    return known if known in times else max(times, key=lambda name: len(set(layout.column(name))), default="")


def _ranked(names: Mapping[str, object] | list[str], score: Callable[[str], float]) -> list[str]:
    scores = {name: score(name) for name in names}
    return sorted((name for name in scores if scores[name] > 0), key=scores.__getitem__, reverse=True)


def _is_empty(values: list[str]) -> bool:
    return not any(values)


def _like_text(values: list[str]) -> float:
    """The average length, more of it where values differ; a text that many rows lack is likely no message's."""
    filled = [value for value in values if value]
    if sum(map(is_prose, filled)) < _LEAST_PROSE * len(filled):
        return 0.0
    average = sum(map(len, filled)) / len(filled)
    return average * (0.2 + len(set(filled)) / len(filled)) * len(filled) / len(values)


def _like_speakers(name: str, layout: Layout, vocabulary: Vocabulary) -> float:
    """Likeness to a column of speakers: words for both sides, or few names that change within conversations."""
    values = layout.column(name)
    kinds = set(filter(None, values))
    filled = sum(map(bool, values))
    few = len(kinds) == 2 or 2 < len(kinds) <= min(_MOST_SPEAKERS, _MOST_NEW * filled)
    if not few or filled < _MOST_NAMED * len(values) or max(map(len, kinds)) > _LONGEST_NAME:
        return 0.0
    context = roles_in_context(values)
    sides = {context.get(value) or vocabulary.speaker(value) for value in kinds}
    known: set[Speaker] = {side for side in sides if side in ("user", "agent")}
    changes = sum(value != following for value, following in pairwise(values))
    if 2 < len(kinds) == changes + 1:  # each comes once, in a run of rows, as an id does
        return 0.0
    called = any(vocabulary.means(key, "role") for key in name.split("."))
    repeated = 1 - len(kinds) / len(values)
    return (
        3.0 * (len(known) == 2 and None not in sides) + len(known) + called + 2 * changes / (len(values) - 1) * repeated
    )


def _like_ids(name: str, values: list[str]) -> float:
    """Likeness to a conversation's id in rows of messages: runs of rows that share a value."""
    kinds = Counter(values)
    if not all(values) or max(map(len, kinds)) > 128 or len(values) / len(kinds) > _MOST_IN_A_CONVERSATION:
        return 0.0
    if len(values) / len(kinds) < 2:  # hardly two messages each: it is the message's own
        return 0.0
    called = is_conversations_name(normalized(name.rpartition(".")[2])) or Vocabulary().means(name, "conversation_id")
    together = sum(one == other for one, other in pairwise(values)) / len(values)
    return called + (0.2 + together if len(kinds) > 1 else 0.0)


def _like_own_ids(name: str, values: list[str]) -> float:
    """Likeness to the id of records that hold a conversation each: no two share a value."""
    if not all(values) or len(set(values)) < len(values) or max(map(len, values)) > 128 or _are_times(values):
        return 0.0
    last = normalized(name.rpartition(".")[2])
    called = is_conversations_name(last) or last.endswith(("id", "no", "nr", "号", "编号", "key"))
    return 1.0 + called + 2 * Vocabulary().means(last, "conversation_id") - 0.1 * name.count(".") - len(name) / 1_000


def _are_times(values: list[str]) -> bool:
    filled = list(filter(None, values))[:20]
    return bool(filled) and sum(map(_is_time, filled)) >= 0.9 * len(filled)


def _is_time(value: str) -> bool:
    """True for a date with a time of day, or an epoch; other numbers may be ids."""
    epoch = value[:1] in ("1", "2") and len(value) in (10, 13, 14) and value.isdecimal()
    return (epoch or not value.isdecimal()) and len(value) < 60 and _NO_ZONE.parse(value) is not None


_NO_ZONE: Final = TimestampParser(UTC)
