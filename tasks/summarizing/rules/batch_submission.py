"""Offline batch inference, the platform's own engine: prompts in BOS become answers in BOS, some time within a day.

A submission is the ledger of what was asked of it for a day, kept in the warehouse. It names its tasks before they are
created, so that one whose creation was never answered is found again and not paid for twice.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import orjson

from tasks.domain.ports import Phase
from tasks.domain.records import Reply, Request

# The platform takes 100 files and 300 MB a task, and works on a task's files at the same time.
FILE_BYTES: Final = 16 << 20

FILES_IN_A_TASK: Final = 16

_HASH_LETTERS = 32

_TEXT_NAMES = ("answer", "result", "response", "output", "llm_output", "content")


@dataclass(frozen=True, slots=True)
class Task:
    """One task of a submission: its id once it was created, and how it stands as far as is known."""

    name: str
    requests: int
    task_id: str = ""
    phase: Phase = "running"


@dataclass(frozen=True, slots=True)
class Submission:
    """A day's tasks on the platform. `left_out` counts the requests without an answer, once the answers were read."""

    tasks: Sequence[Task]
    left_out: int | None = None

    def encode(self) -> bytes:
        """The object's bytes."""
        return orjson.dumps(self)

    @property
    def under_way(self) -> bool:
        """True if there is nothing to do but wait."""
        running = any(task.phase == "running" for task in self.tasks)
        return self.left_out is None and running and all(task.task_id for task in self.tasks)

    @property
    def ended(self) -> bool:
        """True if every task has ended, well or not."""
        return all(task.phase != "running" for task in self.tasks)

    def with_task(self, changed: Task) -> "Submission":
        """The submission with one task changed, the one of the same name."""
        return replace(self, tasks=[changed if task.name == changed.name else task for task in self.tasks])


def decode_submission(data: bytes) -> Submission:
    """The submission of an object."""
    values = orjson.loads(data)
    return Submission([Task(**task) for task in values["tasks"]], values["left_out"])


def task_name(mark: str, number: int) -> str:
    """The name of a task; `mark` is its submission's own, of ten letters. The platform takes 2 to 20 characters."""
    return f"kefu-{mark}-{number:03}"


def encode_prompt(request: Request) -> bytes:
    """One line of a task's input. Its id holds everything that storing the answer needs."""
    return orjson.dumps(
        {"id": request.request_hash + request.content_hash, "query": request.prompt}, option=orjson.OPT_APPEND_NEWLINE
    )


@dataclass(frozen=True, slots=True)
class BatchReply:
    """One line of a task's output."""

    request_hash: str
    content_hash: str
    reply: Reply


def decode_reply(line: bytes) -> BatchReply | None:
    """The reply in a line of output; None where it holds none, an error for example.

    The platform repeats the input's `id` and puts the answer beside it. Whether that is a text or a whole chat reply,
    and under which name, is not documented: any of the usual ones will do.
    """
    try:
        values = orjson.loads(line)
        name = values["id"]
        if len(name) != 2 * _HASH_LETTERS or values.get("error_code") or values.get("error"):
            return None
        body = next(values[name] for name in _TEXT_NAMES if values.get(name))
        reply = _reply(body if isinstance(body, dict) else {"result": body}, values)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, StopIteration):
        return None
    return BatchReply(name[:_HASH_LETTERS], name[_HASH_LETTERS:], reply) if reply else None


def _reply(body: Mapping[str, Any], line: Mapping[str, Any]) -> Reply | None:
    body = body.get("body") or body
    if body.get("error_code") or body.get("error"):
        return None
    choice = body["choices"][0] if "choices" in body else {}
    text = choice["message"]["content"] if choice else body.get("result")
    if not text or not isinstance(text, str):
        return None
    usage = body.get("usage") or line.get("usage") or {}
    finish = choice.get("finish_reason") or body.get("finish_reason")
    return Reply(
        text,
        int(usage.get("prompt_tokens") or 0),
        int(usage.get("completion_tokens") or 0),
        cut_off=bool(body.get("is_truncated")) or finish == "length",
        refused=bool(body.get("need_clear_history")) or finish == "content_filter",
    )
