"""Kills at random moments: a day is run, killed with SIGKILL, and run again, until it is done.

    python -m tests.chaos --kills 300 --warehouse folder --seed 1

Prints a table: kills, paid calls, duplicate calls, answers that were paid for again though they were kept, lost
conversations, rows that differ from an undisturbed run's.
Every run is a process of its own, forked from one that has everything imported; Prefect's server, the endpoint and BOS
run beside it and are not killed.
"""

import argparse
import asyncio
import os
import random
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date
from io import BytesIO
from pathlib import Path

import orjson
import pyarrow.parquet as pq

from flows.summarize_day import summarize_day
from tasks.calling.rules.responses import decode_answer
from tasks.clients.bos.credentials import BosCredentials
from tasks.clients.stores import open_store
from tasks.domain.layout import answers_prefix, partition_key
from tasks.domain.ports import ObjectStore
from tests.servers.accounts import account_environment
from tests.servers.bos import BosServer
from tests.servers.qianfan import QianfanServer

DAY = date(2026, 11, 22)
CONVERSATIONS = 240
IN_FLIGHT = 16
RUN_COLUMNS = {"run_id", "summarized_at", "latency_ms", "attempts", "source_uri"}


@dataclass(slots=True)
class Outcome:
    """The outcome of a chaos run; `kept_twice`, `lost` and `differing` must be zero."""

    warehouse: str
    seed: int
    kills: int = 0
    days: int = 0
    paid: int = 0
    duplicates: int = 0
    allowed_duplicates: int = 0
    kept_twice: int = 0
    lost: int = 0
    differing: int = 0
    exits: dict[int, int] = field(default_factory=dict)

    def line(self) -> str:
        """One row of the table."""
        return (
            f"| {self.warehouse} | {self.seed} | {self.kills} | {self.days} | {self.paid} | {self.duplicates} "
            f"(at most {self.allowed_duplicates}) | {self.kept_twice} | {self.lost} | {self.differing} |"
        )


HEADER = (
    "| warehouse | seed | kills | days | paid calls | duplicate calls | kept twice | lost | differing rows |\n"
    "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"
)


def log_lines() -> bytes:
    """The day's logs: conversations that all differ, and a few broken lines."""
    lines = [
        orjson.dumps(
            {
                "conversation_id": f"c{number:05}",
                "messages": [
                    {"role": "user", "text": f"第{number}号咨询：咖啡机第{number % 7}次漏水，怎么处理？"},
                    {"role": "agent", "text": f"为您登记第{number % 5 + 1}档维修，师傅两天内上门。"},
                    {"role": "user", "text": "好的" if number % 3 else "不行，我要退货！"},
                ],
            }
        )
        for number in range(CONVERSATIONS)
    ]
    lines[10:10] = [b'{"broken']
    return b"\n".join(lines)


def rows(warehouse: ObjectStore) -> list[dict[str, object]]:
    """The day's summaries and rejects without what belongs to a run, in order."""
    found: list[dict[str, object]] = []
    for table in ("summaries", "rejects"):
        values = pq.read_table(BytesIO(warehouse.read_path(partition_key(table, DAY)))).to_pylist()
        found += [{name: value for name, value in row.items() if name not in RUN_COLUMNS} for row in values]
    return found


def kept_twice(warehouse: ObjectStore) -> int:
    """Count answers of the day that were paid for although they were in the cache: those must have been found."""
    logs = warehouse.list_objects(answers_prefix(DAY))
    lines = [line for log in logs for line in warehouse.read_path(log.key).splitlines()]
    kept = [answer.request_hash for answer in map(decode_answer, lines) if answer]  # a kill may tear a line
    assert len(set(kept)) == CONVERSATIONS
    return len(kept) - len(set(kept))


def forked(work: Callable[[], None]) -> int:
    """A process that does the work; 0 as exit code when it could."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        os.setpgid(0, 0)
        signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in what a shell runs in the background
        work()
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def chaos(kind: str, kills: int, seed: int, tell: Callable[[str], None]) -> Outcome:
    """Kill runs `kills` times, in as many fresh warehouses as that takes."""
    chance = random.Random(seed)
    outcome = Outcome(kind, seed)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        (folder / "logs.jsonl").write_bytes(log_lines())
        bos = stack.enter_context(BosServer())
        bos.put("logs.jsonl", log_lines())
        # A bucket is written to every five seconds: a day has to last longer than that.
        latency = 0.08 if kind == "folder" else 0.4
        qianfan = stack.enter_context(QianfanServer(mode="mixed", latency_median=latency, latency_sigma=0.6))
        environment = account_environment(bos, qianfan)
        os.environ.update(environment)
        stack.callback(lambda: [os.environ.pop(name) for name in environment])

        def address(name: str) -> str:
            return str(folder / name) if kind == "folder" else f"bos://{bos.bucket}/{name}"

        def stored(warehouse: str) -> ObjectStore:
            return open_store(
                address(warehouse), BosCredentials(bos.access_key_id, bos.secret_access_key, bos.endpoint)
            )

        def run(warehouse: str) -> None:
            settings = {
                "source": address("logs.jsonl"),
                "warehouse": address(warehouse),
                "scratch": str(folder / "scratch"),
                "summarizer": "qianfan",
                "endpoint": "chaos",
                "concurrency": IN_FLIGHT,
                "batch_size": 50,
                "max_reject_ratio": 1,
            }
            asyncio.run(summarize_day(DAY, settings))

        for number in range(2):  # the first one also warms what later ones find warm
            began = time.monotonic()
            assert _ended(forked(lambda number=number: run(f"undisturbed-{number}"))) == 0, "it failed"  # type: ignore[misc]
            usual = time.monotonic() - began
        expected = rows(stored("undisturbed-1"))

        while outcome.kills < kills:
            qianfan.reset()
            warehouse = f"day-{outcome.days}"
            killed_here = 0
            while True:
                pid = forked(lambda warehouse=warehouse: run(warehouse))  # type: ignore[misc]
                wait = chance.uniform(0.1, 1.0) * usual if killed_here < 12 and outcome.kills < kills else None
                began = time.monotonic()
                code = _ended(pid, wait)
                outcome.exits[code] = outcome.exits.get(code, 0) + 1
                if code == 0:
                    if not killed_here:  # the machine's speed drifts: aim at what a run takes now
                        usual = (usual + time.monotonic() - began) / 2
                    break
                assert code == -signal.SIGKILL, f"a run failed by itself with {code}"
                outcome.kills += 1
                killed_here += 1
            outcome.days += 1
            asked = qianfan.delivered + qianfan.lost
            outcome.paid += sum(asked.values())
            outcome.duplicates += sum(asked.values()) - len(asked)
            # In a folder what was in flight is asked again, in BOS also what was not yet put away.
            outcome.allowed_duplicates += killed_here * (IN_FLIGHT if kind == "folder" else CONVERSATIONS)
            outcome.kept_twice += kept_twice(stored(warehouse))
            found = rows(stored(warehouse))
            outcome.lost += max(0, len(expected) - len(found))
            outcome.differing += sum(one != other for one, other in zip(expected, found, strict=False))
            tell(outcome.line())
    return outcome


def _ended(pid: int, kill_after: float | None = None) -> int:
    """The exit code of a process, killed with its whole group after so many seconds."""
    deadline = time.monotonic() + (kill_after if kill_after is not None else 600)
    while time.monotonic() < deadline:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.005)
    if kill_after is None:
        os.killpg(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        raise AssertionError("a run that nobody killed did not end within ten minutes")
    os.killpg(pid, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def main() -> None:
    """The command line."""
    from prefect.testing.utilities import prefect_test_harness

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--warehouse", choices=["folder", "bos"], default="folder")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with prefect_test_harness(server_startup_timeout=240):
        print(HEADER)
        outcome = chaos(given.warehouse, given.kills, given.seed, lambda line: print(line, flush=True))
    wrong = outcome.kept_twice or outcome.lost or outcome.differing
    sys.exit(1 if wrong or outcome.duplicates > outcome.allowed_duplicates else 0)


if __name__ == "__main__":
    main()
