"""A batch's pure work, done in whichever process has time: from what was read to requests, and from answers to rows."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from tasks.calling.rules.offline.summary import answer_by_rules
from tasks.domain.records import Answer, GivenUp, Reject, Request, Summarized
from tasks.parsing.rows import rows_or_rejects
from tasks.preparing.logged import Logged, Steps, prepare_logged
from tasks.warehouse.parts import BatchFiles, write_part
from tasks.warehouse.rules.tables import AssignThemes, reject_rows, summary_rows


class Kept(dict[int, list[Request | Reject]]):
    """The requests and rejects that a process has prepared, by batch; pickled for another process, it is empty."""

    def __reduce__(self) -> tuple[type["Kept"], tuple[()]]:
        return Kept, ()


@dataclass(frozen=True, slots=True)
class BatchTools:
    """The things that every batch of a run needs.

    Args:
        steps: from what is logged to requests.
        run_id: the run, named in each row.
        folder: the run's scratch folder.
        assign: texts to the ids of their themes.
        prompt_version: what the rules' answers name as their prompt.
        max_tokens: what they name as their limit.
        kept: what was prepared in this process and waits for its answers, by batch.
    """

    steps: Steps
    run_id: str
    folder: Path
    assign: AssignThemes | None = None
    prompt_version: str = ""
    max_tokens: int = 0
    kept: Kept = field(default_factory=Kept)


def prepare_batch(tools: BatchTools, logged: Sequence[Logged]) -> list[Request | Reject]:
    """Return a request or a reject for everything that was read."""
    return prepare_logged(tools.steps, logged)


def prepare_and_keep(tools: BatchTools, number: int, logged: Sequence[Logged]) -> list[Request | Reject]:
    """Return what a batch's calls need; the conversations and their texts wait here for `write_kept`."""
    prepared = tools.kept[number] = prepare_logged(tools.steps, logged)
    return [_to_send(outcome) if isinstance(outcome, Request) else outcome for outcome in prepared]


def _to_send(request: Request) -> Request:
    conversation = replace(request.conversation, turns=(), attributes={})
    return replace(request, conversation=conversation, turns=(), text="")


def write_kept(tools: BatchTools, number: int, answers: Sequence[Answer | GivenUp]) -> BatchFiles | None:
    """Put the rows of a batch that was kept here into scratch; None where its process died, and nothing was kept."""
    prepared = tools.kept.pop(number, None)
    return None if prepared is None else _write(tools, number, prepared, answers)


def write_anew(
    tools: BatchTools, number: int, logged: Sequence[Logged], answers: Sequence[Answer | GivenUp]
) -> BatchFiles:
    """Put the rows of a batch into scratch that is prepared once more."""
    return _write(tools, number, prepare_logged(tools.steps, logged), answers)


def _write(
    tools: BatchTools, number: int, prepared: Sequence[Request | Reject], answers: Sequence[Answer | GivenUp]
) -> BatchFiles:
    requests = [outcome for outcome in prepared if isinstance(outcome, Request)]
    rejects = [outcome for outcome in prepared if isinstance(outcome, Reject)]
    return write_batch(tools, number, requests, answers, rejects)


def summarize_by_rules(tools: BatchTools, number: int, logged: Sequence[Logged]) -> BatchFiles:
    """Put the rows of what was read into scratch, answered by rules: nothing of it has to leave this process."""
    prepared = prepare_logged(tools.steps, logged)
    requests = [outcome for outcome in prepared if isinstance(outcome, Request)]
    answers = [
        answer_by_rules(
            request,
            prompt_version=tools.prompt_version,
            max_tokens=tools.max_tokens,
            run_id=tools.run_id,
            answered_at=datetime.now(UTC),
        )
        for request in requests
    ]
    return _write(tools, number, prepared, answers)


def write_batch(
    tools: BatchTools,
    number: int,
    requests: Sequence[Request],
    answers: Sequence[Answer | GivenUp],
    rejects: Sequence[Reject],
) -> BatchFiles:
    """Put a batch's rows into scratch; every conversation of it is in exactly one place.

    Args:
        tools: of the run.
        number: of the batch.
        requests: what was asked.
        answers: one for each request, in their order.
        rejects: what was none of them before.
    """
    outcomes = rows_or_rejects(requests, answers)
    masked: Counter[str] = Counter()
    for request in requests:
        masked.update(request.replacements or {})
    return write_part(
        number,
        len(requests) + len(rejects),
        summary_rows([outcome for outcome in outcomes if isinstance(outcome, Summarized)], tools.assign),
        reject_rows([*rejects, *(outcome for outcome in outcomes if isinstance(outcome, Reject))], tools.run_id),
        tools.folder,
        masked,
    )
