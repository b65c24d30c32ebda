"""Real workers of the work pool, as processes that can be killed with all they started."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.conftest import ROOT
from tests.servers.prefect import PrefectServer


def worker_environment(server: PrefectServer, accounts: Mapping[str, str]) -> dict[str, str]:
    """For workers and for the commands beside them."""
    return server.environment() | {"KEFU_HOME": str(ROOT), "PREFECT_WORKER_QUERY_SECONDS": "1"} | dict(accounts)


def deploy(environment: Mapping[str, str]) -> None:
    """The work pool and every deployment, as the README makes them."""
    deploying = ["-m", "prefect", "--no-prompt", "deploy", "--prefect-file", "deployments/prefect.yaml", "--all"]
    for arguments in (["-m", "deployments.bootstrap"], deploying):
        subprocess.run([sys.executable, *arguments], cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)


@contextmanager
def worker(name: str, environment: Mapping[str, str], folder: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A worker in a process group of its own with the flow runs it starts; it writes `<name>.log`."""
    with (folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "prefect", "worker", "start", "--pool", "kefu", "--name", name],
            cwd=folder,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        kill_group(process)


def kill_group(process: "subprocess.Popen[bytes]") -> None:
    """Kill a worker and its flow runs at once, as a power cut would."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
