"""Speed and memory of scoring: `python -m tests.benchmarks.scoring`.

The pairs are the sample logs' labels with varied wording, four in ten with a wrong plan, so that about as
many words repeat as in a real evaluation set.
"""

import argparse
import json
import random
import resource
import time
from collections.abc import Iterator
from pathlib import Path

from tasks.evaluating.rules.scoring import METRICS, score_rows

_LABELS = Path(__file__).parents[2] / "deployments" / "demo" / "labels.jsonl"
_WORDS = {True: "是", False: "否", None: "未明确"}


def answers(rows: int) -> Iterator[tuple[str, str]]:
    """(prediction, reference) pairs, no two alike, the same ones every time."""
    labels = [json.loads(line) for line in _LABELS.read_text(encoding="utf-8").splitlines()]
    generator = random.Random(1)
    for row in range(rows):
        label, other = generator.choice(labels), generator.choice(labels)
        issue = f"{label['issue']}，{other['issue'][: generator.randrange(3, 12)]}{row}"
        fields = {
            "用户问题": issue,
            "客服方案": label["plan"],
            "是否接受": _WORDS[label["accepted"]],
            "是否负面情绪": _WORDS[label["negative_sentiment"]],
        }
        wrong = {"客服方案": other["plan"]} if generator.random() < 0.4 else {}
        yield json.dumps(fields | wrong, ensure_ascii=False), json.dumps(fields, ensure_ascii=False)


def main() -> None:
    """Score a tenth of the pairs, then all of them: the memory must not grow with the rows."""
    parser = argparse.ArgumentParser(description="Speed and memory of scoring.")
    parser.add_argument("--pairs", type=int, default=100_000, help="answers beside their labels (%(default)s)")
    rows = parser.parse_args().pairs
    score_rows(answers(100))
    for count in (rows // 10, rows):
        began = time.process_time()
        scores = score_rows(answers(count))
        seconds = time.process_time() - began
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        print(f"{count} pairs: {seconds:.1f} s CPU, {count / seconds:.0f} a second, peak {peak} MiB")
    print({metric: round(scores.means[metric] or 0, 2) for metric in METRICS})


if __name__ == "__main__":
    main()
