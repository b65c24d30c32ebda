"""Models as the console has them: sets, and versions made of a finished task or of one of its checkpoints."""

from dataclasses import dataclass
from typing import Any

from tests.servers.console_tuning import TuningCalls
from tests.servers.console_world import Body, Refusal, World, inappropriate, known, page


@dataclass
class Version:
    """One published model version."""

    model_id: str
    set_id: str
    task_id: str
    began: float
    fate: str = ""
    step: int | None = None
    description: str = ""


class ModelCalls:
    """`/v2/model`."""

    def __init__(self, world: World, tuning: TuningCalls) -> None:
        self._world = world
        self._tuning = tuning
        self.sets: dict[str, Body] = {}
        self.versions: dict[str, Version] = {}

    def handlers(self) -> dict[tuple[str, str], Any]:
        """Return the handler of each call. The old ones (publishTrainModel, modelVersionDetail) are gone."""
        path = "/v2/model"
        return {
            (path, "CreateCustomModelSet"): self._create_set,
            (path, "CreateCustomModel"): self._create_version,
            (path, "DescribeCustomModelSets"): self._list_sets,
            (path, "DescribeModelSet"): self._set_detail,
            (path, "DescribeModel"): self._version_detail,
        }

    def status(self, version: Version) -> str:
        """The version's status now. What fails says Failed, or Fail in other places of the reference."""
        if version.fate == "hang" or self._world.now - version.began < self._world.behavior.publish_seconds:
            return "Creating"
        return "Failed" if version.fate == "fail" else "Ready"

    def _create_set(self, body: Body) -> Body:
        name = body["modelSetName"]
        if body["modelType"] != "Text2Text":
            raise inappropriate("modelType")
        if any(model_set["modelSetName"] == name for model_set in self.sets.values()):
            raise Refusal("ModelNameExist", "AI模型名称已存在")
        set_id = self._world.new_id("am")
        self.sets[set_id] = {"modelSetId": set_id, "modelSetName": name, "modelIds": []}
        return {"modelSetId": set_id}

    def _create_version(self, body: Body) -> Body:
        found = known(self.sets, body["modelSetId"], "model set")
        if body["sourceType"] != "Train":
            raise inappropriate("sourceType")
        meta = body["trainMeta"]
        task = known(self._tuning.tasks, meta["taskId"], "task")
        if self._tuning.status(task) != "Done":
            raise inappropriate("taskId")
        model_id = self._world.new_id("amv")
        self.versions[model_id] = Version(
            model_id,
            found["modelSetId"],
            task.task_id,
            self._world.now,
            self._world.behavior.publish_fate,
            meta.get("checkpointStep"),
            body.get("description", ""),
        )
        found["modelIds"].append(model_id)
        return {"modelSetId": found["modelSetId"], "modelId": model_id}

    def _version_detail(self, body: Body) -> Body:
        """The state is called `status` here."""
        self._world.poll()
        version = known(self.versions, body["modelId"], "model version")
        return {
            "modelSetId": version.set_id,
            "modelSetName": self.sets[version.set_id]["modelSetName"],
            "modelId": version.model_id,
            "modelName": "1",
            "description": version.description,
            "sourceType": "Train",
            "sourceExtra": {"trainSourceExtra": {"taskIdStr": version.task_id}},
            "status": self.status(version),
            "ioMode": "chat",
        }

    def _list_sets(self, body: Body) -> Body:
        summaries = [
            {key: model_set[key] for key in ("modelSetId", "modelSetName")} for model_set in self.sets.values()
        ]
        shown, info = page(self._world.listed(summaries, "modelSetId"), body, "modelSetId")
        return {"customModelSetList": shown, "pageInfo": info}

    def _set_detail(self, body: Body) -> Body:
        """`modelIds` is a list of strings; a version is in it only some time after its creation."""
        for found in self.sets.values():
            if body.get("modelSetId") == found["modelSetId"] or body.get("modelSetName") == found["modelSetName"]:
                versions = self._world.listed([{"id": model_id} for model_id in found["modelIds"]], "id")
                listed = [version["id"] for version in versions]
                return {**found, "modelIds": listed, "source": "UserCreate", "modelType": "Text2Text"}
        raise Refusal("NotFound", "no such model set")
