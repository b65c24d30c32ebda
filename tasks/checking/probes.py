"""Things that a night needs, tried one by one through their ports. Nothing is left behind."""

import asyncio
import time
from collections.abc import Coroutine, Sequence
from datetime import UTC, date, datetime
from typing import Any, Final
from uuid import uuid4

from prefect.client.orchestration import PrefectClient, get_client
from prefect.exceptions import ObjectNotFound

from tasks.checking.rules.findings import Asked, Finding, PrefectFacts
from tasks.domain.errors import KefuError, NoLogs, PreconditionFailed, RequestInvalid
from tasks.domain.ports import ObjectStore, Summarizer
from tasks.domain.records import Conversation, Request, Turn
from tasks.reading.log_objects import list_logs
from tasks.running.watch_sign import last_sign

_SECONDS: Final = 20.0

_NIGHTLY: Final = "summarize-day/nightly"

CONVERSATION: Final = Conversation(
    "check-setup",
    (
        Turn("user", "你好，我的包裹三天没有动静了"),
        Turn("agent", "已为您催促快递站点，预计明天送达"),
        Turn("user", "好的，谢谢"),
    ),
    "check_setup",
    1,
)


async def tried(what: str, probe: Coroutine[Any, Any, Sequence[Finding]]) -> Sequence[Finding]:
    """Return a probe's findings; an error, or no end within 20 s, is a finding as well."""
    try:
        return await asyncio.wait_for(probe, _SECONDS)
    except TimeoutError:
        return [Finding(what, "failed", f"no answer within {_SECONDS:g} s", "check the address and the network")]
    except KefuError as error:
        return [Finding(what, "failed", str(error))]


async def probe_source(store: ObjectStore, name: str, day: date) -> Sequence[Finding]:
    """Find the day's logs and read one of them."""

    def find_and_read() -> Finding:
        try:
            logs = list_logs(store, name)
        except NoLogs as error:
            return Finding("logs", "warning", f"listed, and {day} has none ({error})", "check the source's address")
        with store.open_object(logs[0].key) as opened:
            opened.read(1)
        return Finding("logs", "ok", f"{len(logs)} of {day}, {store.uri_of(logs[0].key)} can be read")

    return [await asyncio.to_thread(find_and_read)]


async def probe_warehouse(store: ObjectStore) -> Sequence[Finding]:
    """Write an object, replace it under a condition, list it, delete it."""

    def use() -> Finding:
        key = f"_staging/check-setup-{uuid4().hex}.json"
        etag = store.write_path(key, b"{}", if_absent=True)
        try:
            store.write_path(key, b"{} ", if_match=etag)
            try:
                store.write_path(key, b"", if_match=etag)
            except PreconditionFailed:
                pass
            else:
                return Finding(
                    "warehouse",
                    "failed",
                    f"{store.uri} ignores conditions on writes, so that two runs could publish one day at once",
                    "use another store",
                )
            if not any(found.key == key for found in store.list_objects("_staging/")):
                return Finding(
                    "warehouse", "failed", f"{store.uri} does not list what was written", "use another store"
                )
        finally:
            store.delete(key)
        return Finding("warehouse", "ok", f"{store.uri} is written, replaced under condition, listed and deleted")

    return [await asyncio.to_thread(use)]


async def ask(summarizer: Summarizer, request: Request) -> Asked:
    """One call of the endpoint. It costs what such a call costs."""
    began = time.monotonic()
    try:
        reply = await summarizer.summarize(request, lambda: None)
    except RequestInvalid as error:
        return Asked(None, error=str(error), invalid=True)
    except KefuError as error:
        return Asked(None, error=str(error))
    return Asked(reply, time.monotonic() - began)


async def ask_prefect(pool: str, automations: Sequence[str]) -> PrefectFacts:
    """Collect the Prefect server's facts about the nightly.

    Args:
        pool: the work pool that its workers belong to.
        automations: the names of those that there should be.

    Raises:
        httpx.HTTPError: it can't be reached, or refuses.
    """
    async with get_client() as client:
        server = str(await client.api_version())
        database = await _database(client)
        workers = await _workers(client, pool)
        signed = await last_sign(client)
        return PrefectFacts(
            server,
            database,
            pool,
            workers,
            await _is_scheduled(client),
            None if signed is None else (datetime.now(UTC) - signed).total_seconds(),
            await _automations_not_on(client, automations),
        )


async def _automations_not_on(client: PrefectClient, names: Sequence[str]) -> list[str]:
    found = {name: await client.read_automations_by_name(name) for name in names}
    return [name for name, there in found.items() if not any(deployment.enabled for deployment in there)]


async def _database(client: PrefectClient) -> str:
    answer = await client._client.get("/admin/settings")
    database = (answer.json().get("server") or {}).get("database") or {}
    url = str(database.get("driver") or database.get("connection_url") or "")
    return "postgresql" if url.startswith("postgresql") else "sqlite" if url.startswith("sqlite") else ""


async def _workers(client: PrefectClient, pool: str) -> int | None:
    try:
        await client.read_work_pool(pool)
    except ObjectNotFound:
        return None
    workers = await client.read_workers_for_work_pool(pool)
    return sum(str(getattr(worker.status, "value", worker.status)) == "ONLINE" for worker in workers)


async def _is_scheduled(client: PrefectClient) -> bool | None:
    try:
        deployment = await client.read_deployment_by_name(_NIGHTLY)
    except ObjectNotFound:
        return None
    return not deployment.paused and any(schedule.active for schedule in deployment.schedules)
