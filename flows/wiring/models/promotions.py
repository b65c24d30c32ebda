"""The history of an endpoint block: what it named, since when, by whom and why; and the way back, one step at a time.

Each state of the block is kept as a block of its own (`serving-0`, `serving-1`, …), so that its secrets stay masked;
the history block (`serving-history`) holds the rest. A step back goes to the state before, and the next one further.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, cast

from prefect.blocks.core import Block
from prefect.client.orchestration import get_client
from pydantic import Field

from flows.wiring.blocks import SummarizerEndpoint, find_endpoint
from tasks.domain.errors import UsageError


class PromotionHistory(Block):
    """晋升记录 · What an endpoint block named, since when, by whom and why. Written by deploy-model."""

    _block_type_name = "Promotion History"
    _block_type_slug = "promotion-history"

    events: list[dict[str, Any]] = Field(
        default_factory=list,
        title="Events",
        description="按时间先后，只增不改 · In order; never changed, only added to.",
    )


@dataclass(frozen=True, slots=True)
class Event:
    """One change of an endpoint block. `kept` is the block that keeps the state after it."""

    action: Literal["found", "promoted", "rolled back"]
    endpoint: str
    kept: str
    name: str = ""
    at: str = ""
    by: str = ""
    why: str = ""


def same_endpoint(one: str, other: str) -> bool:
    """Return true where two names are those of one endpoint, however its interface is written."""
    return one.removeprefix("v2:") == other.removeprefix("v2:")


async def events_of(block: str) -> list[Event]:
    """The history of an endpoint block, oldest first."""
    try:
        history = cast("PromotionHistory", await PromotionHistory.aload(f"{block}-history"))
    except ValueError:
        return []
    return [Event(**event) for event in history.events]


def states_of(events: list[Event]) -> list[Event]:
    """The states that lie under each other: the last is the current one; a step back restores the one before."""
    stack: list[Event] = []
    for event in events:
        if event.action == "rolled back":
            stack.pop()
        else:
            stack.append(event)
    return stack


async def promote(block: str, before: SummarizerEndpoint, endpoint: str, *, name: str, by: str, why: str) -> None:
    """Let the block name a Qianfan service, and remember what it named before. Doing it again changes nothing.

    Args:
        block: the endpoint block.
        before: what the nightly asks now, where there is no such block yet.
        endpoint: of the service.
        name: of the tuning.
        by: who does it.
        why: and why.
    """
    events, now = await events_of(block), await find_endpoint(block) or before
    states = states_of(events)
    if not states or not (_is(states[-1], now) or same_endpoint(states[-1].endpoint, endpoint)):
        # The first promotion, or somebody changed the block by hand: what it names is the state to come back to.
        events.append(await _kept(block, len(events), now, Event("found", now.endpoint, "", at=_time())))
    if not same_endpoint(states_of(events)[-1].endpoint, endpoint):
        promoted = SummarizerEndpoint(summarizer="qianfan", endpoint=endpoint, credentials=now.credentials)
        event = Event("promoted", endpoint, "", name=name, at=_time(), by=by, why=why)
        events.append(await _kept(block, len(events), promoted, event))
    await _write(block, events)
    await _restore(block, states_of(events)[-1])


async def step_back(block: str, name: str) -> tuple[Event, Event, SummarizerEndpoint]:
    """The current state, the one before it, and the endpoint that one names; nothing is changed yet.

    Raises:
        UsageError: there is no step back, or the current state is not of that tuning.
    """
    events = await events_of(block)
    states = states_of(events)
    await _finish(block, events)
    if len(states) < 2:
        raise UsageError(
            f"Nothing to roll back: no promotion has changed block {block!r} on this Prefect server. Promote a model "
            "first, or name another --block."
        )
    current, below = states[-1], states[-2]
    if current.name != name:
        raise UsageError(
            f"Block {block!r} was last promoted to {current.endpoint} of {current.name or 'a change by hand'!r} on "
            f"{current.at}, not of {name!r}: --rollback takes that one back, with --name {current.name or '…'}."
        )
    now = await find_endpoint(block)
    if now is not None and not _is(current, now):
        raise UsageError(
            f"Block {block!r} names {now.endpoint or now.summarizer}, and its history {current.endpoint}: somebody "
            "changed it by hand. Set it in the UI to what it should be."
        )
    kept = await find_endpoint(below.kept)
    if kept is None:
        raise UsageError(f"Block {below.kept!r}, which keeps the endpoint before, is gone: set {block!r} in the UI.")
    return current, below, kept


async def roll_back(block: str, below: Event, *, name: str, by: str, why: str) -> None:
    """Take the step back that `step_back` found."""
    events = await events_of(block)
    await _write(block, [*events, Event("rolled back", below.endpoint, below.kept, name, _time(), by, why)])
    await _restore(block, below)


async def blocks_naming(endpoint: str) -> list[str]:
    """The names of the endpoint blocks on this server that name an endpoint; what only keeps a past state is none."""
    async with get_client() as client:
        documents = await client.read_block_documents_by_type("summarizer-endpoint")
    named = {str(document.name): str(document.data.get("endpoint") or "") for document in documents}
    kept = {event.kept for block in named for event in await events_of(block)}
    return sorted(block for block, found in named.items() if block not in kept and same_endpoint(found, endpoint))


async def _finish(block: str, events: list[Event]) -> None:
    """Finish a step back that died between its two writes: the history has it, and the block does not."""
    now = await find_endpoint(block)
    if now is not None and events and events[-1].action == "rolled back":
        undone = states_of(events[:-1])[-1]
        if _is(undone, now):
            await _restore(block, states_of(events)[-1])


def _is(event: Event, now: SummarizerEndpoint) -> bool:
    return same_endpoint(event.endpoint, now.endpoint)


async def _kept(block: str, number: int, state: SummarizerEndpoint, event: Event) -> Event:
    name = f"{block}-{number}"
    await _fresh(state).asave(name, overwrite=True)
    return Event(event.action, event.endpoint, name, event.name, event.at, event.by, event.why)


async def _restore(block: str, state: Event) -> None:
    kept, now = await find_endpoint(state.kept), await find_endpoint(block)
    if kept is not None and (now is None or not _is(state, now) or now.summarizer != kept.summarizer):
        await _fresh(kept).asave(block, overwrite=True)


async def _write(block: str, events: list[Event]) -> None:
    history = PromotionHistory(events=[{name: getattr(event, name) for name in Event.__slots__} for event in events])
    await history.asave(f"{block}-history", overwrite=True)


def _fresh(block: SummarizerEndpoint) -> SummarizerEndpoint:
    # Loaded blocks know which document they are; saved under another name they have to be new ones.
    copy = block.model_copy(deep=True)
    copy._block_document_id = copy._block_document_name = None
    return copy


def _time() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
