"""A command's end: its result on stdout, and last on stderr the sentence that explains its exit code."""

from collections.abc import Callable, Coroutine
from typing import Any

import orjson
import pytest

from flows.wiring import command_line
from tasks.warehouse.rules.day_tally import CEILING, DONE, TOO_MANY_REJECTS, DayTally
from tests.builders.tallies import tally


def ending_with(made: DayTally) -> Callable[[], Coroutine[Any, Any, DayTally]]:
    async def command() -> DayTally:
        return made.raise_if_too_many_rejects(0.2, [("unreadable", 40)])

    return command


@pytest.mark.parametrize(
    ("status", "code", "sentence"),
    [
        (DONE, 0, ""),
        (TOO_MANY_REJECTS, 3, "were rejected (40 unreadable)"),
        (CEILING, 5, "The ceiling of this run is reached"),
    ],
)
@pytest.mark.parametrize("as_json", [False, True])
def test_run_prints_the_result_and_explains_its_exit_code(status, code, sentence, as_json, capsys):
    made = tally(1, 40, status=status)
    assert command_line.run(None, ending_with(made), command_line.format_summary, as_json=as_json) == code
    out, err = capsys.readouterr()
    assert orjson.loads(out)["status"] == status if as_json else out == command_line.format_summary(made) + "\n"
    assert sentence in err
    assert err.count("\n") == bool(sentence)
