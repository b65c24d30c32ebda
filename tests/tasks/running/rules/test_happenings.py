"""Messages about a run: plain words, the day, and what to do."""

import pytest

from tasks.domain import errors
from tasks.running.rules import happenings
from tasks.running.rules.happenings import RunFacts

ENGINE = "Flow run encountered an exception: "


def run(message: str = "", state: str = "Failed", **parameters: object) -> RunFacts:
    return RunFacts("run-1", "summarize-2026-11-22", "state-1", state, message, "https://ui.example/1", parameters)


def test_failure_says_the_day_the_reason_and_what_to_do():
    told = happenings.failure(run(ENGINE + "TooManyRejects: 3 of 9 were rejected (2 empty)."))
    assert (told.level, told.day, told.link, told.about) == ("failure", "2026-11-22", "https://ui.example/1", "run-1")
    assert told.title == "summarize-2026-11-22: 拒绝过多 · too many rejects"
    assert told.text == "3 of 9 were rejected (2 empty)."
    assert "overwrite" in told.action
    assert "exception" not in f"{told.title}{told.text}{told.action}"


def test_damaged_table_is_not_to_be_run_into_again():
    told = happenings.failure(
        run(ENGINE + "TableDamaged: summaries/day=2026-11-21/summaries.parquet can't be read: x.")
    )
    assert told.title.endswith("数据表损坏 · table damaged")
    assert "remove it and run its day again" in told.action


def kinds(of: type[Exception]) -> set[str]:
    """The names of an error's kinds; those of other modules, where one is imported, end no run."""
    own = [kind for kind in of.__subclasses__() if kind.__module__ == errors.__name__]
    return {of.__name__} | {name for kind in own for name in kinds(kind)}


# Groups of others, which no run fails by; what a run is asked again for at once; a ceiling, by which none fails.
WITHOUT_WORDS = {"RunError", "StoreError", "PlatformError", "EndpointUnusable"} | {
    "RunStopped",
    "PreconditionFailed",
    "CeilingReached",
}


@pytest.mark.parametrize("error", sorted(kinds(errors.RunError) - WITHOUT_WORDS))
def test_each_error_of_ours_has_words_and_an_advice_of_its_own(error):
    told, unknown = (happenings.failure(run(f"{ENGINE}{name}: so it was.")) for name in (error, "KeyError"))
    assert told.title != unknown.title
    assert told.action != unknown.action
    assert told.text == "so it was."


@pytest.mark.parametrize("message", ["", ENGINE + "KeyError: 'x'", "Process exited with status code: 137."])
def test_failure_that_nobody_knows_still_says_what_to_do(message):
    told = happenings.failure(run(message, "Crashed"))
    assert "crashed" in told.title
    assert told.text
    assert told.action.startswith("Run it again")


def test_recovery_is_about_what_failed_and_is_no_repeat_of_it():
    told = run(ENGINE + "NoLogs: none.")
    failed, well = happenings.failure(told), happenings.recovered(told)
    assert failed.about == well.about
    assert failed.id != well.id
    assert well.level == "good"


def test_day_of_a_backfill_is_its_span():
    assert run(start="2026-11-01", end="2026-11-03").day == "2026-11-01 – 2026-11-03"
    assert run(day="2026-11-20").day == "2026-11-20"
