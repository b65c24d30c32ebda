"""SIGKILL of the process that tunes, publishes and deploys, in the middle of its calls to the console."""

import asyncio
import json
import multiprocessing
import os
import random
import signal
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from urllib.request import urlopen

import pytest

from tasks.clients.folder_store import FolderStore
from tasks.clients.qianfan.credentials import QianfanCredentials
from tasks.clients.qianfan.platform import QianfanConsole
from tasks.domain.model_platform import TrainingData
from tasks.tuning.create_once import WaitPolicy
from tasks.tuning.rollout import begin_rollout, deploy_service, publish_model
from tasks.tuning.rules.experiments import load_matrix
from tasks.tuning.rules.rollout_record import ServiceSpec
from tasks.tuning.training_jobs import advance, find_same, plan
from tests.servers.console import ConsoleServer
from tests.servers.console_services import EPOCH
from tests.servers.qianfan import ACCESS_KEY, SECRET_KEY

KILLS = 40

# A server that forks: a process of its own for each life costs milliseconds, and inherits none of this one's threads.
processes = multiprocessing.get_context("forkserver")
processes.set_forkserver_preload([__name__])


def live(begin: Connection, url: str, folder: Path, dataset: str) -> None:
    """Wait until this process's number is known, and do one process's work: take the tuning and its rollout up where they are, and go on to the end."""

    def now():
        with urlopen(url + "/_state") as reply:
            return EPOCH + timedelta(seconds=json.load(reply)["now"])

    async def run():
        store, waiting = FolderStore(folder), WaitPolicy(timedelta(hours=12), now=now)
        platform = QianfanConsole(QianfanCredentials(ACCESS_KEY, SECRET_KEY), url, retry_seconds=0.0)
        try:
            matrix = load_matrix()
            tuning = find_same(store, "t1", matrix)
            if tuning is None:
                tuning = await plan(store, platform, "t1", matrix, TrainingData(dataset_id=dataset), waiting)
                await tuning.save(tuning.value)
            while not tuning.value.ended:
                await advance(tuning, platform, waiting, print)
            rollout = await begin_rollout(store, tuning.value, 0, ServiceSpec(), waiting.now(), None)
            for step in (publish_model, deploy_service):
                while not await step(rollout, platform, waiting, print):
                    pass
            assert rollout.value.stage == "serving"
        finally:
            await platform.aclose()

    begin.recv()
    asyncio.run(run())


def one_life(console, folder, dataset, pid):
    """Start a process, and return its exit code; `pid` holds its number until it is killed."""
    begin, listener = processes.Pipe()
    process = processes.Process(target=live, args=(listener, console.url, folder, dataset))
    process.start()
    pid[:] = [process.pid]
    begin.send("begin")
    process.join()
    return process.exitcode


@pytest.mark.parametrize("seed", range(3))
def test_forty_kills_submit_and_pay_for_everything_once(tmp_path, seed):
    """Half of them fall between what the console did and its reply: the process never learns of what it made."""
    draw = random.Random(seed)
    pid: list[int] = []
    killed: list[tuple[str, bool]] = []

    def strike(action, done):
        risk = 0.5 if action.startswith("Create") else 0.1
        if pid and len(killed) < KILLS and draw.random() < risk:
            killed.append((action, done))
            os.kill(pid.pop(), signal.SIGKILL)

    with ConsoleServer(train_seconds=30_000, deploy_seconds=3_000) as console:
        dataset = console.add_dataset(120)
        console.on_call = strike
        codes = [-signal.SIGKILL]
        while codes[-1]:
            codes.append(one_life(console, tmp_path / "warehouse", dataset, pid))
        assert set(codes) == {-signal.SIGKILL, 0}
        assert len(killed) == KILLS
        assert len(console.jobs) == len(console.tasks) == 6
        assert len(console.models.sets) == len(console.versions) == len(console.services) == 1
    assert any(done and action.startswith("Create") for action, done in killed)
