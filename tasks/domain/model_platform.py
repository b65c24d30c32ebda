"""What a task may know of the platform that trains, publishes and serves models. A client implements the port.

The platform knows three things by a name that we choose: a job (which holds one training task), a model and a
service. Whoever asks for one by its name and creates it only where there is none never creates it twice, even when
the reply to the first creation was lost.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

Method = Literal["LoRA", "full"]

Phase = Literal["waiting", "running", "done", "failed", "stopped"]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Where a training stood after so many steps."""

    step: int
    loss: float
    perplexity: float | None = None


@dataclass(frozen=True, slots=True)
class TaskReport:
    """How a training task stands. `metrics` are per cent by the platform's names; `reason` says why it failed."""

    phase: Phase
    progress: int = 0
    metrics: Mapping[str, float] | None = None
    checkpoints: Sequence[Checkpoint] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Limit:
    """What the platform takes for one hyperparameter: a range (low, high), or a choice."""

    kind: Literal["range", "choice"]
    values: tuple[object, ...]


@dataclass(frozen=True, slots=True)
class TrainingData:
    """Where the platform finds the training set: a dataset of its own, or an object in BOS (`bos://…`).

    `rows` are its rows, where known; `built` says that it was built here, so that nothing held out is in it.
    """

    dataset_id: str = ""
    bos_uri: str = ""
    rows: int | None = None
    built: bool = False


@dataclass(frozen=True, slots=True)
class ModelReport:
    """A published model: the version, the set it belongs to, and how it stands."""

    set_id: str
    model_id: str
    phase: Literal["creating", "ready", "failed"] = "creating"


@dataclass(frozen=True, slots=True)
class ServicePlan:
    """A service to deploy. `hours` are reserved and paid in advance on the private pool; the public one is by use."""

    name: str
    endpoint: str
    replicas: int
    pool: Literal["private", "public"]
    resource: str
    hours: int


@dataclass(frozen=True, slots=True)
class ServiceReport:
    """How a service stands. `endpoint` is what calls name; it is empty until the platform has given one."""

    service_id: str
    phase: Literal["deploying", "serving", "failed", "stopped"]
    endpoint: str = ""


class ModelPlatform(Protocol):
    """Trains, publishes and serves models. One instance belongs to one event loop.

    What only looks is tried again by the client. What creates is sent once: after PlatformUnavailable it may or may not
    be there, so look for it by its name some minutes later. Raises PlatformError's family only.
    """

    async def limits(self, base_model: str) -> Mapping[Method, Mapping[str, Limit]]:
        """The hyperparameters that a base model can be tuned by, and what they may be; empty: it can't be tuned."""

    async def dataset_rows(self, dataset_id: str) -> int:
        """How many rows a dataset of the platform has; released for training if it was not yet."""

    async def find_job(self, name: str) -> str | None:
        """The id of the job of that name."""

    async def create_job(self, name: str, base_model: str, description: str) -> str:
        """A new job; returns its id."""

    async def find_task(self, job_id: str) -> str | None:
        """The id of the job's task."""

    async def create_task(
        self, job_id: str, method: Method, hyperparameters: Mapping[str, object], data: TrainingData, split_ratio: int
    ) -> str:
        """Start the job's training and return its task's id.

        Args:
            job_id: whose.
            method: how.
            hyperparameters: by the platform's names.
            data: from what.
            split_ratio: per cent of the rows that the platform keeps back to evaluate on.
        """

    async def describe_task(self, task_id: str) -> TaskReport:
        """How a task stands."""

    async def stop_task(self, task_id: str) -> None:
        """Stop a task; no error when it has ended."""

    async def find_model(self, name: str) -> ModelReport | None:
        """The model of that name; its phase is not looked at."""

    async def publish_model(self, name: str, job_id: str, task_id: str) -> ModelReport:
        """Make a model of what a task trained."""

    async def describe_model(self, model_id: str) -> ModelReport:
        """How a model stands."""

    async def find_service(self, name: str) -> ServiceReport | None:
        """The service of that name, but for those that were released."""

    async def create_service(self, plan: ServicePlan, model: ModelReport, description: str) -> str:
        """Deploy a model and return its service's id. This costs money."""

    async def describe_service(self, service_id: str) -> ServiceReport:
        """How a service stands."""

    async def release_service(self, service_id: str) -> int:
        """Give back every compute unit that is paid by use; return how many are left, which were paid in advance."""

    async def aclose(self) -> None:
        """Give up connections."""
