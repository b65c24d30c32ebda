"""The port of the platform that trains, publishes and serves models. A client implements it.

The platform gives ids, and everything is bound by them. A creation whose reply was lost is found again by the name and
description that we chose: `made_by` writes the description, `is_made_by` recognizes it. What has the name and not the
description belongs to somebody else.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

Phase = Literal["waiting", "running", "done", "failed", "stopped"]

ServicePhase = Literal["new", "deploying", "serving", "failed", "stopped"]

Payment = Literal["month", "unit", "token", "bought"]
"""The way a service is paid: months in advance, units by use, tokens by use, or units that were bought before."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state of a training after some steps. `loss` is None where the platform gives none."""

    step: int
    loss: float | None = None
    perplexity: float | None = None


@dataclass(frozen=True, slots=True)
class TrainingData:
    """A set of conversations on the platform: a dataset of its own, or an object in BOS (`bos://…`).

    `rows` and `tokens` (an estimate) are its size, where known; `built` marks a set that was built
    here, so that nothing held out is in it.
    """

    dataset_id: str = ""
    bos_uri: str = ""
    rows: int | None = None
    built: bool = False
    tokens: int | None = None

    @property
    def source(self) -> str:
        """The dataset's id, or the object's address."""
        return self.dataset_id or self.bos_uri


@dataclass(frozen=True, slots=True)
class TrainingSpec:
    """One training as the platform is asked for it.

    `method` and the hyperparameters go by the platform's names. `base_task` is a finished task to go on from, at
    `base_step` where it has several checkpoints. Without `validation` the platform holds out `split_ratio` per cent.
    """

    method: str
    hyperparameters: Mapping[str, object]
    data: TrainingData
    split_ratio: int
    validation: str = ""
    base_task: str = ""
    base_step: int | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """A job, which holds training tasks of one base model and one mode."""

    job_id: str
    name: str
    description: str = ""
    base_model: str = ""
    mode: str = ""


@dataclass(frozen=True, slots=True)
class TaskReport:
    """Status of a training task. `metrics` are per cent by the platform's names; `reason` explains a failure.

    `curves` links to the platform's own page of the loss. The rest describes the task, as far as the platform does.
    """

    phase: Phase
    progress: int = 0
    metrics: Mapping[str, float] | None = None
    checkpoints: Sequence[Checkpoint] = ()
    reason: str = ""
    curves: str = ""
    job: Job | None = None
    method: str = ""
    hyperparameters: Mapping[str, object] = field(default_factory=dict)
    data: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Limit:
    """The values that the platform takes for one hyperparameter: a range (low, high), a choice, or anything."""

    kind: Literal["range", "choice", "any"]
    values: tuple[object, ...] = ()


Tunable = Mapping[str, Mapping[str, Mapping[str, Mapping[str, Limit]]]]
"""Tunable hyperparameters: base model -> mode (SFT, DPO, …) -> method -> hyperparameter -> its values."""


@dataclass(frozen=True, slots=True)
class ModelReport:
    """A published model: the version, its set, and how it stands. `task_id` is what it was made of, where known."""

    set_id: str
    model_id: str
    phase: Literal["creating", "ready", "failed"] = "creating"
    task_id: str = ""


@dataclass(frozen=True, slots=True)
class ModelSet:
    """A set of model versions."""

    set_id: str
    model_ids: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class ServicePlan:
    """A service to deploy, by the interface of today (V2). `endpoint` is the end of its address.

    `months` are paid in advance, renewed by the platform for another month if `renewed`; `units` are those bought
    before. `resource` is the type of a unit.
    """

    name: str
    endpoint: str
    replicas: int
    payment: Payment
    resource: str = ""
    months: int = 0
    renewed: bool = False
    units: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class ServiceReport:
    """Status of a service. `endpoint` is the `model` of calls to it; empty until the platform gives one.

    `protocol` is that of the interface it serves; only 2 can still be called.
    """

    service_id: str
    phase: ServicePhase
    endpoint: str = ""
    name: str = ""
    description: str = ""
    protocol: int = 2
    set_id: str = ""
    model_id: str = ""
    charge: str = ""


@dataclass(frozen=True, slots=True)
class ComputeUnit:
    """Compute that a service holds. `expires_at` is when it runs out, for what is paid in advance."""

    instance_id: str
    prepaid: bool
    expires_at: datetime | None = None


def made_by(token: str, what: str) -> str:
    """The description of what a record with this token creates: how it is found when the reply was lost."""
    return f"kefu-digest {token} {what}"[:200]


def is_made_by(token: str, description: str) -> bool:
    """Return true if `made_by` wrote this description for this token."""
    return bool(token) and f"kefu-digest {token} " in f"{description} "


class ModelPlatform(Protocol):
    """Trains, publishes and serves models. One instance belongs to one event loop.

    Reads are retried by the client. A creation is sent once: after PlatformUnavailable it may or may not have
    happened, so look for it some minutes later. Raises PlatformError's family only.
    """

    async def tunable(self) -> Tunable:
        """List what can be tuned, and within which limits."""

    async def dataset_rows(self, dataset_id: str) -> int:
        """Return how many rows a dataset of the platform has; release it for training if it was not yet."""

    async def dataset_entities(self, dataset_id: str) -> list[bytes]:
        """Return the rows of a dataset of the platform, each as SFT JSON."""

    async def find_job(self, name: str) -> Job | None:
        """Return the job of that name."""

    async def create_job(self, name: str, base_model: str, mode: str, description: str) -> str:
        """Create a job and return its id."""

    async def find_task(self, job_id: str) -> str | None:
        """Return the id of the job's first task."""

    async def create_task(self, job_id: str, spec: TrainingSpec) -> str:
        """Start the job's training and return its task's id. This costs money."""

    async def describe_task(self, task_id: str) -> TaskReport:
        """Report how a task stands."""

    async def stop_task(self, task_id: str) -> None:
        """Stop a task; no error when it has ended."""

    async def find_model_set(self, name: str) -> ModelSet | None:
        """Return the model set of that name with its versions."""

    async def create_model_set(self, name: str) -> str:
        """Create an empty model set and return its id."""

    async def create_model(self, set_id: str, task_id: str, step: int | None, description: str) -> str:
        """Publish what a task trained, or one of its checkpoints, as a version of the set; return the version's id."""

    async def describe_model(self, model_id: str) -> ModelReport:
        """Report how a model version stands."""

    async def find_services(self, name: str) -> list[ServiceReport]:
        """Return the services of exactly that name which serve or may come to serve."""

    async def create_service(self, plan: ServicePlan, model: ModelReport, description: str) -> str:
        """Deploy a model and return its service's id. This costs money."""

    async def describe_service(self, service_id: str) -> ServiceReport:
        """Report how a service stands."""

    async def deactivate_service(self, service_id: str) -> None:
        """Take a service offline; no error when it is. Its units go on costing money."""

    async def compute_units(self, service_id: str) -> list[ComputeUnit]:
        """Return the compute units that a service still holds."""

    async def release_unit(self, service_id: str, instance_id: str) -> None:
        """Give back a compute unit that is paid by use."""

    async def aclose(self) -> None:
        """Close the connections."""
