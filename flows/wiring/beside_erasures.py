"""Runs that carry texts, and erasures: one waits for the other."""

import asyncio
import inspect
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any, Final, ParamSpec, TypeVar

from prefect import get_run_logger, runtime

from flows.wiring.services import open_warehouse
from flows.wiring.settings import Settings, load_settings
from tasks.domain.errors import BucketMissing, ObjectMissing
from tasks.domain.ports import ObjectStore
from tasks.running.signals import on_signals
from tasks.warehouse.day_lease import DayLease, Patience
from tasks.warehouse.erasure_lease import acquire_texts, begin_erasure

_Arguments = ParamSpec("_Arguments")
_Made = TypeVar("_Made")

# A run inside another that holds already would wait for the erasure, which waits for the outer one.
_holding: Final[ContextVar[frozenset[str]]] = ContextVar("holding", default=frozenset())


def beside_no_erasure(
    function: Callable[_Arguments, Awaitable[_Made]],
) -> Callable[_Arguments, Coroutine[Any, Any, _Made]]:
    """Let a flow with `settings` wait for an erasure under way, and the next erasure for the flow."""
    signature = inspect.signature(function)

    @wraps(function)
    async def held(*args: _Arguments.args, **kwargs: _Arguments.kwargs) -> _Made:
        settings = signature.bind(*args, **kwargs).arguments.get("settings")
        async with texts_held(load_settings(settings or {})):
            return await function(*args, **kwargs)

    return held


@asynccontextmanager
async def texts_held(config: Settings) -> AsyncIterator[None]:
    """Let no erasure run beside the block, which reads texts in the warehouse and writes what it makes of them."""
    warehouse = open_warehouse(config)
    if warehouse.uri in _holding.get() or not await asyncio.to_thread(_has_texts, warehouse):
        yield
        return
    async with _held(acquire_texts, warehouse, config):
        before = _holding.get()
        _holding.set(before | {warehouse.uri})
        try:
            yield
        finally:
            _holding.set(before)


def _has_texts(warehouse: ObjectStore) -> bool:
    # A first day has nothing to erase; and a warehouse's name with a typo is not to become a folder.
    try:
        return any(True for _ in warehouse.list_objects("runs/"))
    except (BucketMissing, ObjectMissing):
        return False


@asynccontextmanager
async def erasing(warehouse: ObjectStore, config: Settings) -> AsyncIterator[None]:
    """Let the runs that carry texts end first, and new ones wait for the block."""
    async with _held(begin_erasure, warehouse, config):
        yield


@asynccontextmanager
async def _held(
    acquire: Callable[[ObjectStore, str, Patience], DayLease], warehouse: ObjectStore, config: Settings
) -> AsyncIterator[None]:
    stop = threading.Event()
    patience = Patience(config.busy_wait_seconds, get_run_logger().info, stop.is_set)
    with on_signals(lambda _: stop.set()):
        lease = await asyncio.to_thread(acquire, warehouse, str(runtime.flow_run.id), patience)
    try:
        yield
    finally:
        await asyncio.to_thread(lease.release)
