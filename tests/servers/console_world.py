"""State that the console's families of calls share: its clock, its behavior, ids, refusals, pages, listings that lag.

The references (W…) in the console's modules name the differences that Baidu's API pages, its cookbooks and its SDK's own
tests show between the platform and what one would expect of it; each stands at the handler that has it.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

Body = dict[str, Any]


@dataclass
class Behavior:
    """Everything that can be changed at run time. Times are in the server's own seconds."""

    seconds_per_poll: float = 60.0
    listing_seconds: float = 90.0  # a thing is listed only so long after its creation
    queue_seconds: float = 60.0
    train_seconds: float = 600.0
    publish_seconds: float = 120.0
    payment_seconds: float = 60.0  # a service is New for so long, until its order is paid
    deploy_seconds: float = 180.0
    stop_seconds: float = 60.0
    optimize_seconds: float = 60.0
    running_tasks: int = 6  # more at once are refused with 510402
    rows_at_least: int = 1  # smaller datasets are refused with 510101
    checkpoint_lists: bool = False  # finished tasks list checkpoints; else the list is empty
    names_repeat: bool = False  # a service may have the name of another one
    task_fates: dict[str, str] = field(default_factory=dict)  # number of the task, from 1 -> fail, hang
    publish_fate: str = ""  # fail, hang
    service_fate: str = ""  # fail, hang, unpaid, unstoppable
    poor_fields: bool = True  # fields that the reference calls optional are left out where they can be


class Refusal(Exception):
    """A refused call: an old error number, a code of the V2 interface, or "" for the oldest shape."""

    def __init__(self, code: int | str, message: str) -> None:
        super().__init__(message)
        self.code = code


class World:
    """The clock and what every family needs; one a server."""

    def __init__(self, behavior: Behavior) -> None:
        self.behavior = behavior
        self.now = 0.0
        self._serial = 0
        self._created: dict[str, float] = {}

    def new_id(self, prefix: str) -> str:
        """An id; what has it is listed later (`listed`)."""
        self._serial += 1
        made = f"{prefix}-{hashlib.blake2b(str(self._serial).encode(), digest_size=6).hexdigest()}"
        self._created[made] = self.now
        return made

    def poll(self) -> None:
        """A look at something unfinished moves time on."""
        self.now += self.behavior.seconds_per_poll

    def listed(self, items: Iterable[Body], key: str) -> list[Body]:
        """Those whose creation has reached the listings; looking moves time on."""
        seen = [
            item for item in items if self.now - self._created.get(item[key], -1e9) >= self.behavior.listing_seconds
        ]
        self.poll()
        return seen


def known(things: dict[str, Any], key: str, kind: str) -> Any:
    """The thing of that id.

    Raises:
        Refusal: there is none.
    """
    if key not in things:
        raise Refusal("NotFound", f"no such {kind}: {key}")
    return things[key]


def page(items: Iterable[Body], body: Body, key: str) -> tuple[list[Body], Body]:
    """A page, newest first, as the real lists come. The last one has no nextMarker."""
    ordered = list(items)[::-1]
    size = min(int(body.get("maxKeys", 10)), 100)
    start = next((number for number, item in enumerate(ordered) if item[key] == body.get("marker")), 0)
    shown, rest = ordered[start : start + size], ordered[start + size :]
    info = {"marker": body.get("marker", ""), "maxKeys": size, "isTruncated": bool(rest)}
    return shown, {**info, "nextMarker": rest[0][key]} if rest else info


def inappropriate(name: str) -> Refusal:
    """The V2 interface's word for a parameter that it does not take."""
    message = "The JSON you provided was well-formed and valid, but not appropriate for this operation."
    return Refusal("InappropriateJSON", f"{message} param[{name}] invalid.")
