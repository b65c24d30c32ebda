"""Scenarios of the quota benchmark: the server's behavior, the work, and what changes on the way."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.benchmarks.contestants import Work, true_tokens
from tests.servers.qianfan_answers import answer_for

OURS = ("ours (openai)", "ours (qianfan)")

PEERS = ("batch_do", "semaphore")

OTHER_PEERS = ("litellm", "curator")  # where requirements-peers.txt is installed

FAULTS = {
    "internal": 0.006,
    "http_500": 0.006,
    "html_502": 0.006,
    "reset_before": 0.006,
    "broken_json": 0.003,
    "reset_after": 0.003,
}


@dataclass(frozen=True, slots=True)
class Change:
    """A change of the server after so many seconds of a run."""

    after_seconds: float
    behavior: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Scenario:
    """One row of the question: a server, what the contestants are told, and who takes part."""

    title: str
    behavior: dict[str, Any]
    work: Work
    contestants: Sequence[str] = (*OURS, *PEERS, *OTHER_PEERS)
    changes: Sequence[Change] = ()


def _work(conversations: int, **options: Any) -> Work:
    return Work("", "", conversations, **options)


SCENARIOS = {
    "rpm": Scenario(
        "3,000 RPM in 10 s windows",
        {"rpm": 3000, "window_seconds": 10, "latency_median": 1.2},
        _work(2750, rpm=3000, window_seconds=10),
    ),
    "short": Scenario(
        "3,000 RPM, counted as 500 in 10 s",
        {"rpm": 3000, "window_seconds": 10, "latency_median": 1.2},
        _work(3500, rpm=3000),
    ),
    "second": Scenario(
        "3,000 RPM, counted as 50 in 1 s",
        {"rpm": 3000, "window_seconds": 1, "latency_median": 1.2},
        _work(3000, rpm=3000),
    ),
    "bucket": Scenario(
        "3,000 RPM as a token bucket of 100",
        {"rpm": 3000, "window_seconds": 2, "style": "bucket", "latency_median": 1.2},
        _work(3000, rpm=3000),
    ),
    "one_qps": Scenario(
        "one query a second, 60 RPM told",
        {"rpm": 60, "window_seconds": 1, "latency_median": 1.2},
        _work(90, rpm=60),
        (OURS[0], "semaphore"),
    ),
    "tpm": Scenario(
        "300,000 TPM, mixed lengths",
        {"tpm": 300_000, "latency_median": 1.2},
        _work(700, tpm=300_000, mixed_lengths=True),
    ),
    "faults": Scenario(
        "3 % faults, 3,000 RPM in 10 s windows",
        {"rpm": 3000, "window_seconds": 10, "latency_median": 1.2, "faults": FAULTS},
        _work(1200, rpm=3000, window_seconds=10),
    ),
    "lower": Scenario(
        "2,000 RPM where 3,000 was told, headers off, 10 s windows",
        {"rpm": 2000, "window_seconds": 10, "latency_median": 1.2, "headers": "off"},
        _work(1750, rpm=3000, window_seconds=10),
    ),
    "headers": Scenario(
        "3,000 RPM, nothing configured, headers on, 10 s windows",
        {"rpm": 3000, "window_seconds": 10, "latency_median": 1.2},
        _work(2250, window_seconds=10),
        OURS[:1],
    ),
    "unknown": Scenario(
        "3,000 RPM, nothing configured, headers off, 10 s windows",
        {"rpm": 3000, "window_seconds": 10, "latency_median": 1.2, "headers": "off"},
        _work(2250, window_seconds=10),
        (OURS[0], "semaphore"),
    ),
    "qps": Scenario(
        "3,000 RPM and an unknown limit of 60 queries a second, 10 s windows",
        {"rpm": 3000, "window_seconds": 10, "latency_median": 1.2, "qps": 60},
        _work(2250, rpm=3000, window_seconds=10),
        (OURS[0], "semaphore"),
    ),
    "concurrency": Scenario(
        "an unknown limit of 50 calls at once, 10 s windows",
        {"rpm": 3000, "window_seconds": 10, "latency_median": 1.2, "concurrency": 50},
        _work(1500, rpm=3000, window_seconds=10),
        (OURS[0], "semaphore"),
    ),
    "slow": Scenario(
        "3,000 RPM, median latency 8 s",
        {"rpm": 3000, "window_seconds": 10, "latency_median": 8},
        _work(2250, rpm=3000, window_seconds=10, concurrency=600, timeout_seconds=120),
        (OURS[0], "batch_do"),
    ),
    "halved": Scenario(
        "3,000 RPM halved after 20 s, headers off, 10 s windows",
        {"rpm": 3000, "window_seconds": 10, "latency_median": 1.2, "headers": "off"},
        _work(2500, rpm=3000, window_seconds=10),
        OURS[:1],
        [Change(20, {"rpm": 1500})],
    ),
    "raised": Scenario(
        "3,000 RPM doubled after 20 s, headers off, 10 s windows",
        {"rpm": 3000, "window_seconds": 10, "latency_median": 1.2, "headers": "off"},
        _work(5500, rpm=6000, window_seconds=10, concurrency=512),
        OURS[:1],
        [Change(20, {"rpm": 6000})],
    ),
}


SHORT = {"rpm": 1250, "lower": 833, "short": 1250, "second": 1000, "bucket": 1000, "tpm": 400, "faults": 1000}


def floor_seconds(scenario: Scenario) -> float:
    """The earliest end that the server's first quota allows: whole windows, then one median latency."""
    behavior, work = scenario.behavior, scenario.work
    window = behavior.get("window_seconds", 60.0)
    share = window / 60
    windows = 0
    if behavior.get("rpm"):
        windows = max(windows, -(-work.conversations // round(behavior["rpm"] * share)) - 1)
    if behavior.get("tpm"):
        quota, held = behavior["tpm"] * share, 0
        for text in work.prompts():
            tokens = true_tokens(text, answer_for(text, "clean"))
            if held + tokens > quota:
                windows, held = windows + 1, 0
            held += tokens
    by_quota = windows * window
    by_concurrency = work.conversations / behavior["concurrency"] * 1.3 if behavior.get("concurrency") else 0.0
    by_queries = work.conversations / behavior["qps"] if behavior.get("qps") else 0.0
    return float(max(by_quota, by_concurrency, by_queries) + behavior["latency_median"])
