"""Looking at logs without a call."""

import tempfile
from datetime import date
from pathlib import Path

from flows.wiring.settings import Settings
from flows.wiring.steps import log_reader
from tasks.domain.ports import ObjectStore
from tasks.reading.conversations import log_objects
from tasks.reading.log_objects import list_logs
from tasks.reading.survey import LogSurvey, survey_logs


def survey_place(place: tuple[ObjectStore, str], config: Settings, day: date | None = None) -> LogSurvey:
    """Survey the logs in a store, under a name, of one day or of all: the detected format of each file.

    Raises:
        UsageError: there is no such format, or the mappings are wrong.
        NoLogs: there is nothing there.
    """
    store, name = place
    with tempfile.TemporaryDirectory(prefix="kefu-digest-", dir=config.scratch or None) as scratch:
        reader = log_reader(config, Path(scratch), day)
        return survey_logs(log_objects(store, list_logs(store, name)), reader, config.limit)
