"""Looking at logs without a call."""

import tempfile
from datetime import date
from pathlib import Path

from flows.wiring.services import open_logs
from flows.wiring.settings import Settings
from flows.wiring.steps import log_reader
from tasks.reading.conversations import log_objects
from tasks.reading.log_objects import list_logs
from tasks.reading.survey import LogSurvey, survey_logs


def survey_place(path: str, config: Settings, day: date | None = None) -> LogSurvey:
    """Survey the logs at an address, of one day or of all: the detected format of each file.

    Raises:
        UsageError: there is no such format, or the mappings are wrong.
        NoLogs: there is nothing there.
    """
    store, name = open_logs(path, config)
    with tempfile.TemporaryDirectory(prefix="kefu-digest-", dir=config.scratch or None) as scratch:
        reader = log_reader(config, Path(scratch), day)
        return survey_logs(log_objects(store, list_logs(store, name)), reader, config.limit)
