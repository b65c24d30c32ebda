"""A worker that can be stopped without loss: what its runs have asked for is waited for, then the runs are handed on.

python -m deployments.worker --name w2

Prefect's own worker ends its runs within a second when it is told to stop. Here it is made to stand still first, so
that it neither begins new runs nor ends old ones; each run is told to stop in good order (see
`tasks/running/hand_on.py`), and when all have ended, so does the worker.
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, NoReturn

from prefect.settings import PREFECT_API_URL, PREFECT_WORKER_WEBSERVER_PORT

from deployments.bootstrap import WORK_POOL
from deployments.on_server import require_server
from deployments.parts import tether
from deployments.watchdog import Watchdog, answers
from flows.wiring.commands.environment import child_environment, make_temporary_folder, raise_file_limit
from flows.wiring.commands.own_server import free_port
from flows.wiring.commands.standard_streams import complain
from flows.wiring.services import check_settings
from tasks.domain.errors import KefuError
from tasks.running.scratch import scratch_folder

# A call's time limit, the drain of a run, and what it takes to say so.
GRACE_SECONDS: Final = 60.0

_WORKER_SECONDS: Final = 10.0

STOP_SECONDS: Final = GRACE_SECONDS + 2 * _WORKER_SECONDS

_POLL_SECONDS: Final = 0.2

# A worker that stands still hears nothing else; `deployments.patient` then ends by itself.
_TETHER: Final = tether("CONT")

# Of Prefect's worker: it says there that it asks for runs.
_HEALTH_FLAG: Final = "--with-healthcheck"

# What an older version left, with the worker's whole environment in it.
_LEFTOVERS: Final = "prefect-workspace-attempt-*"
_LEFTOVER_DAYS: Final = 2


class Stopped(Exception):
    """Somebody asked the worker to stop."""


def run_worker(arguments: Sequence[str]) -> int:
    """Run Prefect's worker until it ends or this process is stopped; return the exit code."""
    temporary = Path(tempfile.gettempdir())
    _remove_leftovers(temporary)
    # A run that is killed leaves its environment, keys in the clear, in the temporary folder: here that dies with us.
    port = PREFECT_WORKER_WEBSERVER_PORT.value() if _HEALTH_FLAG in arguments else free_port()
    arguments = [*arguments, *([] if _HEALTH_FLAG in arguments else [_HEALTH_FLAG])]
    with scratch_folder(temporary / "kefu-worker", "worker") as folder:
        process = subprocess.Popen(  # noqa: S603
            [*_TETHER, sys.executable, "-m", "deployments.patient", "worker", "start", *arguments],
            env=child_environment(TMPDIR=str(folder), PREFECT_WORKER_WEBSERVER_PORT=str(port)),
            start_new_session=True,  # Ctrl-C is for this process
        )
        watchdog = Watchdog(
            "worker",
            lambda: does_its_work(f"http://127.0.0.1:{port}/health"),
            lambda: os.kill(os.getpid(), signal.SIGTERM),
        )
        watchdog.start()
        try:
            return process.wait()
        except Stopped:
            _say("no new runs; those under way finish what they have asked for and are handed on")
            stop_in_good_order(process)
            return 0
        finally:
            watchdog.stop()
            _kill(process)


def does_its_work(health: str) -> bool:
    """Return true where a worker asks for runs, or can't, as its server is away: then its runs go on.

    Args:
        health: the address by which the worker says that.
    """
    server = PREFECT_API_URL.value()
    return answers(health) or not server or not answers(f"{server}/health")


def stop_in_good_order(worker: "subprocess.Popen[bytes]", grace_seconds: float = GRACE_SECONDS) -> None:
    """Have the worker's runs end in good order, then the worker."""
    with suppress(ProcessLookupError):
        os.kill(worker.pid, signal.SIGSTOP)
        runs = children(worker.pid)
        for pid in runs:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        until = time.monotonic() + grace_seconds
        while any(is_alive(pid) for pid in runs) and time.monotonic() < until:
            time.sleep(_POLL_SECONDS)
        late = sum(is_alive(pid) for pid in runs)
        _say(f"{len(runs) - late} of {len(runs)} runs have ended in good order")
        os.kill(worker.pid, signal.SIGTERM)
        os.kill(worker.pid, signal.SIGCONT)
    with suppress(subprocess.TimeoutExpired):
        worker.wait(_WORKER_SECONDS)


def children(pid: int) -> list[int]:
    """The processes that a process has started and not taken leave of."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError, IndexError, ValueError):
                if int((entry / "stat").read_text().rpartition(")")[2].split()[1]) == pid:
                    found.append(int(entry.name))
    return found


def is_alive(pid: int) -> bool:
    """Return true where a process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _kill(process: "subprocess.Popen[bytes]") -> None:
    for pid in (*children(process.pid), process.pid):
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
    process.wait()


def _remove_leftovers(folder: Path) -> None:
    old = time.time() - _LEFTOVER_DAYS * 86400
    for path in folder.glob(_LEFTOVERS):
        with suppress(OSError):
            if path.stat().st_uid == os.geteuid() and path.stat().st_mtime < old:
                shutil.rmtree(path, ignore_errors=True)


def _say(line: str) -> None:
    with suppress(OSError, ValueError):  # a full disk does not keep the runs from ending in good order
        sys.stdout.write(f"worker: {line}\n")
        sys.stdout.flush()


def _stop(number: int, frame: object) -> NoReturn:
    signal.signal(number, signal.SIG_DFL)  # a second time ends it at once
    raise Stopped


def main(arguments: Sequence[str]) -> int:
    """The command line; the server is the one that PREFECT_API_URL names."""
    parser = argparse.ArgumentParser(
        prog="python -m deployments.worker",
        description=(__doc__ or "").partition("\n")[0],
        epilog="Everything else is handed to prefect worker start.",
        allow_abbrev=False,
    )
    parser.add_argument("--pool", default=WORK_POOL, help=f"whose runs it takes (default: {WORK_POOL})")
    parser.add_argument("--type", default="process", help="of the pool (default: process)")
    parser.add_argument("--check", action="store_true", help="only say whether its settings can be right")
    args, others = parser.parse_known_args(arguments)
    make_temporary_folder()
    try:
        check_settings({})
        if args.check:
            return 0
        require_server()
        raise_file_limit()
    except KefuError as error:
        return complain(error)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, _stop)
    return run_worker(["--pool", args.pool, "--type", args.type, *others])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
