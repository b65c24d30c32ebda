"""Outbox of notifications: each is sent once, and retried until a receiver takes it.

A receiver that fails once is spared the others for a while: its silence must not keep the watch from its work.

What a run's message became of is kept in the run's own labels, so that neither a restart nor a second watch tells it
again. A message about anything else lives as long as this process.
"""

import asyncio
import hashlib
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import FlowRun

from tasks.delivering.deliver import Wire, deliver
from tasks.delivering.rules.addresses import Address
from tasks.delivering.rules.message import Message

_log = logging.getLogger("kefu.watch")

_LONGEST_PAUSE_SECONDS: Final = 600.0

LABEL: Final = "kefu."


@dataclass
class _Outgoing:
    message: Message
    address: Address
    label: tuple[UUID, str] | None
    tries: int = 0
    due: float = 0.0


@dataclass
class Outbox:
    """Messages on their way.

    Args:
        addresses: whom to tell.
        wire: sends.
        clock: seconds that never go back.
    """

    addresses: Sequence[Address]
    wire: Wire
    clock: Callable[[], float] = time.monotonic
    _outgoing: list[_Outgoing] = field(default_factory=list)
    _told: dict[tuple[UUID, str], str] = field(default_factory=dict)

    def notify(self, message: Message, run: FlowRun | None = None, kind: str = "told") -> None:
        """Send a message at the next `send`; about a run only if its labels don't show that it was sent already.

        Args:
            message: what to say.
            run: what it is about, if it is about a run.
            kind: for each kind a run has a label of its own.
        """
        for address in self.addresses:
            label = f"{LABEL}{kind}.{_short(address)}"
            if run is not None:
                if message.id in {self._told.get((run.id, label)), run.labels.get(label)}:
                    continue
                self._told[run.id, label] = message.id
            self._outgoing.append(_Outgoing(message, address, (run.id, label) if run else None))

    def was_told(self, run: FlowRun) -> bool:
        """Return true where somebody was notified of a failure of this run."""
        labels = {*run.labels, *(label for run_id, label in self._told if run_id == run.id)}
        return any(label.startswith(f"{LABEL}told.") for label in labels)

    async def send(self, client: PrefectClient | None = None) -> None:
        """Send what is due; what is not taken is due again after a while, longer each time.

        Args:
            client: of the server, if that is there: it keeps what was told.
        """
        # What was tried least goes first, so that a message that is never taken holds up no other.
        for outgoing in sorted(self._outgoing, key=lambda outgoing: outgoing.tries):
            if outgoing.due > self.clock():
                continue
            (sent,) = await asyncio.to_thread(deliver, outgoing.message, [outgoing.address], self.wire, pauses=())
            if sent.why_not:
                outgoing.tries += 1
                self._spare(outgoing.address, self.clock() + min(2.0**outgoing.tries, _LONGEST_PAUSE_SECONDS))
                continue
            self._outgoing.remove(outgoing)
            _log.info("told %s: %s", outgoing.address.place, outgoing.message.title)
            if outgoing.label and client:
                run_id, label = outgoing.label
                await client.update_flow_run_labels(run_id, {label: outgoing.message.id})

    def _spare(self, address: Address, until: float) -> None:
        for outgoing in self._outgoing:
            if outgoing.address == address:
                outgoing.due = max(outgoing.due, until)


def _short(address: Address) -> str:
    return hashlib.sha256(f"{address.form} {address.url}".encode()).hexdigest()[:8]
