"""Measure the pipeline's own cost: CPU a conversation and peak memory of all its processes, reading to publishing.

    python -m tests.benchmarks.spend --summarizer qianfan --conversations 3000
    python -m tests.benchmarks.spend --summarizer offline --conversations 10000 100000

The endpoint answers at once and runs in a process of its own, as does Prefect's server: neither is counted. Each size
runs in a fresh process; the start of Python and of the flow (imports, Prefect) is measured by a run of 20 conversations
and taken off the CPU, not off the memory.
"""

import argparse
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import orjson

from tests.servers.qianfan import ACCESS_KEY, API_KEY, SECRET_KEY

ROOT = Path(__file__).parent.parent.parent
_SECONDS_BETWEEN_LOOKS = 0.2
TURNS = (
    "你好，我前天下单的电热水壶{n}到现在还没有发货，页面一直显示正在出库，请帮我看一下是什么情况",
    "您好，很高兴为您服务，请问有什么可以帮您？麻烦您提供一下订单信息，我马上为您核实仓库的进度",
    "就是最近的那一单，收货人是我本人，我明天要出差，今天能不能一定发出来",
    "已经查到了，仓库{n}号库区今天下午会统一安排发货，预计后天上午送达，您看可以吗",
    "那能不能改成送到公司？我白天都在公司，家里没有人收",
    "可以的，我这边帮您备注改到公司地址，配送员会在送达之前电话联系您，请保持电话畅通",
    "好的，那就这样吧，麻烦你了",
    "不客气，请问还有其他可以帮您的吗？",
    "没有了，谢谢",
    "感谢您的支持，祝您生活愉快，再见！",
)


def write_logs(path: Path, conversations: int) -> None:
    """So many conversations of ten turns, all different."""
    with path.open("wb") as file:
        for number in range(conversations):
            messages = [
                {"role": "agent" if turn % 2 else "user", "text": text.replace("{n}", str(number))}
                for turn, text in enumerate(TURNS)
            ]
            file.write(orjson.dumps({"conversation_id": f"c{number}", "messages": messages}) + b"\n")


def child(arguments: list[str]) -> None:
    """One day in this process; prints CPU seconds and peak memory."""
    from flows.summarize_day import main

    code = main(arguments)
    usages = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"spent {sum(usage.ru_utime + usage.ru_stime for usage in usages)} {code}")


def memory_of(pid: int) -> float:
    """MiB of memory that a process and its children take up now: of what several share, each has its part (PSS)."""
    with suppress(OSError):
        threads = Path(f"/proc/{pid}/task").glob("*/children")
        children = [child for thread in threads for child in thread.read_text().split()]
        shares = re.findall(r"^Pss: +(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
        return sum(map(int, shares)) / 2**10 + sum(memory_of(int(child)) for child in children)
    return 0.0


def measure(summarizer: str, conversations: int, url: str, again: bool = False) -> tuple[float, float, float]:
    """CPU seconds, MiB at the peak, and wall seconds of one day, or of the same day run once more."""
    from prefect.settings import PREFECT_API_URL

    with tempfile.TemporaryDirectory() as folder:
        write_logs(Path(folder) / "day.jsonl", conversations)
        environment = os.environ | {
            "PREFECT_API_URL": PREFECT_API_URL.value() or "",
            "PREFECT_LOGGING_LEVEL": "ERROR",
            "QIANFAN_ACCESS_KEY": ACCESS_KEY,
            "QIANFAN_SECRET_KEY": SECRET_KEY,
            "QIANFAN_CONSOLE_API_BASE_URL": url,
            "QIANFAN_IAM_BASE_URL": url,
            "OPENAI_BASE_URL": f"{url}/v1",
            "OPENAI_API_KEY": API_KEY,
        }
        command = [sys.executable, "-m", "tests.benchmarks.spend", "--child", "--summarizer", summarizer]
        command += [
            "--source",
            f"{folder}/day.jsonl",
            "--warehouse",
            f"{folder}/warehouse",
            "--endpoint",
            "bench",
            "--rpm",
            "600000",
        ]
        if again:
            subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=True)
        began = time.monotonic()
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        peak = 0.0
        while True:
            try:
                output, errors = process.communicate(timeout=_SECONDS_BETWEEN_LOOKS)
                break
            except subprocess.TimeoutExpired:
                peak = max(peak, memory_of(process.pid))
        wall = time.monotonic() - began
        spent = [line for line in output.splitlines() if line.startswith("spent")]
        if not spent or not spent[0].endswith(" 0"):
            raise SystemExit(errors[-2000:])
        return float(spent[0].split()[1]), peak, wall


def main() -> None:
    """The command line."""
    if "--child" in sys.argv:
        child(["--day", "2026-11-22", *(word for word in sys.argv[1:] if word != "--child")])
        return
    from prefect.testing.utilities import prefect_test_harness  # its server would be in the memory measured above

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--summarizer", choices=["qianfan", "openai", "offline"], default="qianfan")
    parser.add_argument("--conversations", type=int, nargs="+", default=[3000])
    parser.add_argument("--again", action="store_true", help="the day's second run, which finds every answer")
    given = parser.parse_args()
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.instant_endpoint"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert server.stdout is not None
    try:
        url = server.stdout.readline().split()[-1]
        with prefect_test_harness(server_startup_timeout=180):
            start, _, _ = measure(given.summarizer, 20, url)
            print(
                "| summarizer | conversations | CPU ms a conversation | peak MiB | wall s |\n| --- | --- | --- | --- | --- |"
            )
            for conversations in given.conversations:
                cpu, memory, wall = measure(given.summarizer, conversations, url, given.again)
                each = (cpu - start) / conversations * 1000
                print(f"| {given.summarizer} | {conversations} | {each:.2f} | {memory:.0f} | {wall:.1f} |", flush=True)
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()
