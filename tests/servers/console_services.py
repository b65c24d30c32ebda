"""Services as the console has them today: two protocols, three ways to pay, units that are released apart."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from tests.servers.console_models import ModelCalls
from tests.servers.console_world import Body, Refusal, World, inappropriate, known, page
from tests.servers.qianfan import V1_PREFIX

EPOCH: Final = datetime(2026, 11, 23, 6, tzinfo=UTC)
"""The time at which the server's clock stood at zero."""

_MONTH: Final = 30 * 24 * 3600.0

_TYPES = re.compile(r"CPU-1-1|GPU-1-(1|2|4|8)|GPU-[567]-[12]")


@dataclass
class Service:
    """One service, its compute units included."""

    service_id: str
    name: str
    set_id: str
    model_id: str
    endpoint: str
    description: str
    protocol: int
    billing: Body
    resource: Body
    began: float
    fate: str = ""
    units: list[Body] = field(default_factory=list)
    paid: float | None = None
    deactivated: float | None = None
    removed: bool = False


class ServiceCalls:
    """`/v2/service` and `/v2/serviceresources`."""

    def __init__(self, world: World, models: ModelCalls, chat_url: str) -> None:
        self._world = world
        self._models = models
        self._chat_url = chat_url
        self.services: dict[str, Service] = {}
        self.bought: dict[str, Body] = {}

    def handlers(self) -> dict[tuple[str, str], Any]:
        """Return the handler of each call. The old service/apply is gone: no service of V1 can be made now."""
        service, units = "/v2/service", "/v2/serviceresources"
        return {
            (service, "CreateService"): self._create,
            (service, "DescribeServices"): self._list,
            (service, "DescribeService"): self._detail,
            (service, "DeactivateService"): self._deactivate,
            (units, "DescribeComputeUnits"): self._list_units,
            (units, "ReleaseComputeUnit"): self._release_unit,
        }

    def add_bought_units(self, replicas: int) -> str:
        """Units that somebody bought in the console; their id."""
        unit_id = self._world.new_id("unit")
        self.bought[unit_id] = {"instanceId": unit_id, "paymentTiming": "Prepaid", "replicasCount": replicas}
        return unit_id

    def status(self, service: Service) -> str:
        """The service's runStatus now. It is New until its order is paid, by a person where it has to be."""
        behavior, now = self._world.behavior, self._world.now
        if service.removed or self._expired(service):
            return "Stopped"
        if service.deactivated is not None and now - service.deactivated >= behavior.stop_seconds:
            return "Serving" if service.fate == "unstoppable" else "Stopped"
        paid = service.paid
        if paid is None and service.fate != "unpaid":
            paid = service.began + behavior.payment_seconds
        if paid is None or now < paid:
            return "New"
        if service.fate == "hang" or now - paid < behavior.deploy_seconds:
            return "Deploying"
        return "Failed" if service.fate == "fail" else "Serving"

    def _create(self, body: Body) -> Body:
        """ProtocolVersion 1 or 2, by default 1; months in advance, or by use; units of today's types."""
        protocol = body.get("protocolVersion", 1)
        if protocol not in (1, 2):
            raise inappropriate("protocolVersion")
        if not 2 <= len(body["name"]) <= 20:
            raise inappropriate("name")
        if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,18}[a-z0-9]", body["urlSuffix"]):
            raise inappropriate("urlSuffix")
        billing, resource, units = self._paid_by(body)
        taken = any(service.name == body["name"] and not service.removed for service in self.services.values())
        if taken and not self._world.behavior.names_repeat:
            raise Refusal("ServiceNameExist", "service name exist")
        version = known(self._models.versions, body["modelId"], "model version")
        if version.set_id != body["modelSetId"] or self._models.status(version) != "Ready":
            raise Refusal("ModelNotReady", "model is not ready")
        service_id = self._world.new_id("svco")
        self.services[service_id] = Service(
            service_id,
            body["name"],
            version.set_id,
            version.model_id,
            f"{service_id[-8:]}_{body['urlSuffix']}",
            body.get("description", ""),
            protocol,
            billing,
            resource,
            self._world.now,
            self._world.behavior.service_fate,
            units,
        )
        return {"serviceId": service_id, "instanceId": units[0]["instanceId"] if units else ""}

    def _paid_by(self, body: Body) -> tuple[Body, Body, list[Body]]:
        existing = body.get("deploymentConfig")
        if existing and existing.get("deploymentComputeUnitList"):
            units = existing["deploymentComputeUnitList"]
            for unit in units:
                if unit["instanceId"] not in self.bought:
                    raise inappropriate("deploymentComputeUnitList.instanceId")
            held = [{**self.bought[unit["instanceId"]], "bought": True} for unit in units]
            return {"paymentTiming": "Prepaid"}, {"replicasCount": existing["replicasCount"]}, held
        billing, resource = body["billing"], body.get("resourceConfig", {})
        if billing["paymentTiming"] == "Prepaid":
            reserved = billing["reservation"]
            if reserved["reservationTimeUnit"] != "Month":
                raise inappropriate("billing.reservation.reservationTimeUnit")
            if not 1 <= reserved["reservationLength"] <= 12:
                raise inappropriate("billing.reservation.reservationLength")
        elif billing["paymentTiming"] != "Postpaid" or billing.get("chargeType") not in ("ComputingUnit", "Tokens"):
            raise inappropriate("billing.chargeType")
        if billing.get("chargeType") == "Tokens":
            return billing, resource, []
        if not _TYPES.fullmatch(resource.get("type", "")):
            raise inappropriate("resourceConfig.type")
        unit = {
            "instanceId": self._world.new_id("unit"),
            "paymentTiming": billing["paymentTiming"],
            "replicasCount": resource["replicasCount"],
        }
        return billing, resource, [unit]

    def _summary(self, service: Service) -> Body:
        """A service has a url and an endpoint, and calls by V2 name the endpoint. The states of charges."""
        status = self.status(service)
        v2 = service.protocol == 2
        summary: Body = {
            "serviceId": service.service_id,
            "modelSetId": service.set_id,
            "modelId": service.model_id,
            "name": service.name,
            "description": service.description,
            "protocolVersion": service.protocol,
            "serviceType": "chat",
            "runStatus": status,
            "chargeType": service.billing.get("chargeType", "ComputingUnit"),
            "payType": "Prepay" if service.billing["paymentTiming"] == "Prepaid" else "Postpay",
            "chargeStatus": "NotOpen" if status == "New" else "Opened",
            "createTime": _time(service.began),
        }
        if status != "New" or not self._world.behavior.poor_fields:
            base = f"{self._chat_url}/v2/chat/completions" if v2 else f"{self._chat_url}{V1_PREFIX}{service.endpoint}"
            summary |= {"url": base, "endpoint": service.endpoint}
        if service.resource:
            summary["resourceConfig"] = service.resource
        return summary

    def _list(self, body: Body) -> Body:
        """Without protocolVersion only services of V1 are listed; the name is matched in part."""
        wanted = [
            self._summary(service)
            for service in self.services.values()
            if service.protocol == body.get("protocolVersion", 1)
            and body.get("name", "") in service.name
            and not service.removed
        ]
        shown, info = page(self._world.listed(wanted, "serviceId"), body, "serviceId")
        return {"serviceList": shown, "pageInfo": info}

    def _detail(self, body: Body) -> Body:
        self._world.poll()
        service = known(self.services, body["serviceId"], "service")
        if service.removed:
            raise Refusal("NotFound", "service not exist")
        return self._summary(service)

    def _deactivate(self, body: Body) -> Body:
        """Takes a service offline; its units go on costing money."""
        service = known(self.services, body["serviceId"], "service")
        if service.deactivated is None:
            service.deactivated = self._world.now
        return {"operation": True, "message": "当前服务独占后付费资源，请注意空闲资源释放！"}

    def _expired(self, service: Service) -> bool:
        ends = self._ends(service)
        return ends is not None and self._world.now >= ends

    def _ends(self, service: Service) -> float | None:
        reserved = service.billing.get("reservation")
        return service.began + _MONTH * reserved["reservationLength"] if reserved else None

    def units_of(self, service: Service) -> list[Body]:
        """The service's compute units as they are listed."""
        ends = self._ends(service)
        times = {"startTime": _time(service.began), "expireTime": _time(ends) if ends is not None else ""}
        return [
            {**{"status": "Deleted" if self._expired(service) else "Running"}, **times, **unit}
            for unit in service.units
        ]

    def _list_units(self, body: Body) -> Body:
        return {"instances": self.units_of(known(self.services, body["serviceId"], "service"))}

    def _release_unit(self, body: Body) -> bool:
        """Gives a unit back that is paid by use, and only when nothing runs on it; the service stays listed."""
        service = known(self.services, body["serviceId"], "service")
        unit = next((unit for unit in service.units if unit["instanceId"] == body["instanceId"]), None)
        if unit is None or unit.get("status") == "Deleted":
            raise Refusal("NotFound", "no such instance")
        if unit["paymentTiming"] != "Postpaid":
            raise inappropriate("paymentTiming")
        if self.status(service) not in ("Stopped", "Failed"):
            raise Refusal("ServiceRunning", "the service must be taken offline first")
        unit["status"] = "Deleted"
        return True


def _time(seconds: float) -> str:
    return (EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")
