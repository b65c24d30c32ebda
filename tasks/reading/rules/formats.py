"""Log formats as data: the built-in ones' names, and the mappings that add more."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from tasks.domain.errors import UsageError
from tasks.domain.toml_text import parse_toml
from tasks.reading.rules.correspondence import WORKED_OUT, Between
from tasks.reading.rules.speakers import Speaker
from tasks.reading.rules.vocabulary import MEANINGS, MEASURED, Vocabulary, normalized

JSON_FORMATS: Final = ("jsonl-conversations", "jsonl-messages", "jsonl-transcripts", "jsonl-sft")

BUILT_IN_FORMATS: Final = ("auto", *JSON_FORMATS, "csv", "tsv", "transcript")

_SPEAKERS: Final = ("user", "agent", "system")

_FILE_LIMIT_BYTES: Final = 1 << 20

_MOST: Final = 500


@dataclass(frozen=True, slots=True)
class Comparison:
    """A side told by two names of one record (or of a message and its conversation): equal values mean `side`."""

    left: str
    right: str
    side: Speaker
    otherwise: Speaker


@dataclass(frozen=True, slots=True)
class People:
    """Sides told by a list of people: a message's `of` is the `id` of one, whose `role` says the side."""

    members: str
    id: str
    role: str
    of: str


@dataclass(frozen=True, slots=False)
class LogMapping:
    """A log format as configuration; mappings/jddc.toml explains the fields."""

    columns: tuple[str, ...] | Mapping[str, str]
    delimiter: str = "\t"
    quoted: bool = True
    roles: Mapping[str, Speaker] = field(default_factory=dict)
    match: tuple[str, ...] = ()
    skip: Mapping[str, frozenset[str]] = field(default_factory=dict)
    side: Comparison | None = None
    people: People | None = None
    between: Between | None = None
    first: str = ""
    times: tuple[str, ...] = ()
    sheet: str = ""
    skip_lines: int = 0
    one_conversation: bool = False
    source: str = ""
    unconfirmed: tuple[str, ...] = ()

    @property
    def renames(self) -> Mapping[str, str]:
        """Names in the log and what they mean; none where columns are told by their places."""
        return self.columns if isinstance(self.columns, Mapping) else {}

    @property
    def measured(self) -> dict[str, str]:
        """Normalized names of attributes that it calls the agent or the customer's rating, with that name."""
        return {normalized(name): meaning for name, meaning in self.renames.items() if meaning in MEASURED}

    def vocabulary(self) -> Vocabulary:
        """The names and roles of this mapping over the usual ones."""
        return Vocabulary({**self.renames, **WORKED_OUT} if self.between else self.renames, self.roles)

    def fits(self, names: Collection[str]) -> bool:
        """True where a header or a record has every name that this mapping is told by."""
        return bool(self.told_by) and self.told_by <= {normalized(name) for name in names}

    @cached_property
    def told_by(self) -> frozenset[str]:
        """The normalized names that tell a log of its kind."""
        return frozenset(map(normalized, self.match or self.renames))


_STRINGS: Final = "a list of texts"


def load_mappings(path: Path | None = None) -> dict[str, LogMapping]:
    """The built-in mappings, and before them those of a TOML file.

    Raises:
        UsageError: the file can't be read, or says something that no mapping can.
    """
    if path is None:
        return BUILT_IN
    own = _read_mappings(path)
    return {**own, **{name: mapping for name, mapping in BUILT_IN.items() if name not in own}}


def mapping_of_text(name: str, text: str) -> LogMapping:
    """The mapping of this name in a TOML text.

    Raises:
        UsageError: it is no TOML.
        ValueError: it says something that no mapping can.
    """
    return _mapping(name, parse_toml(text, name)[name])


def log_formats(mappings: Mapping[str, LogMapping] | None = None) -> list[str]:
    """The names that a log format may be given by: `auto`, the built-in ones, the mappings'."""
    return [*BUILT_IN_FORMATS, *sorted(BUILT_IN if mappings is None else mappings)]


def check_log_format(name: str, mappings: Mapping[str, LogMapping]) -> None:
    """Find out whether there is a log format of this name.

    Raises:
        UsageError: there is none.
    """
    names = log_formats(mappings)
    if name not in names:
        raise UsageError(f"There is no log format {name!r}; there are {', '.join(names)}.")


def _read_mappings(path: Path) -> dict[str, LogMapping]:
    try:
        if path.stat().st_size > _FILE_LIMIT_BYTES:
            raise UsageError(f"The mappings in {path} are over {_FILE_LIMIT_BYTES >> 20} MB: no mapping is that long.")
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UsageError(f"The mappings in {path} can't be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is no TOML file: {error}.") from None
    tables = parse_toml(text, str(path))
    mappings = {}
    for name, table in tables.items():
        try:
            mappings[name] = _mapping(name, table)
        except ValueError as error:
            raise UsageError(f"{path}, mapping {name!r}: {error}.") from error
    return mappings


_SETTINGS: Final = (
    "columns", "delimiter", "quoted", "roles", "match", "messages", "first", "people", "between", "user_if", "agent_if",
    "skip", "times", "sheet", "skip_lines", "one_conversation",
    "source", "unconfirmed",
)  # fmt: skip


# Settings that say something of a log without its columns.
_ENOUGH_ALONE: Final = frozenset(
    ["roles", "between", "times", "skip", "user_if", "agent_if", "sheet", "skip_lines", "one_conversation"]
)


def _mapping(name: str, table: Any) -> LogMapping:
    if name in BUILT_IN_FORMATS:
        raise ValueError("this name belongs to a built-in format; choose another")
    if not isinstance(table, dict):
        raise ValueError(f"it must be a table, [{name}]")
    if unknown := sorted(table.keys() - set(_SETTINGS)):
        raise ValueError(f"unknown setting {unknown[0]!r}; there are {', '.join(_SETTINGS)}")
    return LogMapping(
        columns=_columns(table),
        delimiter=_checked(table, "delimiter", "\t", _is_delimiter, "one character"),
        quoted=_checked(table, "quoted", True, _is_flag, "true or false"),
        roles=_checked(table, "roles", {}, _are_roles, "user, agent or system for each value, as in {staff = 'agent'}"),
        match=tuple(_checked(table, "match", [], _are_texts, _STRINGS)),
        skip={
            key: frozenset(str(value).lower() for value in (values if isinstance(values, list) else [values]))
            for key, values in _checked(table, "skip", {}, _is_table, "a table, {private = ['true']}").items()
        },
        side=_comparison(table),
        people=_people(table),
        between=_between(table),
        first=_checked(table, "first", "", lambda value: isinstance(value, str), "the name of the first message"),
        times=tuple(_checked(table, "times", [], _are_texts, f"{_STRINGS}, as in ['%d.%m.%Y %H:%M']")),
        sheet=_checked(table, "sheet", "", lambda value: isinstance(value, str), "a sheet's name"),
        skip_lines=_checked(
            table, "skip_lines", 0, lambda value: type(value) is int and 0 <= value < 1000, "a number of lines"
        ),
        one_conversation=_checked(table, "one_conversation", False, _is_flag, "true or false"),
        source=_checked(table, "source", "", lambda value: isinstance(value, str), "an address"),
        unconfirmed=tuple(_checked(table, "unconfirmed", [], _are_texts, _STRINGS)),
    )


def _checked(table: Mapping[str, Any], name: str, default: Any, is_right: Callable[[Any], bool], wanted: str) -> Any:
    value = table.get(name, default)
    if not is_right(value):
        raise ValueError(f"{name} must be {wanted}")
    return value


def _is_delimiter(value: Any) -> bool:
    return isinstance(value, str) and len(value) == 1 and value not in '\r\n"'


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _are_roles(value: Any) -> bool:
    return isinstance(value, dict) and all(side in _SPEAKERS for side in value.values())


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and len(value) <= _MOST and all(isinstance(item, str) and item for item in value)


def _is_table(value: Any) -> bool:
    return isinstance(value, dict)


def _columns(table: Mapping[str, Any]) -> tuple[str, ...] | dict[str, str]:
    columns, messages = table.get("columns"), table.get("messages", "")
    if not isinstance(messages, str):
        raise ValueError("messages must be the name of the list of messages")
    if isinstance(columns, list) and columns and _are_texts([column or "-" for column in columns]):
        named = [column for column in columns if column]
        if repeated := sorted({column for column in named if named.count(column) > 1}):
            raise ValueError(f"columns names {repeated[0]!r} twice")
        needed = ("role", "text") if table.get("one_conversation") else ("conversation_id", "role", "text")
        if missing := [meaning for meaning in needed if meaning not in named]:
            raise ValueError(f"columns lacks {missing[0]!r}")
        return tuple(columns)
    nested = {messages: "messages"} if messages else {}
    if columns is None and (nested or set(table) & _ENOUGH_ALONE):
        return nested
    if (
        isinstance(columns, dict)
        and 0 < len(columns) <= _MOST
        and all(value in ("", *MEANINGS, *MEASURED) for value in columns.values())
    ):
        return {**columns, **nested}
    meanings = ", ".join((*MEANINGS, *MEASURED))
    raise ValueError(f"columns must be a list of names, or a table of names in the log = one of {meanings}")


def _people(table: Mapping[str, Any]) -> People | None:
    people = table.get("people")
    if people is None:
        return None
    if not isinstance(people, dict) or people.keys() != {"list", "id", "role", "of"}:
        raise ValueError("people must be a table as in {list = 'users', id = 'id', role = 'type', of = 'author_id'}")
    return People(str(people["list"]), str(people["id"]), str(people["role"]), str(people["of"]))


def _between(table: Mapping[str, Any]) -> Between | None:
    between = table.get("between")
    if between is None:
        return None
    names = {"sender", "receiver"}
    if not isinstance(between, dict) or not names <= between.keys() or between.keys() - names - {"room"}:
        raise ValueError("between must be a table as in {sender = 'from', receiver = 'to'}, perhaps with a room")
    return Between(*(str(between.get(name, "")) for name in Between._fields))


def _comparison(table: Mapping[str, Any]) -> Comparison | None:
    for name, side, otherwise in (("user_if", "user", "agent"), ("agent_if", "agent", "user")):
        if name in table:
            parts = table[name].split("==") if isinstance(table[name], str) else []
            names = [part.strip() for part in parts]
            if len(names) != 2 or not all(names):
                raise ValueError(f"{name} must compare two names, as in 'author_id == requester_id'")
            return Comparison(names[0], names[1], side, otherwise)  # type: ignore[arg-type]
    return None


def _built_in(paths: Iterable[Path]) -> dict[str, LogMapping]:
    return {name: mapping for path in sorted(paths) for name, mapping in _read_mappings(path).items()}


BUILT_IN: Final = _built_in((Path(__file__).parents[1] / "mappings").glob("*.toml"))
