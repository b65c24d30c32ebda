"""Score a file of predictions; needs no server."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

from tasks.domain.errors import UsageError
from tasks.evaluating.evaluation import as_figures, as_json
from tasks.evaluating.rules.comparison import RowFigures
from tasks.evaluating.rules.predictions import Pair, paired, read_pairs
from tasks.evaluating.rules.scoring import Cut, RowScores, cut_characters, score_row, score_rows

_LONGEST_LINE = 64 * 1024 * 1024


def pairs_of_file(path: Path) -> Iterator[Pair]:
    """The pairs of a file, one at a time."""
    with _pairs_of(path) as pairs:
        yield from pairs


def score_file(
    predictions: Path, *, per_row: Path | None = None, baseline: Path | None = None, characters: bool = False
) -> dict[str, Any]:
    """The figures of a file of predictions, flat, as `--json` prints them.

    Args:
        predictions: JSON lines of `{"prediction": …, "reference": …}`.
        per_row: where to write every row's figures, as JSON lines.
        baseline: another model's predictions of the same rows; adds `comparison`, predictions against baseline.
        characters: texts are compared by characters, as papers do, not by words as the platform does.

    Raises:
        UsageError: a file can't be read or written, or a line of it is not what it should be.
    """
    if per_row is not None and any(per_row.resolve() == path.resolve() for path in (predictions, baseline) if path):
        raise UsageError(f"--per-row {per_row} is one of the files to read; name another one.")
    candidate, current = RowFigures(), RowFigures()
    cut = cut_characters if characters else None
    with _pairs_of(predictions) as pairs, _row_writer(per_row) as write:
        if baseline is None:
            return as_figures(score_rows(pairs, write, cut))
        with _pairs_of(baseline) as others:

            def each(row: RowScores) -> None:
                write(row)
                candidate.add(row)

            scores = score_rows(_scored_beside(others, pairs, current.add, cut), each, cut)
    return {**as_figures(scores), "comparison": as_json(current, candidate)}


def _scored_beside(
    baseline: Iterator[Pair], pairs: Iterator[Pair], add: Callable[[RowScores], None], cut: Cut | None
) -> Iterator[Pair]:
    """The pairs, while the baseline's row of each is scored in passing."""
    for other, pair in paired(baseline, pairs):
        add(score_row(*other, cut))
        yield pair


@contextmanager
def _pairs_of(path: Path) -> Iterator[Iterator[Pair]]:
    try:
        file = path.open("rb")
    except OSError as error:
        raise UsageError(f"{path} can't be read: {error.strerror}.") from None
    with file:

        def lines() -> Iterator[bytes]:
            number = 0
            while line := file.readline(_LONGEST_LINE):
                number += 1
                if len(line) == _LONGEST_LINE:
                    raise UsageError(f"{path}, line {number}: longer than {_LONGEST_LINE // 1024**2} MiB.")
                yield line

        try:
            yield read_pairs(lines(), str(path))
        except OSError as error:
            raise UsageError(f"{path} can't be read: {error.strerror}.") from None


@contextmanager
def _row_writer(path: Path | None) -> Iterator[Callable[[RowScores], None]]:
    """Yield a writer of each row's figures; the file appears, whole, once all are written."""
    if path is None:
        yield lambda row: None
        return
    unfinished = path.with_name(f".{path.name}.unfinished")
    row_number = 0
    try:
        with unfinished.open("wb") as file:

            def write(row: RowScores) -> None:
                nonlocal row_number
                row_number += 1
                line = {"row": row_number, **row.figures()}
                file.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))

            yield write
        unfinished.replace(path)
    except OSError as error:
        raise UsageError(f"--per-row {path} can't be written: {error.strerror}.") from None
    finally:
        unfinished.unlink(missing_ok=True)
