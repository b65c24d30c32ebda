"""Watch a Prefect server from outside: restart runs that died, and notify people.

python -m deployments.watch

`make serve` and the compose file run it beside the server; on a server of your own run it as a service. It reads the
settings that the worker reads, to see in the warehouse which runs live. One is enough, two do no harm.
"""

import argparse
import asyncio
import logging
import os
import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Final
from uuid import UUID

import httpx
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.objects import FlowRun, StateType, WorkerStatus
from prefect.exceptions import PrefectException
from prefect.settings import PREFECT_API_URL, PREFECT_UI_URL
from prefect.variables import Variable

from deployments.on_server import require_server
from deployments.outbox import LABEL, Outbox
from deployments.sign_of_life import give_sign, was_given_here
from deployments.watchdog import Watchdog
from flows.wiring.commands.standard_streams import complain
from flows.wiring.services import notification_wire, open_warehouse
from flows.wiring.settings import load_settings
from tasks.delivering.deliver import read_addresses
from tasks.domain.days import previous_day
from tasks.domain.errors import KefuError, UsageError
from tasks.domain.layout import lease_key
from tasks.running.backfill_runs import NIGHTLY_TAG
from tasks.running.repair import LeaseSign, Repaired, Repairer, may_be_begun_again, read_runs
from tasks.running.rules import happenings
from tasks.running.rules.happenings import RunFacts
from tasks.running.rules.repair import is_passing
from tasks.running.run_states import CEILING_REACHED
from tasks.running.watch_sign import WatchSign
from tasks.warehouse.day_lease import is_running, this_process
from tasks.warehouse.rules.lease import decode_lease

_log = logging.getLogger("kefu.watch")

LOOK_SECONDS: Final = 5.0

_HOUR_SECONDS: Final = 3600.0

# A server that is started again is there by then; longer, people want to know.
_AWAY_SECONDS: Final = 120.0

RECENT: Final = timedelta(hours=24)

# From 02:30 to 06:00.
NIGHTLY_PATIENCE: Final = timedelta(hours=3, minutes=30)

_UNATTENDED: Final = timedelta(minutes=15)

# A disk is told to be full at the first share of free space, and forgotten at the second.
_DISK_FULL, _DISK_FREE = 0.05, 0.08

_SINCE: Final = "kefu_watched_since"

# What Prefect's client raises while its server is away, is starting, or is overloaded.
_SERVER_AWAY = (httpx.HTTPError, PrefectException, OSError, RuntimeError)


@dataclass
class Watch:
    """Checks the server at intervals.

    Args:
        outbox: takes what people are told.
        repairer: does what can be done.
        alive_url: posted to after each nightly that is done, for a dead man's switch; empty: nobody is.
        folders: whose disks are looked at.
        zone: of the times that people read.
    """

    outbox: Outbox
    repairer: Repairer
    alive_url: str
    folders: Sequence[Path]
    zone: tzinfo
    _full: set[Path] = field(default_factory=set)
    _away_since: float | None = None
    _away_told: bool = False
    _outages: int = 0
    _nights_at: float | None = None
    _alive: set[UUID] = field(default_factory=set)
    _sign: WatchSign = field(default_factory=WatchSign)

    async def run(self) -> None:
        """Check the server until the process ends."""
        while True:
            give_sign()
            try:
                async with get_client() as client:
                    while True:
                        await self.look(client)
                        self._server_is_there()
                        give_sign()
                        await asyncio.sleep(LOOK_SECONDS)
            except _SERVER_AWAY as error:
                _log.info("The server does not answer (%s); asking again.", type(error).__name__)
                self._server_is_away()
                self._look_at_disks()
                await self.outbox.send()
                await asyncio.sleep(LOOK_SECONDS)

    async def look(self, client: PrefectClient) -> None:
        """Check once: repair what can be repaired, and queue the notifications."""
        since = await _watched_since(client)
        await self._sign.give()
        if self._nights_at is None or time.monotonic() - self._nights_at > _HOUR_SECONDS:
            await self.repairer.ask_for_missed_nights(client, datetime.now(UTC))
            self._nights_at = time.monotonic()
        done = await self.repairer.look(client, since)
        for repair in done:
            self._tell_of_repair(repair)
        await self._tell_of_failures(client, since, {repair.run.id for repair in done if repair.what == "given up"})
        await self._tell_of_ends(client, since)
        await self._tell_of_the_late(client)
        self._look_at_disks()
        await self.outbox.send(client)

    def _tell_of_repair(self, done: Repaired) -> None:
        if done.what != "given up":
            _log.info("%s: %s. %s", done.run.name, done.what, done.why)
        if done.what == "begun again":
            self.outbox.notify(happenings.begun_again(facts(done.run, self.zone), done.why), done.run)

    async def _tell_of_failures(self, client: PrefectClient, since: datetime, given_up: set[UUID]) -> None:
        for run in await read_runs(client, StateType.FAILED, StateType.CRASHED, ended_since=since):
            passing = run.state_type == StateType.CRASHED or is_passing((run.state and run.state.message) or "")
            if passing and run.id not in given_up and (may_be_begun_again(run) or run.parent_task_run_id):
                continue  # it is begun again at the next look, by us or by the run that it is a part of
            self.outbox.notify(happenings.failure(facts(run, self.zone)), run)

    async def _tell_of_ends(self, client: PrefectClient, since: datetime) -> None:
        for run in await read_runs(client, StateType.COMPLETED, ended_since=since):
            if run.state is not None and run.state.name == CEILING_REACHED:
                pass  # spent what it may, as somebody wanted it: done for today
            elif run.state is not None and run.state.name != "Completed":
                self.outbox.notify(happenings.doubtful(facts(run, self.zone)), run)
            elif self.outbox.was_told(run):
                self.outbox.notify(happenings.recovered(facts(run, self.zone)), run, "recovered")
            if self.alive_url and NIGHTLY_TAG in run.tags:
                await self._say_alive(client, run)

    async def _tell_of_the_late(self, client: PrefectClient) -> None:
        now = datetime.now(UTC)
        waiting = await read_runs(client, StateType.SCHEDULED, StateType.PENDING, StateType.RUNNING)
        due = [(run, run.expected_start_time) for run in waiting if run.expected_start_time]
        for run, at in due:
            if NIGHTLY_TAG in run.tags and NIGHTLY_PATIENCE < now - at < RECENT:
                by = f"{(at + NIGHTLY_PATIENCE).astimezone(self.zone):%H:%M}"
                self.outbox.notify(happenings.late(facts(run, self.zone), by), run, "late")
        unattended: dict[str | None, FlowRun] = {}  # one of each work pool speaks for all
        for run, at in due:
            if _is_late(run) and _UNATTENDED < now - at < RECENT:
                unattended.setdefault(run.work_pool_name, run)
        for run in unattended.values():
            if not await _has_worker(client, run):
                self.outbox.notify(happenings.unattended(facts(run, self.zone)), run, "unattended")

    async def _say_alive(self, client: PrefectClient, run: FlowRun) -> None:
        label = f"{LABEL}alive"
        if run.id in self._alive or label in run.labels:
            return
        try:
            status, _ = await asyncio.to_thread(self.outbox.wire.post, self.alive_url, b"{}")
        except OSError as error:
            _log.warning("The sign of life was not taken: %s", error)
            return
        if status < 300:
            self._alive.add(run.id)
            await client.update_flow_run_labels(run.id, {label: "yes"})

    def _look_at_disks(self) -> None:
        for folder in self.folders:
            there = next(place for place in (folder, *folder.resolve().parents) if place.exists())
            usage = shutil.disk_usage(there)
            share = usage.free / max(usage.total, 1)
            if share < _DISK_FULL and folder not in self._full:
                self._full.add(folder)
                self.outbox.notify(happenings.disk(str(folder), usage.free // 2**20, share))
            elif share > _DISK_FREE:
                self._full.discard(folder)

    def _server_is_there(self) -> None:
        if self._away_since is None:
            return
        self._away_since, self._nights_at = None, None
        self.repairer.forget()
        if self._away_told:
            self._away_told = False
            self.outbox.notify(happenings.back(self._outages))

    def _server_is_away(self) -> None:
        now = time.monotonic()
        self._away_since = self._away_since or now
        if now - self._away_since > _AWAY_SECONDS and not self._away_told:
            self._away_told = True
            self._outages += 1
            self.outbox.notify(happenings.outage(self._outages, (now - self._away_since) / 60))


def facts(run: FlowRun, zone: tzinfo = UTC) -> RunFacts:
    """Return the facts of a run that a message may show.

    Args:
        run: a nightly that has not begun has a name that Prefect made up; here it is called after its day.
        zone: of the days.
    """
    assert run.state is not None
    due, name = run.expected_start_time, run.name
    if NIGHTLY_TAG in run.tags and run.start_time is None and due:
        name = f"summarize-{run.parameters.get('day') or previous_day(due, zone)}"
    pages = PREFECT_UI_URL.value() or (PREFECT_API_URL.value() or "").removesuffix("/api")
    return RunFacts(
        id=str(run.id),
        name=name,
        state_id=str(run.state.id),
        state=run.state.name or "",
        message=run.state.message or "",
        link=f"{pages}/runs/flow-run/{run.id}" if pages else "",
        parameters=run.parameters,
    )


def lease_of(run: FlowRun) -> LeaseSign:
    """Return the warehouse's sign of life of a run that holds a day; an empty sign where it can't be read. Blocking."""
    try:
        settings = load_settings(run.parameters.get("settings") or {})
        asked, due = run.parameters.get("day"), run.expected_start_time or datetime.now(UTC)
        day = datetime.fromisoformat(str(asked)).date() if asked else previous_day(due, settings.zone)
        lease = decode_lease(open_warehouse(settings).read_path(lease_key(day)))
    except (KefuError, ValueError):
        return LeaseSign()
    if lease is None or lease.run_id != str(run.id):
        return LeaseSign()
    here = this_process()
    same_machine = (lease.holder.host, lease.holder.boot) == (here.host, here.boot)
    return LeaseSign(str(lease.renewals), same_machine and not is_running(lease.holder))


async def _watched_since(client: PrefectClient) -> datetime:
    """The time from which on ends of runs are this watch's business: not from before there was one, nor for ever."""
    found, now = await client.read_variable_by_name(_SINCE), datetime.now(UTC)
    if found is None:
        await Variable.aset(_SINCE, now.isoformat(), overwrite=True)
        return now
    since = datetime.fromisoformat(str(found.value))
    # A clock that was ahead when the watch began, and was set back, makes nothing nobody's business.
    return since if now - RECENT < since <= now else now - RECENT


async def _has_worker(client: PrefectClient, run: FlowRun) -> bool:
    if not run.work_pool_name:
        return True
    workers = await client.read_workers_for_work_pool(run.work_pool_name)
    return any(worker.status == WorkerStatus.ONLINE for worker in workers)


def _is_late(run: FlowRun) -> bool:
    return run.state is not None and run.state.name == "Late"


def make_watch(webhook_url: str, alive_url: str, folders: Sequence[Path]) -> Watch:
    """A watch with this machine's settings, whose words arguments beat.

    Raises:
        UsageError: a setting or an address can't be right.
    """
    settings = load_settings({})
    addresses = read_addresses(webhook_url or settings.webhook_url.get_secret_value())
    return Watch(
        Outbox(addresses, notification_wire()),
        Repairer(lease_of),
        alive_url or settings.alive_url.get_secret_value(),
        folders,
        settings.zone,
    )


def main(arguments: Sequence[str]) -> int:
    """The command line; the server is the one that PREFECT_API_URL names."""
    parser = argparse.ArgumentParser(prog="python -m deployments.watch", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--webhook-url", default="", help="where notifications go, separated by blanks (default: KEFU_WEBHOOK_URL)"
    )
    parser.add_argument(
        "--alive-url", default="", help="posted to after each nightly that is done (default: KEFU_ALIVE_URL)"
    )
    parser.add_argument("--disk", type=Path, nargs="*", default=[], help="folders whose disks must not fill up")
    args = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s  %(message)s", stream=sys.stdout, force=True)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    try:
        require_server()
        watch = make_watch(args.webhook_url, args.alive_url, args.disk)
    except UsageError as error:
        return complain(error)
    Watchdog("watch", was_given_here, lambda: os._exit(1)).start()
    sys.stdout.write("watching\n")
    sys.stdout.flush()
    try:
        asyncio.run(watch.run())
    except KeyboardInterrupt:
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
