"""A model on its way into service: its record, which outlives the process, and the steps it may take.

planned -> publishing -> deploying -> serving -> promoted or refused -> retiring -> retired. Pure; time is told.
"""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Literal

import orjson

from tasks.domain.errors import UsageError
from tasks.domain.model_platform import ModelReport, Payment, ServicePlan
from tasks.domain.money import in_currency
from tasks.tuning.rules.asked import Asked, decode_asked
from tasks.tuning.rules.tuning_record import Trial, check_name

Stage = Literal["planned", "publishing", "deploying", "serving", "promoted", "refused", "failed", "retiring", "retired"]

RUNS_OUT = (
    "its months were paid in advance, and the platform gives none back: they run out by themselves, or are "
    "unsubscribed in the Qianfan console"
)
"""The rest of a retired service that was paid in advance."""

_ENDPOINT = re.compile(r"[a-z0-9][a-z0-9_-]{0,18}[a-z0-9]")

_MOST_MONTHS = 12


@dataclass(frozen=True, slots=True)
class ModelRollout:
    """One trained model, from its task to the nightly's endpoint.

    `since` is when its stage began; `token` marks what it creates on the platform; `attempt` counts services of this
    tuning, whose names must differ. `set_id` is the model set's; `step` the checkpoint to publish, None for the last.
    `expires_at` is when what was paid in advance runs out.
    """

    name: str
    experiment: int
    job_id: str
    task_id: str
    plan: ServicePlan
    since: datetime
    token: str = ""
    attempt: int = 1
    step: int | None = None
    stage: Stage = "planned"
    set_id: str = ""
    model: ModelReport | None = None
    service_id: str = ""
    endpoint: str = ""
    asked: Asked | None = None
    expires_at: datetime | None = None
    comparison: Mapping[str, Mapping[str, Any]] | None = None
    reason: str = ""

    @property
    def model_name(self) -> str:
        """The name of the model set on the platform."""
        return f"kefu-{self.name}-{self.experiment}"

    @property
    def paid_for(self) -> bool:
        """A service was asked for, which may cost money until it is retired."""
        asked = self.asked is not None and self.asked.what.startswith("service ")
        return self.stage != "retired" and (bool(self.service_id) or asked)

    def moved(self, stage: Stage, now: datetime, **values: Any) -> "ModelRollout":
        """The rollout at its next stage."""
        return replace(self, stage=stage, since=now, **values)

    def encode(self) -> bytes:
        """Return the record's bytes."""
        return orjson.dumps(asdict(self), option=orjson.OPT_INDENT_2)


@dataclass(frozen=True, slots=True)
class ServiceSpec:
    """The service that is asked for.

    Args:
        endpoint: the end of its address; empty: made of the name.
        replicas: how many.
        pool: "private" is paid by compute unit, "public" by token, unless `pay` says otherwise.
        pay: "unit" (compute units by use), "token" (by use), "month" (units in advance) or "bought" (units at hand).
        resource: the type of a compute unit.
        months: paid in advance, 1 to 12.
        renew: let the platform renew what is paid in advance, by a month at a time.
        units: ids of the units at hand.
        hours: so many hours of compute units the estimate is for.
        hour_price: of one replica for an hour, for the estimate.
        month_price: of one replica for a month, for the estimate.
        currency: of the prices.
    """

    endpoint: str = ""
    replicas: int = 1
    pool: Literal["private", "public"] = "private"
    pay: Literal["", "unit", "token", "month", "bought"] = ""
    resource: str = "GPU-1-2"
    months: int = 1
    renew: bool = False
    units: tuple[str, ...] = ()
    hours: int = 24
    hour_price: float = 0.0
    month_price: float = 0.0
    currency: str = ""

    @property
    def payment(self) -> Payment:
        """The way it is paid."""
        return self.pay or ("token" if self.pool == "public" else "unit")


def plan_rollout(
    name: str, trial: Trial, spec: ServiceSpec, now: datetime, *, token: str, attempt: int = 1, step: int | None = None
) -> ModelRollout:
    """A rollout of which nothing is done yet.

    Raises:
        UsageError: the platform has no such service.
    """
    number = trial.experiment.number
    plan = _plan(name, number, spec, attempt)
    if not _ENDPOINT.fullmatch(plan.endpoint):
        raise UsageError(
            f"--endpoint-suffix {plan.endpoint!r}: 2 to 20 small letters, digits, _ and -, the ends letters or digits."
        )
    if spec.replicas < 1 or spec.hours < 1 or not 1 <= spec.months <= _MOST_MONTHS:
        raise UsageError(
            f"--replicas {spec.replicas}, --hours {spec.hours}, --months {spec.months}: each is 1 at least, "
            f"and months are {_MOST_MONTHS} at most."
        )
    if (plan.payment == "bought") != bool(spec.units):
        raise UsageError("--pay bought and --units (ids of compute units that you have) belong together.")
    if len(spec.units) > spec.replicas:
        raise UsageError(f"--units names {len(spec.units)} units for --replicas {spec.replicas}: one each at least.")
    return ModelRollout(name, number, trial.job_id, trial.task_id, plan, now, token=token, attempt=attempt, step=step)


def check_unchanged(rollout: ModelRollout, experiment: int, spec: ServiceSpec) -> None:
    """Check that a rollout under way is the one that is asked for.

    Raises:
        UsageError: it is another one.
    """
    number, plan = rollout.experiment, rollout.plan
    if experiment not in (0, number):
        raise UsageError(f"Experiment {number} of {rollout.name!r} is deployed: --retire it first.")
    if _plan(rollout.name, number, spec, rollout.attempt) != plan:
        raise UsageError(f"Service {plan.name} is under way as {_flags(plan)}: give the same, or --retire it first.")


def _flags(plan: ServicePlan) -> str:
    flags = f"--pay {plan.payment} --replicas {plan.replicas} --endpoint-suffix {plan.endpoint}"
    if plan.resource:
        flags += f" --resource {plan.resource}"
    if plan.months:
        flags += f" --months {plan.months}{' --renew' * plan.renewed}"
    return flags + (f" --units {','.join(plan.units)}" if plan.units else "")


def _plan(name: str, experiment: int, spec: ServiceSpec, attempt: int) -> ServicePlan:
    # A stopped service keeps its name; names have 20 characters at most.
    service = f"{'kefu' if attempt == 1 else f'k{attempt}'}-{check_name(name)}-{experiment}"
    endpoint = spec.endpoint or service.replace("-", "_")
    payment = spec.payment
    return ServicePlan(
        service,
        endpoint,
        spec.replicas,
        payment,
        resource=spec.resource if payment in ("unit", "month") else "",
        months=spec.months if payment == "month" else 0,
        renewed=spec.renew and payment == "month",
        units=spec.units if payment == "bought" else (),
    )


def decode_rollout(data: bytes) -> ModelRollout:
    """The rollout of a record."""
    values = orjson.loads(data)
    plan = values["plan"]
    expires_at = values["expires_at"]
    return ModelRollout(
        **{
            **values,
            "plan": ServicePlan(**{**plan, "units": tuple(plan["units"])}),
            "since": datetime.fromisoformat(values["since"]),
            "model": ModelReport(**values["model"]) if values["model"] else None,
            "asked": decode_asked(values["asked"]),
            "expires_at": datetime.fromisoformat(expires_at) if expires_at else None,
        }
    )


def estimate(plan: ServicePlan, spec: ServiceSpec) -> str:
    """The service's cost, in words."""
    replicas = f"{plan.replicas} replica{'s' * (plan.replicas != 1)}"
    if plan.payment == "token":
        return f"service {plan.name}: {replicas}, paid by the token for as long as it is called"
    if plan.payment == "bought":
        return f"service {plan.name}: {replicas} on units that are paid already ({', '.join(plan.units)})"
    if plan.payment == "unit":
        hours = _price(plan.replicas * spec.hours, "replica hours", spec.hour_price, spec.currency)
        return (
            f"service {plan.name}: {replicas} of {plan.resource}, paid by the hour until it is retired: "
            f"{spec.hours} h are {hours}"
        )
    renewed = ", renewed month by month until that is switched off in the console" if plan.renewed else ""
    months = _price(plan.replicas * plan.months, "replica months", spec.month_price, spec.currency)
    return (
        f"service {plan.name}: {replicas} of {plan.resource} for {plan.months} month{'s' * (plan.months != 1)}"
        f"{renewed}, {months}, paid in advance and never given back"
    )


def _price(count: int, units: str, price: float, currency: str) -> str:
    if not price:
        return f"{count} {units}; Qianfan's price list says at what price"
    return f"{count} {units} at {in_currency(price, currency)} = {in_currency(count * price, currency)}"


def check_agreed(rollout: ModelRollout, spec: ServiceSpec, confirm: bool) -> str:
    """Return the rollout's cost, in words, once that is agreed to or paid already.

    Raises:
        UsageError: it is not agreed to, or the last service failed and is still paid for.
    """
    cost = f"Experiment {rollout.experiment} of {rollout.name}, {estimate(rollout.plan, spec)}"
    if rollout.stage == "failed":
        raise UsageError(f"The last service failed ({rollout.reason}): --retire it, then deploy again.")
    if not rollout.paid_for and not confirm:
        raise UsageError(f"This costs money. {cost}. Nothing was asked for; --confirm agrees to it.")
    return f"{cost}."


def still_paid(rollout: ModelRollout) -> str:
    """A sentence about what a service goes on costing; empty where it costs nothing."""
    if not rollout.paid_for:
        return ""
    if rollout.plan.payment == "month":
        return f" Service {rollout.plan.name} is paid in advance: --retire takes it offline, and {RUNS_OUT}."
    if rollout.plan.payment == "unit":
        return f" Service {rollout.plan.name} is paid by the hour: --retire takes it offline and ends that."
    return f" Service {rollout.plan.name} is still there: --retire takes it offline."


def as_result(rollout: ModelRollout) -> dict[str, Any]:
    """The outcome of a run, as `--json` prints it."""
    return {
        "name": rollout.name,
        "stage": rollout.stage,
        "experiment": rollout.experiment,
        "model": rollout.model.model_id if rollout.model else None,
        "service": rollout.service_id,
        "endpoint": rollout.endpoint,
        "paid_until": rollout.expires_at.isoformat() if rollout.expires_at else None,
        "reason": rollout.reason,
        "comparison": rollout.comparison,
    }


def format_summary(done: Mapping[str, Any]) -> str:
    """An outcome for a person."""
    lines = [f"{name}: {value}" for name, value in done.items() if name != "comparison" and value not in (None, "")]
    for figure, compared in (done.get("comparison") or {}).items():
        low, high = compared["difference 95%"]
        lines.append(
            f"{figure}: {compared['candidate']:.2f} against {compared['baseline']:.2f}, "
            f"{compared['difference']:+.2f} [{low:+.2f}, {high:+.2f}]: {compared['verdict']}"
        )
    return "\n".join(lines)
