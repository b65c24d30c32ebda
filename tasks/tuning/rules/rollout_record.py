"""A model on its way into service: its record, which outlives the process, what it costs, whether it may take over.

planned -> publishing -> deploying -> serving -> promoted or refused -> retired. Pure; time is told.
"""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Literal

import orjson

from tasks.domain.errors import UsageError
from tasks.domain.model_platform import ModelReport, ServicePlan
from tasks.tuning.rules.tuning_record import Trial, check_name

Stage = Literal["planned", "publishing", "deploying", "serving", "promoted", "refused", "failed", "retired"]

JUDGED = (
    "accepted/accuracy",
    "negative_sentiment/accuracy",
    "issue/ROUGE-L",
    "plan/ROUGE-L",
    "format/parseable",
)
"""The figures, all per cent and the more the better, on none of which a candidate may be worse beyond the margin."""

NOT_GIVEN_BACK = (
    "its replica hours were paid in advance, and the platform takes none back from a program: they run out by "
    "themselves, or unsubscribe in the Qianfan console and delete the service there"
)
"""What became of a retired service that is still there."""

_ENDPOINT = re.compile(r"[a-z0-9][a-z0-9_-]{0,18}[a-z0-9]")


@dataclass(frozen=True, slots=True)
class ModelRollout:
    """One experiment's model, from its training task to the nightly's endpoint. `since` is when its stage began."""

    name: str
    experiment: int
    job_id: str
    task_id: str
    plan: ServicePlan
    since: datetime
    stage: Stage = "planned"
    model: ModelReport | None = None
    service_id: str = ""
    endpoint: str = ""
    comparison: Mapping[str, Mapping[str, Any]] | None = None
    reason: str = ""

    @property
    def model_name(self) -> str:
        """What the model is called on the platform."""
        return f"kefu-{self.name}-{self.experiment}"

    @property
    def paid_for(self) -> bool:
        """Whether a service was asked for, which costs money until it is retired."""
        return self.stage not in ("planned", "publishing", "retired")

    def moved(self, stage: Stage, now: datetime, **values: Any) -> "ModelRollout":
        """At its next stage."""
        return replace(self, stage=stage, since=now, **values)

    def encode(self) -> bytes:
        """The record's bytes."""
        return orjson.dumps(asdict(self), option=orjson.OPT_INDENT_2)


@dataclass(frozen=True, slots=True)
class ServiceSpec:
    """The service that is asked for. `endpoint` is the end of its address; empty: made of the name."""

    endpoint: str = ""
    replicas: int = 1
    pool: Literal["private", "public"] = "private"
    resource: str = "GPU-I-2"
    hours: int = 24


def plan_deployment(name: str, trial: Trial, spec: ServiceSpec, now: datetime) -> ModelRollout:
    """A deployment of which nothing is done yet.

    Raises:
        UsageError: the platform has no such service.
    """
    plan = _plan(name, trial.experiment.number, spec)
    if not _ENDPOINT.fullmatch(plan.endpoint):
        raise UsageError(
            f"--endpoint-suffix {plan.endpoint!r}: 2 to 20 small letters, digits, _ and -, the ends letters or digits."
        )
    if plan.replicas < 1 or plan.hours < 1:
        raise UsageError(f"--replicas {plan.replicas}, --hours {plan.hours}: each is 1 at least.")
    return ModelRollout(name, trial.experiment.number, trial.job_id, trial.task_id, plan, now)


def check_unchanged(deployment: ModelRollout, experiment: int, spec: ServiceSpec) -> None:
    """Prove that a deployment under way is the one that is asked for.

    Raises:
        UsageError: it is another one.
    """
    number, plan = deployment.experiment, deployment.plan
    if experiment not in (0, number):
        raise UsageError(f"Experiment {number} of {deployment.name!r} is deployed: --retire it first.")
    if _plan(deployment.name, number, spec) != plan:
        raise UsageError(
            f"Service {plan.name} is under way as --replicas {plan.replicas} --pool {plan.pool} --resource "
            f"{plan.resource} --hours {plan.hours} --endpoint-suffix {plan.endpoint}: "
            "say the same, or --retire it first."
        )


def _plan(name: str, experiment: int, spec: ServiceSpec) -> ServicePlan:
    service = f"kefu-{check_name(name)}-{experiment}"
    endpoint = spec.endpoint or service.replace("-", "_")
    return ServicePlan(service, endpoint, spec.replicas, spec.pool, spec.resource, spec.hours)


def decode_deployment(data: bytes) -> ModelRollout:
    """The deployment of a record."""
    values = orjson.loads(data)
    return ModelRollout(
        **{
            **values,
            "plan": ServicePlan(**values["plan"]),
            "since": datetime.fromisoformat(values["since"]),
            "model": ModelReport(**values["model"]) if values["model"] else None,
        }
    )


def estimate(plan: ServicePlan, hour_price: float) -> str:
    """What a service will cost, in words. `hour_price` is that of one replica for an hour; 0: not known."""
    replicas = f"{plan.replicas} replica{'s' * (plan.replicas != 1)}"
    if plan.pool == "public":
        return f"service {plan.name}: {replicas} on the public pool, paid by use for as long as it is there"
    units = plan.replicas * plan.hours
    price = (
        f" at {hour_price:g} = {units * hour_price:,.2f}" if hour_price else "; Qianfan's price list says at what price"
    )
    return (
        f"service {plan.name}: {replicas} of {plan.resource} for {plan.hours} h, "
        f"{units} replica hours paid in advance{price}"
    )


def check_agreed(deployment: ModelRollout, hour_price: float, confirm: bool) -> str:
    """What the deployment costs, in words, once that is agreed to or paid already.

    Raises:
        UsageError: it is not agreed to, or the last service failed and is still paid for.
    """
    cost = f"Experiment {deployment.experiment} of {deployment.name}, {estimate(deployment.plan, hour_price)}"
    if deployment.stage == "failed":
        raise UsageError(f"The last service failed ({deployment.reason}): --retire it, then deploy again.")
    if not deployment.paid_for and not confirm:
        raise UsageError(f"This costs money. {cost}. Nothing was asked for; --confirm agrees to it.")
    return f"{cost}."


def shortfalls(comparison: Mapping[str, Mapping[str, Any]], margin: float) -> list[str]:
    """On which judged figures the candidate is more than `margin` points below the serving model, in words.

    The mean decides, not its interval: with few labels a real loss would not show as more than chance, and a model
    that is not promoted costs a day, while one that is wrongly promoted costs a night.
    """
    found = []
    for name in JUDGED:
        one = comparison.get(name)
        if one is not None and one["difference"] < -margin:
            against = f"{one['candidate']:.1f} against {one['baseline']:.1f}"
            found.append(f"{name} {against} ({one['difference']:+.1f}, {one['verdict']})")
    return found


def as_result(deployment: ModelRollout) -> dict[str, Any]:
    """What a run has come to, as `--json` prints it."""
    return {
        "name": deployment.name,
        "stage": deployment.stage,
        "experiment": deployment.experiment,
        "model": deployment.model.model_id if deployment.model else None,
        "service": deployment.service_id,
        "endpoint": deployment.endpoint,
        "reason": deployment.reason,
        "comparison": deployment.comparison,
    }


def format_summary(done: Mapping[str, Any]) -> str:
    """An outcome for a person."""
    lines = [f"{name}: {value}" for name, value in done.items() if name != "comparison" and value not in (None, "")]
    for figure, one in (done.get("comparison") or {}).items():
        low, high = one["difference 95%"]
        lines.append(
            f"{figure}: {one['candidate']:.2f} against {one['baseline']:.2f}, "
            f"{one['difference']:+.2f} [{low:+.2f}, {high:+.2f}]: {one['verdict']}"
        )
    return "\n".join(lines)
