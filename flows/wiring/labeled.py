"""which labeled conversations a flow means."""

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from uuid import uuid4

from prefect import get_run_logger

from flows.wiring.services import open_source, open_warehouse, scratch_parent
from flows.wiring.settings import Settings
from flows.wiring.steps import log_reader
from tasks.domain.days import days_between
from tasks.domain.errors import NoLogs, UsageError
from tasks.reading.log_objects import list_logs
from tasks.reviewing.label_store import find_labeled, load_labels, read_label_file
from tasks.reviewing.rules.holdout import is_held_out
from tasks.reviewing.rules.labels import Label, LabeledExample, take
from tasks.running.scratch import scratch_folder


def labeled_conversations(
    config: Settings,
    start: date | None,
    end: date | None,
    labels: str,
    limit: int = 0,
    *,
    held_out: bool = False,
) -> list[LabeledExample]:
    """The labeled conversations to measure on, from the warehouse or from a file and the logs.

    Raises:
        UsageError: there are none, or the file is wrong.
    """
    found = _conversations_of(config, start, end, labels) if labels else load_labels(open_warehouse(config), start, end)
    if held_out:
        labeled = len(found)
        found = [one for one in found if is_held_out(one.content_hash)]
        if not found:
            raise UsageError(f"None of {labeled} labeled conversations is held out from training: review more.")
    return take(found, limit)


def check_labels(labels: str, start: date | None, end: date | None) -> tuple[dict[str, Label], Iterable[date]]:
    """A file of labels and the days of its conversations; nothing and none where no file is named.

    Raises:
        UsageError: a day is not named, or the file is wrong.
    """
    if not labels:
        return {}, ()
    if start is None or end is None:
        raise UsageError("--labels needs --start and --end: the days whose logs hold the labeled conversations.")
    return read_label_file(Path(labels)), days_between(start, end)


def _conversations_of(config: Settings, start: date | None, end: date | None, labels: str) -> list[LabeledExample]:
    found: list[LabeledExample] = []
    known, days = check_labels(labels, start, end)
    for day in days:
        store, name = open_source(config, day)
        try:
            logs = list_logs(store, name)
        except NoLogs:
            continue
        with scratch_folder(scratch_parent(config), f"labels-{uuid4()}") as scratch:
            found += find_labeled(day, known, store, logs, log_reader(config, scratch))
    if not found:
        raise UsageError(
            f"None of the {len(known)} labels of {labels} has a conversation in the logs of {start}…{end}."
        )
    if len(found) < len(known):
        get_run_logger().warning(
            "%d of %d labels have no conversation in the logs.", len(known) - len(found), len(known)
        )
    return found
