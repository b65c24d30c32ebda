"""A command's end: its result on stdout, and last on stderr the sentence that explains its exit code."""

import weakref
from collections.abc import Callable, Coroutine
from typing import Any

import orjson
import pytest

from flows.wiring.commands import command_line
from tasks.domain.errors import AnswersUseless, KefuError, RunError
from tasks.warehouse.rules.day_tally import CEILING, DONE, TOO_MANY_REJECTS, USELESS, DayTally
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
    if as_json:
        told = orjson.loads(out)
        assert told["status"] == status
        assert sentence in told.get("message", "")
    else:
        assert out == command_line.format_summary(made) + "\n"
    assert sentence in err
    assert err.count("\n") == bool(sentence)


@pytest.mark.parametrize("made", [None, tally(0, 0, status=USELESS)])
def test_a_run_whose_answers_are_useless_prints_an_object_where_json_is_asked_for(made, capsys):
    async def command() -> DayTally:
        raise AnswersUseless("sft: 20 of 20 answers are unparseable. Mend that.", made)

    assert command_line.run(None, command, command_line.format_summary, as_json=True) == 4
    out, err = capsys.readouterr()
    told = orjson.loads(out)
    assert (told["status"], told["message"]) == (USELESS, "sft: 20 of 20 answers are unparseable. Mend that.")
    assert made is None or told == {**made.as_json(), "message": told["message"]}
    assert out.count("\n") == err.count("\n") == 1

    assert command_line.run(None, command, command_line.format_summary) == 4
    assert capsys.readouterr().out == ""


def test_run_lets_go_of_what_a_failed_command_held(capsys):
    class Connection: ...

    held: list[weakref.ref[Connection]] = []
    errors: list[KefuError] = []

    async def command():
        connection = Connection()
        held.append(weakref.ref(connection))
        try:
            raise RunError("The warehouse has no tables.")
        except RunError as error:
            errors.append(error)  # as Prefect does
            raise

    assert command_line.run(None, command, str) == 1
    assert capsys.readouterr().err == "kefu-digest: The warehouse has no tables.\n"
    assert errors
    assert held[0]() is None
