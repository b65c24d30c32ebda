"""Compare how near the quota each way of calling comes.

Run `python -m tests.benchmarks.quota [--scenario NAME …] [--short]`. Every contestant does the same work against the
same strict server (`tests/servers/qianfan.py`, a sliding window over arrival times), each in a process of its own, one
after the other. *Floor* is the earliest end that a strict window allows; *fill* the mean and the least use of whole
windows after the first call. Ratios, not absolute times, are what carries over to another machine.
"""

import argparse
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import orjson

from tests.benchmarks.contestants import CONTESTANTS, MODULES, Work
from tests.benchmarks.quota_scenarios import OTHER_PEERS, OURS, SCENARIOS, SHORT, Scenario, floor_seconds

COLUMNS = (
    "contestant",
    "wall s",
    "floor s",
    "ratio",
    "fill",
    "least",
    "refused",
    "lost",
    "twice",
    "CPU s/1000",
    "conns",
)


@dataclass(slots=True)
class Row:
    """The figures of one contestant."""

    contestant: str
    result: dict[str, Any]
    stats: dict[str, Any]
    floor: float
    quota: float
    counts_tokens: bool
    conversations: int
    windows: list[float] = field(default_factory=list)

    def cells(self) -> list[str]:
        """For the table, in the order of COLUMNS."""
        full = [pair[self.counts_tokens] for pair in self.stats["window_fills"]][:-1]
        self.windows = fills = [used / self.quota for used in full] if self.quota else []
        seconds = self.result["seconds"]
        return [
            self.contestant,
            f"{seconds:.1f}",
            f"{self.floor:.1f}",
            f"{seconds / self.floor:.3f}",
            f"{sum(fills) / len(fills):.1%}" if fills else "-",
            f"{min(fills):.1%}" if fills else "-",
            str(self.stats["refused_total"]),
            str(self.conversations - self.result["done"]),
            str(self.stats["paid_twice"]),
            f"{self.result['cpu'] / self.conversations * 1000:.2f}",
            str(self.stats["connections"]),
        ]


@contextmanager
def endpoint(behavior: dict[str, Any]) -> Iterator[str]:
    """A strict server in a process of its own; gives its address."""
    command = [sys.executable, "-m", "tests.servers.qianfan", "--behavior", orjson.dumps(behavior).decode()]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield server.stdout.readline().strip()
        finally:
            server.kill()


def ask(url: str, path: str, body: Any = None) -> Any:
    """One request to the server's own pages."""
    request = urllib.request.Request(url + path, data=orjson.dumps(body) if body is not None else None)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return orjson.loads(answer.read())


def start(work: Work, environment: dict[str, str] | None = None) -> subprocess.Popen[str]:
    """A contestant's process."""
    command = [sys.executable, "-m", "tests.benchmarks.contestants", work.encoded()]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)


def run(scenario: Scenario, contestant: str) -> Row | None:
    """One contestant through one scenario, on a server of its own; None for a peer that failed as a whole."""
    with endpoint(scenario.behavior) as url:
        process = start(replace(scenario.work, contestant=contestant, url=url))
        if scenario.changes:
            while not ask(url, "/_stats")["calls"]:
                time.sleep(0.05)
        begun = time.monotonic()
        for change in scenario.changes:
            time.sleep(max(0.0, begun + change.after_seconds - time.monotonic()))
            ask(url, "/_control", change.behavior)
        output = process.communicate()[0]
        if process.returncode and contestant not in OURS:
            return None
        if process.returncode:
            raise SystemExit(f"{contestant} failed; see above.")
        stats = ask(url, "/_stats")
    behavior = scenario.behavior
    share = behavior.get("window_seconds", 60) / 60
    return Row(
        contestant,
        orjson.loads(output.splitlines()[-1]),
        stats,
        floor_seconds(scenario),
        (behavior.get("tpm") or behavior.get("rpm") or 0) * share,
        "tpm" in behavior,
        scenario.work.conversations,
    )


def show(cells: Sequence[Sequence[str]]) -> None:
    """Rows under each other."""
    widths = [max(len(row[i]) for row in cells) for i in range(len(cells[0]))]
    for row in cells:
        first, *others = (cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        print(first.strip().ljust(widths[0]), *others, sep="  ", flush=True)


def run_scenario(name: str, short: bool) -> None:
    """Every contestant of a scenario, as a table."""
    scenario = SCENARIOS[name]
    missing = [peer for peer in OTHER_PEERS if find_spec(MODULES[peer]) is None]
    scenario = replace(scenario, contestants=[peer for peer in scenario.contestants if peer not in missing])
    if short:
        conversations = SHORT.get(name, scenario.work.conversations)
        scenario = replace(scenario, work=replace(scenario.work, conversations=conversations))
    print(f"\n{name}: {scenario.title}, {scenario.work.conversations} conversations", flush=True)
    found = {contestant: run(scenario, contestant) for contestant in scenario.contestants}
    rows = [row for row in found.values() if row is not None]
    show([COLUMNS, *(row.cells() for row in rows)])
    for contestant, row in found.items():
        if row is None:
            print(f"{contestant} failed as a whole; see above.", flush=True)
    if scenario.changes:
        for row in rows:
            print("   use of each window, as parts of the first quota:", *(f"{fill:.3f}" for fill in row.windows))


# Several processes on one quota


class PrefectProcess:
    """A Prefect server that can go away and come back on the same port."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        self.environment = os.environ | {
            "PREFECT_HOME": str(folder),
            "PREFECT_API_URL": f"http://127.0.0.1:{self._port}/api",
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "DO_NOT_TRACK": "1",
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; return when it answers."""
        command = [sys.executable, "-m", "deployments.sqlite", "server", "start", "--port", str(self._port)]
        self._process = subprocess.Popen(
            command,
            env={name: value for name, value in self.environment.items() if name != "PREFECT_API_URL"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        while True:
            try:
                ask(self.environment["PREFECT_API_URL"], "/health")
                return
            except (urllib.error.URLError, OSError):
                time.sleep(0.3)

    def kill(self) -> None:
        """Take it away, at once."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None


def run_shared(short: bool) -> None:
    """Three processes on one quota; then one is killed; then the Prefect server is gone for a minute."""
    print("\nshared: 3,000 RPM in 60 s windows between three processes, through a real Prefect server (SQLite)")
    with (
        tempfile.TemporaryDirectory() as folder,
        endpoint({"rpm": 3000, "latency_median": 1.2, "headers": "off"}) as url,
    ):
        prefect = PrefectProcess(Path(folder))
        work = Work(OURS[0], url, 30_000, rpm=3000, share="benchmark")
        processes: list[subprocess.Popen[str]] = []
        try:
            prefect.start()
            processes += [start(replace(work, first=i * 100_000), prefect.environment) for i in range(3)]
            while not ask(url, "/_stats")["calls"]:
                time.sleep(0.05)
            begun = time.monotonic()
            _minute(url, begun, 3, "three processes")
            if not short:
                processes[2].kill()
                _minute(url, begun, 5, "one of them killed at minute 3")
                prefect.kill()
                _minute(url, begun, 6, "the Prefect server gone from minute 5")
                prefect.start()
                _minute(url, begun, 8, "and back from minute 6")
        finally:
            for process in processes:
                process.kill()
                process.wait()
                assert process.stdout is not None
                process.stdout.close()
            prefect.kill()


def _minute(url: str, begun: float, until: int, what: str) -> None:
    time.sleep(max(0.0, begun + until * 60 - time.monotonic()))
    stats = ask(url, "/_stats")
    fills = " ".join(f"{calls / 3000:.1%}" for calls, _ in stats["window_fills"][:until])
    print(
        f"  {what}: use of each minute so far {fills}; refused {stats['refused_total']} of {stats['calls']}", flush=True
    )


def main() -> None:
    """Run what is asked for."""
    names = [*SCENARIOS, "shared"]
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.quota", description=__doc__)
    parser.add_argument("--scenario", nargs="+", choices=names, default=names)
    parser.add_argument("--contestant", nargs="+", choices=list(CONTESTANTS), help="only these")
    parser.add_argument("--short", action="store_true", help="less work; with --scenario rpm about two minutes")
    options = parser.parse_args()
    for name in options.scenario:
        if name == "shared":
            run_shared(options.short)
            continue
        if options.contestant:
            chosen = [contestant for contestant in SCENARIOS[name].contestants if contestant in options.contestant]
            SCENARIOS[name] = replace(SCENARIOS[name], contestants=chosen)
        run_scenario(name, options.short)


if __name__ == "__main__":
    main()
