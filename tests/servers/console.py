"""Qianfan's console API on loopback, as the platform has it today: datasets, fine-tuning, models, services, charges,
prompt optimization.

Names, limits and error codes are those of Baidu's API reference, where the SDK does not know them. Signatures are
checked. Time is the server's own: every look at something unfinished moves it on by
`seconds_per_poll`, and `advance` by as much as a test likes, so that hours pass in a blink and nothing depends on the
machine. `python -m tests.servers.console` serves and prints its address; `GET /_state` tells what there is,
`POST /_control` changes any Behavior, `POST /_break` breaks the next call of an action.

Each family of calls is a module of its own: console_tuning, console_models, console_services, console_data.
"""

import argparse
import asyncio
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, fields
from typing import Any

import orjson
from aiohttp import web

from tests.servers.bce_auth import verify
from tests.servers.console_data import DataCalls
from tests.servers.console_models import ModelCalls
from tests.servers.console_services import ServiceCalls
from tests.servers.console_tuning import PUBLISHED, Task, TuningCalls, quality
from tests.servers.console_world import Behavior, Body, Refusal, World
from tests.servers.qianfan import ACCESS_KEY, SECRET_KEY
from tests.servers.qianfan_answers import answer_for
from tests.servers.threaded import ThreadedServer

__all__ = ["FAULTS", "PUBLISHED", "Behavior", "ConsoleServer", "Task"]

FAULTS = (
    "http_500",
    "html_502",
    "text_502",  # JSON, but no object
    "overloaded",  # error 336100
    "reset_before",  # nothing was done
    "reset_after",  # it was done, the reply is lost
    "broken_json",  # it was done, the reply is garbage
    "no_result",  # it was done, the reply is JSON that says nothing
    "refused",  # nothing was done, and it never will be
)


class ConsoleServer(ThreadedServer):
    """The server in its own thread: `with ConsoleServer(train_seconds=300) as console: console.url`.

    Args:
        port: 0 for any.
        chat_url: where services that are deployed can be called.
        behavior: any Behavior.
    """

    def __init__(self, port: int = 0, chat_url: str = "https://qianfan.invalid", **behavior: Any) -> None:
        super().__init__(port)
        self.behavior = Behavior(**behavior)
        self.chat_url = chat_url
        self.world = World(self.behavior)
        self.data = DataCalls(self.world, lambda: self.url)
        self.tuning = TuningCalls(self.world, self.data.datasets)
        self.models = ModelCalls(self.world, self.tuning)
        self.service_calls = ServiceCalls(self.world, self.models, chat_url)
        self.datasets = self.data.datasets
        self.jobs, self.tasks = self.tuning.jobs, self.tuning.tasks
        self.versions, self.services = self.models.versions, self.service_calls.services
        self.answer: Callable[[float, str], str] = lambda _quality, prompt: answer_for(prompt, "clean")
        self.calls: Counter[str] = Counter()
        self.slow_seconds = 0.0  # before every answer
        self.on_call: Callable[[str, bool], None] = lambda _action, _done: (
            None
        )  # before it is done, and before its reply
        self._broken: list[tuple[str, str]] = []
        self._lock = threading.RLock()
        self._handlers = {
            name: handler
            for family in (self.data, self.tuning, self.models, self.service_calls)
            for name, handler in family.handlers().items()
        }

    # What tests do

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        with self._lock:
            self.world.now += seconds

    def break_next(self, action: str, fault: str) -> None:
        """Answer the next call of an action with a fault; several are answered in their order."""
        assert fault in FAULTS
        with self._lock:
            self._broken.append((action, fault))

    def add_dataset(self, rows: int = 0, *, released: bool = True, entities: list[str] | None = None) -> str:
        """A dataset as people make them in the console; its version's id."""
        with self._lock:
            return self.data.add(rows, released=released, entities=entities)

    def pay(self, name: str) -> None:
        """Pay for a service's order as people do in the console."""
        with self._lock:
            for service in self.services.values():
                if service.name == name:
                    service.paid = self.world.now

    def remove_service(self, name: str) -> None:
        """Unsubscribe and delete a service as people do in the console."""
        with self._lock:
            for service in self.services.values():
                if service.name == name:
                    service.removed = True
                    for unit in service.units:
                        unit["status"] = "Deleted"

    def quality_of(self, endpoint: str) -> float | None:
        """Return the quality of the model behind an endpoint, 1 at best; None where nothing serves there."""
        with self._lock:
            for service in self.services.values():
                if service.endpoint == endpoint and self.service_calls.status(service) == "Serving":
                    task = self.tasks[self.versions[service.model_id].task_id]
                    return quality(task.scale, task.hyper)
        return None

    def answers(self, endpoint: str, prompt: str) -> str | None:
        """Return a deployed service's answers, for a QianfanServer to give; None where nothing serves there."""
        found = self.quality_of(endpoint)
        return None if found is None else self.answer(found, prompt)

    def paid_units(self) -> list[str]:
        """The names of services that hold units which cost money now."""
        with self._lock:
            return [
                service.name
                for service in self.services.values()
                for unit in self.service_calls.units_of(service)
                if unit["status"] != "Deleted" and not unit.get("bought")
            ]

    def state(self) -> Body:
        """Everything there is, for a test in another process."""
        with self._lock:
            return {
                "now": self.world.now,
                "calls": dict(self.calls),
                "jobs": self.jobs,
                "tasks": {
                    key: {**asdict(task), "status": self.tuning.status(task)} for key, task in self.tasks.items()
                },
                "sets": self.models.sets,
                "versions": {key: asdict(version) for key, version in self.versions.items()},
                "services": {
                    key: {
                        **asdict(service),
                        "units": self.service_calls.units_of(service),
                        "status": self.service_calls.status(service),
                    }
                    for key, service in self.services.items()
                },
            }

    # The wire

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        raw = await request.read()
        if request.path.startswith("/_"):
            return self._inspect(request.path, raw)
        if request.path.startswith("/entities/"):  # a signed address in a reply, which needs no signature of its own
            _, _, dataset, number = request.path.split("/")
            return web.Response(text=self.datasets[dataset]["entities"][int(number)])
        if request.path.startswith(("/v2/chat/", "/v2/embeddings")):
            return await self._forward(request, raw, self.chat_url)
        action = request.query.get("Action") or request.path.removeprefix("/wenxinworkshop/")
        await asyncio.sleep(self.slow_seconds)
        with self._lock:
            self.calls[action] += 1
            url = request.rel_url
            error = verify(request.method, url.raw_path, url.raw_query_string, request.headers, ACCESS_KEY, SECRET_KEY)
            if error:
                return _reply({"requestId": "r-1", "code": "SignatureDoesNotMatch", "message": error}, 403)
            self.on_call(action, False)
            fault = self._next_fault(action)
            if fault in {"http_500", "html_502", "text_502", "overloaded", "reset_before", "refused"}:
                return _fail(request, fault)
            reply = self._answer(request.path, action, raw)
            self.on_call(action, True)
            return _fail(request, fault) if fault else reply

    def _inspect(self, path: str, raw: bytes) -> web.Response:
        if path == "/_state":
            return _reply(self.state())
        if path == "/_advance":
            self.advance(orjson.loads(raw)["seconds"])
            return _reply({})
        if path == "/_break":
            given = orjson.loads(raw)
            self.break_next(given["action"], given["fault"])
            return _reply({})
        if path == "/_control":
            changes = orjson.loads(raw)
            unknown = changes.keys() - {item.name for item in fields(Behavior)}
            if unknown:
                return _reply({"unknown": sorted(unknown)}, 400)
            for name, value in changes.items():
                setattr(self.behavior, name, value)
            return _reply({})
        return _reply({}, 404)

    def _next_fault(self, action: str) -> str:
        for number, (broken, fault) in enumerate(self._broken):
            if broken == action:
                del self._broken[number]
                return fault
        return ""

    def _answer(self, path: str, action: str, raw: bytes) -> web.Response:
        """Errors come in three shapes: V2's code, the older error_code, and the oldest `message.global`."""
        handler = self._handlers.get((path, action))
        try:
            if handler is None:
                raise Refusal("NoSuchAction", f"{path} has no action {action}")
            body = orjson.loads(raw) if raw else {}
            if any(name in body for name in ("ak", "sk", "access_key", "secret_key")):
                raise Refusal("SecretInBody", "a key was sent in the clear")
            result = handler(body)
        except orjson.JSONDecodeError:
            return _reply({"requestId": "r-1", "code": "MalformedJSON", "message": "not JSON"}, 400)
        except KeyError as error:
            return _reply({"requestId": "r-1", "code": "InappropriateJSON", "message": f"param[{error}] invalid"}, 400)
        except Refusal as refusal:
            return _refused(refusal)
        if path.startswith("/v2/"):
            return _reply({"requestId": "r-1", "result": result})
        return _reply({"log_id": "1", "result": result, "status": 200, "success": True})


def _reply(body: Body, status: int = 200) -> web.Response:
    return web.Response(body=orjson.dumps(body), status=status, content_type="application/json")


def _refused(refusal: Refusal) -> web.Response:
    if refusal.code == "":
        return _reply({"success": False, "message": {"global": str(refusal)}})
    if isinstance(refusal.code, int):
        return _reply({"log_id": "1", "error_code": refusal.code, "error_msg": str(refusal)})
    return _reply({"requestId": "r-1", "code": refusal.code, "message": str(refusal)}, 400)


def _fail(request: web.BaseRequest, fault: str) -> web.Response:  # noqa: PLR0911 (one line a fault)
    if fault == "http_500":
        return web.Response(status=500, text="oops")
    if fault in {"html_502", "text_502"}:
        page = "<html><h1>502 Bad Gateway</h1></html>" if fault == "html_502" else '"Bad Gateway"'
        return web.Response(status=502, text=page)
    if fault == "overloaded":
        return _reply({"log_id": "1", "error_code": 336100, "error_msg": "server is overloaded"})
    if fault == "refused":
        return _reply({"requestId": "r-1", "code": "QuotaExceeded", "message": "the account may have no more"}, 400)
    if fault == "broken_json":
        return web.Response(text='{"requestId": "r-1", "resu', content_type="application/json")
    if fault == "no_result":
        return _reply({"requestId": "r-1", "result": {}})
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--behavior", default="{}", help="JSON of Behavior's fields")
    options = parser.parse_args()
    with ConsoleServer(options.port, **orjson.loads(options.behavior)) as server:
        print(server.url, flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
