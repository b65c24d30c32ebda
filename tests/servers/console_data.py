"""Datasets and prompt optimization as the console has them, by the older calls that have no newer ones."""

from collections.abc import Callable
from typing import Any

from tests.servers.console_world import Body, Refusal, World, known


class DataCalls:
    """`/wenxinworkshop/dataset` and `/wenxinworkshop/prompt`."""

    def __init__(self, world: World, address: Callable[[], str]) -> None:
        self._world = world
        self._address = address
        self.datasets: dict[str, Body] = {}
        self.optimizations: dict[str, Body] = {}
        self.optimize: Callable[[str], str] = _optimized

    def handlers(self) -> dict[tuple[str, str], Any]:
        """Return the handler of each call."""
        old = {
            "dataset/info": self._info,
            "dataset/release": self._release,
            "entity/list": self._entities,
            "prompt/singleOptimize/create": self._create_optimization,
            "prompt/singleOptimize/info": self._optimization,
        }
        return {(f"/wenxinworkshop/{path}", path): handler for path, handler in old.items()}

    def add(self, rows: int, *, released: bool = True, entities: list[str] | None = None) -> str:
        """A dataset as people make them in the console; its version's id."""
        version_id = self._world.new_id("ds")
        self.datasets[version_id] = {
            "rows": len(entities) if entities is not None else rows,
            "released": released,
            "name": f"dataset {version_id}",
            "entities": entities or [],
        }
        return version_id

    def _info(self, body: Body) -> Body:
        self._world.poll()
        dataset = known(self.datasets, body["datasetId"], "dataset")
        version = {
            "datasetPK": body["datasetId"],
            "releaseStatus": 2 if dataset["released"] else 0,
            "dataType": 4,
            "projectType": 20,
            "templateType": 2000,
            "entityCount": dataset["rows"],
            "annotatedEntityCount": dataset["rows"],
            "importStatus": 2,
            "datasetId": 1,
            "versionId": 1,
            "storageType": "sysBos",
            "storage": {
                "storageId": "easydata",
                "storageName": "easydata",
                "storagePath": f"/easydata/_system_/dataset/{body['datasetId']}/texts",
                "rawStoragePath": "",
                "region": "bj",
            },
            "createTime": "2026-11-23 06:00:00",
            "modifyTime": "2026-11-23 06:00:00",
        }
        return {"groupPK": "dg-1", "name": dataset["name"], "dataType": 4, "versionInfo": version}

    def _release(self, body: Body) -> bool:
        known(self.datasets, body["datasetId"], "dataset")["released"] = True
        return True

    def _entities(self, body: Body) -> Body:
        """A page of rows: ids, and addresses where each can be downloaded."""
        entities = known(self.datasets, body["datasetId"], "dataset")["entities"]
        start, size = int(body.get("offset", 0)), min(int(body.get("pageSize", 20)), 30)
        items = [
            {"id": f"e{number}", "name": "", "url": f"{self._address()}/entities/{body['datasetId']}/{number}"}
            for number in range(start, min(start + size, len(entities)))
        ]
        return {"totalAll": len(entities), "total": len(entities), "items": items}

    def _create_optimization(self, body: Body) -> Body:
        """A refusal in the oldest shape, without a code."""
        if not body.get("content"):
            raise Refusal("", "the prompt is empty")
        task_id = self._world.new_id("task")
        self.optimizations[task_id] = {
            "content": body["content"],
            "operations": body["operations"],
            "began": self._world.now,
        }
        return {"id": task_id}

    def _optimization(self, body: Body) -> Body:
        self._world.poll()
        task = known(self.optimizations, body["id"], "task")
        done = self._world.now - task["began"] >= self._world.behavior.optimize_seconds
        return {
            "id": body["id"],
            "content": task["content"],
            "operations": task["operations"],
            "optimizeContent": self.optimize(task["content"]) if done else "",
            "processStatus": 2 if done else 1,
        }


def _optimized(content: str) -> str:
    return f"请完成下面的对话摘要任务，并用要点说明每一项。\n{content}"
