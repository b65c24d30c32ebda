"""A mapping as the text of a TOML file."""

from collections.abc import Mapping
from typing import Any, Final

import orjson

_MOST_ROLES: Final = 40

_GUESSED: Final = "# whose side each is on is a guess: check it"

_WHOLE_FILE: Final = "# the file names no conversation: all of it is taken for one"


def mapping_text(settings: Mapping[str, Any], columns: Mapping[str, str] | list[str], roles: Mapping[str, str]) -> str:
    """The text of a mapping.

    Args:
        settings: what it says beside its columns and its roles.
        columns: names and their meanings, or the meanings of columns in their order.
        roles: names and their sides; of many customers one `*` is written.
    """
    lines = ["[mine]"]
    if columns:
        lines.append(f"columns = {_value(columns)}")
    for setting, value in settings.items():
        if setting == "one_conversation":
            lines.append(_WHOLE_FILE)
        lines.append(f"{setting} = {_value(value)}")
    if roles:
        if len(roles) > _MOST_ROLES:
            roles = {**{name: side for name, side in roles.items() if side == "agent"}, "*": "user"}
        lines += [_GUESSED, f"roles = {_value(roles)}"]
    return "\n".join(lines) + "\n"


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{_quoted(name)} = {_value(kept)}' for name, kept in value.items())} }}"
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    return _quoted(value)


def _quoted(value: Any) -> str:
    return orjson.dumps(value).decode()
