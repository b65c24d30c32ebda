"""Files of predictions: JSON lines of `{"prediction": …, "reference": …}`, whatever else a line holds left alone."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import orjson

from tasks.domain.errors import UsageError

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"

_NAMES = ("prediction", "reference")


class Pair(NamedTuple):
    """A model's answer and the right answer, both as raw text."""

    prediction: str
    reference: str


def read_pairs(lines: Iterable[bytes], name: str) -> Iterator[Pair]:
    """The pairs of a file, one at a time; blank lines are left out.

    Args:
        lines: the file's lines.
        name: what messages call the file.

    Raises:
        UsageError: a line that is no pair, by its number; or there is no pair at all.
    """
    pairs = 0
    for number, line in enumerate(lines, 1):
        content = line.removeprefix(_BYTE_ORDER_MARK) if number == 1 else line
        if not content.isspace() and content:
            pairs += 1
            yield _pair(content, f"{name}, line {number}")
    if not pairs:
        raise UsageError(f'{name} holds no line of {{"prediction": …, "reference": …}}.')


def paired(current: Iterable[Pair], candidate: Iterable[Pair]) -> Iterator[tuple[Pair, Pair]]:
    """Two models' pairs of the same rows, side by side.

    Raises:
        UsageError: the rows are not the same: another number of them, or another reference.
    """
    nothing = object()
    others = iter(candidate)
    number = 0
    for number, prediction in enumerate(current, 1):
        other = next(others, nothing)
        if not isinstance(other, Pair):
            raise UsageError(f"The baseline has more rows than the {number - 1} predictions; both need the same rows.")
        if prediction.reference != other.reference:
            raise UsageError(
                f"Row {number}: the baseline's reference is another one; both files need the same rows, in one order."
            )
        yield prediction, other
    if next(others, nothing) is not nothing:
        raise UsageError(f"The baseline has only {number} rows; both files need the same rows, in one order.")


def _pair(line: bytes, where: str) -> Pair:
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise UsageError(f"{where}: not JSON ({error}).") from None
    if not isinstance(value, dict):
        raise UsageError(f'{where}: not an object of the form {{"prediction": …, "reference": …}}.')
    for name in _NAMES:
        if name not in value:
            raise UsageError(f'{where}: there is no "{name}".')
        if not isinstance(value[name], str):
            raise UsageError(
                f'{where}: "{name}" is not a text; write the answer as the model gave it, "" where it gave none.'
            )
    return Pair(value["prediction"], value["reference"])
