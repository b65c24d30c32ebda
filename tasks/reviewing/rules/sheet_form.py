"""The form of a sheet that people fill in."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class SheetForm:
    """The columns of a sheet, and what people do with them.

    Args:
        number: the column that names the row, which is read back unchanged.
        columns: all of them, in order.
        to_fill_in: those that people fill in; they and the number are read back.
        choices: the words to choose from, of the columns that have any.
        instructions: the lines of the second sheet.
        widths: in characters, where they are not 24.
    """

    number: str
    columns: tuple[str, ...]
    to_fill_in: tuple[str, ...]
    choices: Mapping[str, tuple[str, ...]]
    instructions: tuple[str, ...]
    widths: Mapping[str, int] = field(default_factory=dict)
