"""Details of rejects: why a record, a message or a transcript can't be read."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from tasks.reading.rules.context import LogContext
from tasks.reading.rules.vocabulary import Shape

TRY_LOGS: Final = "python -m flows.try_logs shows one that reads the file, where there is one"

_STRANGERS_KEPT: Final = 200


def strangers_in(strangers: Mapping[str, int], log: LogContext) -> str:
    """The detail of a reject for a transcript in which somebody speaks whom nobody introduced."""
    if len(log.strangers) < _STRANGERS_KEPT:
        log.strangers.update(strangers)
    messages = sum(strangers.values())
    who = "a name that nobody knows begins" if len(strangers) == 1 else f"{len(strangers)} unknown names begin"
    return f"{who} {messages} of its messages; a mapping says under roles whose side a name is on"


def neither(shape: Shape | None) -> str:
    """The detail for a record that is nothing readable: what of a message its keys lack."""
    if shape is None:
        return "neither a conversation nor a message"
    missing = [
        name
        for name, found in (
            ("a speaker", shape.speaks),
            ("a text", shape.text),
            ("a conversation id", shape.conversation_id),
        )
        if not found
    ]
    lacks = " and no ".join(missing)
    return f"neither a conversation nor a message: no messages, no transcript, and of a message's keys no {lacks}"


def no_label(what: str, names: Iterable[str] = ()) -> str:
    """The detail for a text without labels, and where it may be one message, for the names beside it."""
    others = ", ".join(str(name)[:24] for name in [*names][:8])
    found = f"{what} has no speaker's label, such as 用户："
    return f"{found}, and no name known for a speaker is among {others}; a mapping can name one" if others else found


def any_speaks(messages: list[Any], shape_of: Any) -> bool:
    """True where any message names a speaker."""
    return any(shape_of(tuple(message)).speaks for message in messages if isinstance(message, dict))


def names_of(record: Any) -> str:
    """The first keys of a message, to be named."""
    names = [str(name)[:24] for name in record][:8] if isinstance(record, dict) else []
    return ", ".join(names)
