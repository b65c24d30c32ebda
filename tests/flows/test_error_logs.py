"""The log of a failed run: one sentence where the error is ours, a traceback where nobody expected it."""

import asyncio
import logging
from datetime import date

import pytest
from prefect import flow

from flows.summarize_day import summarize_day
from tasks.domain.errors import AccountingError, AllowanceUsedUp

pytestmark = pytest.mark.usefixtures("prefect_server")

DAY = date(2026, 11, 22)


def errors(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    return [record for record in caplog.records if record.levelno >= logging.ERROR]


def test_an_error_of_ours_is_a_sentence_without_a_traceback(asked_day, qianfan, caplog):
    qianfan.behavior.status = 402
    with pytest.raises(AllowanceUsedUp):
        asyncio.run(summarize_day(DAY, asked_day))
    told = errors(caplog)
    assert [record.name for record in told] == ["prefect.task_runs", "prefect.flow_runs"]
    assert all("AllowanceUsedUp" in record.getMessage() for record in told)
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize("error", [AccountingError("1 is lost"), ValueError("unforeseen")])
def test_an_error_that_nobody_expects_has_its_traceback(caplog, error):
    @flow
    def mistaken():
        raise error

    with pytest.raises(type(error)):
        mistaken()
    assert "Traceback" in caplog.text
