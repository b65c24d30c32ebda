"""Labeled conversations that a flow means: the warehouse's, a file's with the logs, or SFT rows and datasets."""

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from uuid import uuid4

from prefect import get_run_logger

from flows.wiring.services import open_platform, open_source, open_warehouse, scratch_parent
from flows.wiring.settings import Settings
from flows.wiring.steps import log_reader, preparing
from tasks.domain.days import days_between
from tasks.domain.errors import NoLogs, UsageError
from tasks.domain.records import Conversation, Turn
from tasks.preparing.prompts import load_prompt
from tasks.reading.log_objects import list_logs
from tasks.reading.rules.transcripts.dialogues import split_transcript
from tasks.reviewing.label_store import find_labeled, load_labels, read_label_file
from tasks.reviewing.rules.holdout import is_held_out
from tasks.reviewing.rules.labels import Label, LabeledExample, take
from tasks.running.scratch import scratch_folder
from tasks.tuning.rules.sft_rows import is_sft_line, read_sft_rows

_NO_DAY = date.min  # SFT rows have none


def labeled_conversations(
    config: Settings,
    start: date | None,
    end: date | None,
    labels: str,
    limit: int = 0,
    *,
    held_out: bool = False,
) -> list[LabeledExample]:
    """The labeled conversations to measure on: from the warehouse, from a file and the logs, or from SFT rows.

    Raises:
        UsageError: there are none, or the file is wrong.
    """
    if not labels:
        found = load_labels(open_warehouse(config), start, end)
    elif _holds_sft_rows(labels):
        found = labels_of_sft(config, Path(labels).read_bytes().splitlines(), labels)
    else:
        found = _conversations_of(config, start, end, labels)
    if held_out:
        labeled = len(found)
        found = [example for example in found if is_held_out(example.content_hash)]
        if not found:
            raise UsageError(f"None of {labeled} labeled conversations is held out from training: review more.")
    return take(found, limit)


def labels_of_sft(config: Settings, lines: Iterable[bytes], name: str) -> list[LabeledExample]:
    """SFT rows as labeled conversations, without those whose answer can't be read or that are no dialogue.

    Raises:
        UsageError: a line is no SFT row, or none is left.
    """
    prepare, found, rows = preparing(config), {}, 0
    for row in read_sft_rows(lines, name, load_prompt(config.prompt)):
        rows += 1
        label, conversation = row.label(), conversation_in(row.dialogue, f"{name}-{row.number}", name, row.number)
        if label is not None and conversation.turns:
            request = prepare(conversation)
            found[request.content_hash] = LabeledExample(_NO_DAY, request, label)
    if not found:
        raise UsageError(f"None of the {rows} rows of {name} holds a dialogue and an answer that can be read.")
    return list(found.values())


def conversation_in(text: str, conversation_id: str, uri: str, line: int) -> Conversation:
    """The conversation of a dialogue in one text; it has no turns where the text is no dialogue."""
    said = split_transcript(text).utterances
    turns = tuple(Turn("agent" if turn.speaker == "agent" else "user", turn.text) for turn in said if turn.text)
    return Conversation(conversation_id, turns, uri, line)


async def fetched_labels(config: Settings, labels: str) -> str:
    """The file of the labels; a dataset of the platform (ds-…) is downloaded into one first."""
    if not labels.startswith("ds-"):
        return labels
    async with open_platform(config) as platform:
        entities = await platform.dataset_entities(labels)
    folder = scratch_parent(config) / "datasets"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{labels}.jsonl"
    path.write_bytes(b"\n".join(entity.replace(b"\n", b" ") for entity in entities))
    return str(path)


def _holds_sft_rows(labels: str) -> bool:
    try:
        with Path(labels).open("rb") as file:
            return is_sft_line(file.readline())
    except OSError:
        return False


def check_labels(labels: str, start: date | None, end: date | None) -> tuple[dict[str, Label], Iterable[date]]:
    """A file of labels and the days of its conversations; nothing and none where no file is named.

    Raises:
        UsageError: a day is not named, or the file is wrong.
    """
    if not labels or labels.startswith("ds-") or _holds_sft_rows(labels):
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
            found += find_labeled(day, known, store, logs, log_reader(config, scratch, day))
    if not found:
        raise UsageError(
            f"None of the {len(known)} labels of {labels} has a conversation in the logs of {start}…{end}."
        )
    if len(found) < len(known):
        get_run_logger().warning(
            "%d of %d labels have no conversation in the logs.", len(known) - len(found), len(known)
        )
    return found
