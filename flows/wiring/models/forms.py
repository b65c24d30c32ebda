"""Parameters of the model flows in groups: each is a box in Prefect's form and a group of flags on the command line.

Each field is one flag of the same name; its description is the flag's help and the form's.
"""

import argparse
from datetime import date
from typing import Any, Literal, TypeVar, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field

from flows.wiring.commands import command_line
from tasks.tuning.rules.rollout_record import ServiceSpec

SERVING = "serving"

F = TypeVar("F", bound=BaseModel)


class ServiceForm(BaseModel):
    """The service that a model is deployed as, and how it is paid."""

    model_config = ConfigDict(frozen=True)

    endpoint_suffix: str = Field(default="", description="the end of the service's address; left out, made of the name")
    replicas: int = Field(default=1, description="of the service")
    pool: Literal["private", "public"] = Field(default="private", description="private: paid by unit; public: by token")
    pay: Literal["", "unit", "token", "month", "bought"] = Field(
        default="",
        description="unit: compute units by the hour until the service is retired; token: by use; month: units in "
        "advance, never given back; bought: units that you have; left out, by the pool",
    )
    resource: str = Field(default="GPU-1-2", description="the type of a compute unit")
    months: int = Field(default=1, description="with --pay month: how many, 1 to 12")
    renew: bool = Field(default=False, description="with --pay month: let the platform renew them, a month at a time")
    units: list[str] = Field(default=[], description="with --pay bought: the ids of the units")
    hours: int = Field(default=24, description="so many hours of compute units the estimate is for")
    hour_price: float = Field(default=0.0, description="of a replica for an hour, for the estimate")
    month_price: float = Field(default=0.0, description="of a replica for a month, for the estimate")

    def spec(self, currency: str) -> ServiceSpec:
        """The service as the rules take it; `currency` is that of the prices."""
        values = self.model_dump() | {"currency": currency}
        return ServiceSpec(endpoint=values.pop("endpoint_suffix"), **{**values, "units": tuple(self.units)})


class AdoptionForm(BaseModel):
    """A task, model or endpoint made elsewhere, by a notebook or in the console; it passes the same gate."""

    model_config = ConfigDict(frozen=True)

    task: str = Field(default="", description="a finished training task (task-…)")
    model: str = Field(default="", description="a published model version (amv-…)")
    service: str = Field(default="", description="a service that serves (svco-…)")
    trained_on: str = Field(
        default="",
        description="what it was trained on, where the platform can't tell: a dataset (ds-…) or SFT lines (bos://…)",
    )


class ExaminationForm(BaseModel):
    """The labels that a candidate is examined on, and how much worse it may be."""

    model_config = ConfigDict(frozen=True)

    block: str = Field(default=SERVING, description="the endpoint block of the nightly")
    margin: float = Field(
        default=5.0,
        gt=0,
        description="points: on no judged figure may the candidate be shown to be so much worse or more",
    )
    labels: str = Field(
        default="",
        description="a file of labels or of SFT lines, or a dataset (ds-…); left out, the warehouse's labels",
    )
    start: date | None = Field(default=None, description="the first day of labeled conversations; left out, the oldest")
    end: date | None = Field(default=None, description="the last day, itself included")


def add_flags(parser: argparse.ArgumentParser, form: type[BaseModel]) -> None:
    """A flag for each field of a form."""
    group = parser.add_argument_group((form.__doc__ or "").partition("\n")[0].rstrip("."))
    for name, field in form.model_fields.items():
        shown = "" if field.default in (None, "", False, []) else f" (default: {field.default})"
        options: dict[str, Any] = {"help": f"{field.description}{shown}".replace("%", "%%")}
        kind = field.annotation
        if kind is bool:
            options["action"] = argparse.BooleanOptionalAction
        elif get_origin(kind) is Literal:
            options["choices"] = [choice for choice in get_args(kind) if choice]
        elif get_origin(kind) is list:
            options |= {"type": _comma_separated, "metavar": "ID[,ID]"}
        else:
            options["type"] = command_line.day_argument if kind == date | None else kind
        group.add_argument(f"--{name.replace('_', '-')}", **options)


def field_names(*forms: type[BaseModel]) -> set[str]:
    """The names of the forms' fields."""
    return {name for form in forms for name in form.model_fields}


def filled_in(form: type[F], arguments: argparse.Namespace) -> F:
    """The form as the command line fills it in."""
    given = {name: value for name, value in vars(arguments).items() if name in form.model_fields}
    try:
        return form(**given)
    except ValueError as error:
        raise command_line.wrong_value(error) from None


def _comma_separated(text: str) -> list[str]:
    return [part for part in text.split(",") if part]
