"""Measure the mask: recall by kind on generated values, look-alikes left alone, messages a second.

Run `python -m tests.benchmarks.masking`; `--misses 5` prints examples, `--log FILE` counts changes in a real log (one
message a line). Everything is generated from a seed, from words of masking_values.py, not from the rules' own tables.
"""

import argparse
import sys
import time
from pathlib import Path

from tasks.preparing.masking import forget, look_ahead, mask
from tests.benchmarks.masking_cases import KINDS, look_alikes
from tests.benchmarks.masking_values import Maker

_AT_ONCE = 5000  # about the messages of a batch


def leaks(value: str, masked: str) -> bool:
    """Tell whether a name is left, or four characters in a row of anything else."""
    if value[1:] in ("先生", "女士", "小姐"):
        return value in masked
    if len(value) <= 4:
        return value in masked or (len(value) >= 3 and value[-2:] in masked)
    return any(
        value[start : start + 4] in masked and value[start : start + 4].strip(" -()") for start in range(len(value) - 3)
    )


def main(arguments: list[str]) -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.masking", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--count", type=int, default=500, help="texts of each kind (default: 500)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--misses", type=int, default=0, help="print so many of each kind")
    parser.add_argument(
        "--log", type=Path, help="a file with one real message a line: how many change, how many a second"
    )
    given = parser.parse_args(arguments)
    make = Maker(given.seed)
    total = hit = 0
    for kind, case in KINDS.items():
        missed = []
        for _ in range(given.count):
            text, value = case(make)
            masked = mask(text)
            if leaks(value, masked) or masked == text:
                missed.append((text, masked))
        total, hit = total + given.count, hit + given.count - len(missed)
        print(f"{kind:18} {1 - len(missed) / given.count:7.1%}")
        for text, masked in missed[: given.misses]:
            print(f"    {text!r} -> {masked!r}")
    print(f"{'all kinds':18} {hit / total:7.1%} of {total}")
    others = [text for _ in range(20) for text in look_alikes(make)]
    changed = sorted({(text, mask(text)) for text in others if mask(text) != text})
    print(
        f"{'look-alikes left':18} {1 - sum(mask(text) != text for text in others) / len(others):7.1%} of {len(others)}"
    )
    for text, masked in changed[: 4 * given.misses]:
        print(f"    {text!r} -> {masked!r}")
    if given.log:
        messages = given.log.read_text(encoding="utf-8").splitlines()
        altered = [(text, mask(text)) for text in messages if mask(text) != text]
        different = list(dict.fromkeys(messages))
        new, known = (min(_seconds(different, is_new) for _ in range(9)) for is_new in (True, False))
        day = min(_seconds(messages, is_new=True) for _ in range(9))
        print(
            f"{'real messages':18} {len(altered)} of {len(messages)} changed; a second of CPU masks "
            f"{len(different) / new:,.0f} that are new, {len(different) / known:,.0f} that came before, and "
            f"{len(messages) / day:,.0f} as they come, each new once"
        )
        for text, masked in altered[: given.misses]:
            print(f"    {text!r} -> {masked!r}")
    return 0


def _seconds(messages: list[str], is_new: bool) -> float:
    if is_new:
        forget()
    began = time.process_time()
    for start in range(0, len(messages), _AT_ONCE):
        some = messages[start : start + _AT_ONCE]
        look_ahead(some)
        for message in some:
            mask(message)
    return time.process_time() - began


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
