"""Qianfan's offline batch inference on loopback, over a BOS server's bucket: tasks, their states, their output.

Time is the server's own: every look at an unfinished task moves it on. Fates are given per task, in the order of their
creation: done, partial (every third line is left out, every fourth an error), fail (after a third of the work), hang.
"""

from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiohttp import web

from tests.servers.bce_auth import verify
from tests.servers.bos import BosServer
from tests.servers.qianfan import ACCESS_KEY, SECRET_KEY
from tests.servers.qianfan_answers import answer_for, count_tokens
from tests.servers.threaded import ThreadedServer

PATH = "/v2/batchinference"


@dataclass
class Task:
    """One task as it was asked for."""

    task_id: str
    body: dict[str, Any]
    fate: str
    looks: int = 0
    status: str = "Queuing"


@dataclass
class Behavior:
    """Everything that can be changed at run time."""

    looks_needed: int = 2
    most_tasks: int = 20
    fates: deque[str] = field(default_factory=deque)
    shape: str = "answer"  # text, under this name; "chat": a whole reply of V1; "openai": one of V2
    mode: str = "clean"
    faults: deque[str] = field(default_factory=deque)  # of the next calls: http_500, reset_before, reset_after, ""


class BatchInferenceServer(ThreadedServer):
    """The server in its own thread: `with BatchInferenceServer(bos, chat_url) as server: server.url`."""

    def __init__(self, bos: BosServer, chat_url: str) -> None:
        super().__init__()
        self.bos = bos
        self.chat_url = chat_url
        self.behavior = Behavior()
        self.tasks: list[Task] = []
        self.bodies: list[dict[str, Any]] = []
        self.paid: Counter[str] = Counter()  # id of a line -> answers

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        url, raw = request.rel_url, await request.read()
        if request.path.startswith("/v2/chat/"):
            return await self._forward(request, raw, self.chat_url)
        wrong = verify(request.method, url.raw_path, url.raw_query_string, request.headers, ACCESS_KEY, SECRET_KEY)
        if wrong:
            return _json({"requestId": "1", "code": "AccessDenied", "message": wrong}, 403)
        if request.path != PATH or request.method != "POST":
            return _json({"requestId": "1", "code": "NoSuchApi", "message": request.path}, 404)
        fault = self.behavior.faults.popleft() if self.behavior.faults else ""
        if fault == "http_500":
            return web.Response(status=500, text="<html>")
        if fault == "reset_before":
            return self._reset(request)
        body = orjson.loads(raw)
        self.bodies.append(body)
        if request.query["Action"] == "CreateBatchInferenceTask":
            body = {**body, "": request.headers.get("Referer")}
        status, reply = self._answer(request.query["Action"], body)
        return self._reset(request) if fault == "reset_after" else _json({"requestId": "1", **reply}, status)

    def _reset(self, request: web.BaseRequest) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    def _answer(self, action: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if action == "CreateBatchInferenceTask":
            return self._create(body)
        if action == "DescribeBatchInferenceTask":
            task = next((task for task in self.tasks if task.task_id == body["taskId"]), None)
            if task is None:
                return 400, {"code": "InvalidParam", "message": "no such task"}
            self._move_on(task)
            return 200, {"result": self._described(task)}
        if action == "DescribeBatchInferenceTasks":
            newest_first = list(reversed(self.tasks)) if body.get("pageReverse") else self.tasks
            ids = [task.task_id for task in newest_first]
            begin = ids.index(body["marker"]) if body.get("marker") else 0
            size = min(body.get("maxKeys", 10), 2)  # small pages, so that everybody has to turn them
            page = newest_first[begin : begin + size]
            more = begin + size < len(ids)
            info = {"isTruncated": more, "nextMarker": ids[begin + size] if more else "", "maxKeys": size}
            return 200, {"result": {"taskList": [self._described(task) for task in page], "pageInfo": info}}
        return 400, {"code": "InvalidParam", "message": action}

    def _create(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if body.pop("") != "infer":  # the SDK sends it with this call, and with no other
            return 403, {"code": "AccessDenied", "message": "Referer"}
        wrong = self._wrong(body)
        if wrong:
            return 400, {"code": "InappropriateJSON", "message": wrong}
        if sum(task.status in {"Queuing", "Running"} for task in self.tasks) >= self.behavior.most_tasks:
            return 400, {"code": "TaskRunningNumberExceedLimit", "message": "too many tasks"}
        fate = self.behavior.fates.popleft() if self.behavior.fates else "done"
        self.tasks.append(Task(f"infer-{len(self.tasks) + 1:012}", body, fate))
        return 200, {"result": {"taskId": self.tasks[-1].task_id}}

    def _wrong(self, body: dict[str, Any]) -> str:
        allowed = {"name", "inferenceParams", "inputBosUri", "outputBosUri", "modelId", "endpoint", "completion_window"}
        if not body.keys() <= allowed:
            return f"unknown {sorted(body.keys() - allowed)}"
        if not 2 <= len(body["name"]) <= 20:
            return "name"
        # The reference, the SDK's guide and its tests all write an address for an endpoint.
        is_address = body.get("endpoint", "https://").startswith(("https://", "http://"))
        if ("modelId" in body) == ("endpoint" in body) or not is_address:
            return "modelId or endpoint"
        for name in ("inputBosUri", "outputBosUri"):
            if not body[name].startswith(f"bos:/{self.bos.bucket}/") or not self._keys(body[name]):
                return f"InvalidBosUri {name}"
        files = self._keys(body["inputBosUri"])
        if len(files) > 100 or sum(len(self.bos.read(key)) for key in files) > 300 << 20:
            return "too large"
        ids = [line["id"] for key in files for line in map(orjson.loads, self.bos.read(key).splitlines())]
        return "ids are not unique" if len(set(ids)) < len(ids) else ""

    def _keys(self, uri: str) -> list[str]:
        prefix = uri.removeprefix(f"bos:/{self.bos.bucket}/").rstrip("/") + "/"
        return [key for key in self.bos.keys() if key.startswith(prefix)]  # noqa: SIM118  not a dict

    def _move_on(self, task: Task) -> None:
        if task.status not in {"Queuing", "Running"} or task.fate == "hang":
            return
        task.looks += 1
        task.status = "Running"
        if task.looks < self.behavior.looks_needed:
            return
        self._work(task)
        task.status = "Failed" if task.fate == "fail" else "Done"

    def _work(self, task: Task) -> None:
        for key in self._keys(task.body["inputBosUri"]):
            lines = [orjson.loads(line) for line in self.bos.read(key).splitlines()]
            if task.fate == "fail":
                lines = lines[: len(lines) // 3]
            written = [self._line(line, task, number) for number, line in enumerate(lines)]
            folder = task.body["outputBosUri"].removeprefix(f"bos:/{self.bos.bucket}/").rstrip("/")
            out = b"".join(reversed([line for line in written if line]))  # in no particular order
            self.bos.put(f"{folder}/{task.task_id[-12:]}/{key.rpartition('/')[2]}", out)

    def _line(self, line: dict[str, Any], task: Task, number: int) -> bytes:
        if task.fate == "partial" and number % 3 == 2:
            return b""
        values: dict[str, Any] = {"id": line["id"], "query": line["query"]}
        if task.fate == "partial" and number % 4 == 1:
            values |= {"error_code": 336000, "error_msg": "internal error"}
        else:
            text = answer_for(line["query"], self.behavior.mode)
            usage = {"prompt_tokens": count_tokens(line["query"]), "completion_tokens": count_tokens(text)}
            self.paid[line["id"]] += 1
            if self.behavior.shape == "chat":
                values["response"] = {"result": text, "is_truncated": False, "usage": usage}
            elif self.behavior.shape == "openai":
                choice = {"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
                values["response"] = {"status_code": 200, "body": {"choices": [choice], "usage": usage}}
            else:
                values |= {self.behavior.shape: text, "usage": usage}
        return orjson.dumps(values, option=orjson.OPT_APPEND_NEWLINE)

    def _described(self, task: Task) -> dict[str, Any]:
        failed = {"errorCode": 500, "errorReason": "the cluster went away"} if task.status == "Failed" else {}
        return {
            "taskId": task.task_id,
            "description": "",
            "runStatus": task.status,
            "outputDir": task.task_id[-12:],
            "createTime": "2026-11-23T02:30:00Z",
            **task.body,
            **failed,
        }


def _json(body: dict[str, Any], status: int = 200) -> web.Response:
    return web.Response(status=status, body=orjson.dumps(body), content_type="application/json")
