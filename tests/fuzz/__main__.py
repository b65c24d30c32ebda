"""Fuzz every target in turn; print the executions of each and keep the inputs that reach new code."""

import argparse
import re
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from tests.fuzz.corpus import WORDS, load_corpus, store_corpus
from tests.fuzz.targets import TARGETS

_LONGEST_BYTES = 600

_HANGS_SECONDS = 60


def fuzz(target: str, folder: Path, limits: list[str]) -> tuple[int, str]:
    """Fuzz one target; its executions, and what it said when it broke."""
    inputs, dictionary = folder / "inputs", folder / "words"
    inputs.mkdir()
    for number, data in enumerate(load_corpus(target)):
        (inputs / str(number)).write_bytes(data)
    dictionary.write_text("".join(f'"{_escaped(word)}"\n' for word in WORDS), encoding="ascii")
    common = [f"-max_len={_LONGEST_BYTES}", f"-timeout={_HANGS_SECONDS}", f"-artifact_prefix={folder}/broken-"]
    run = [f"-dict={dictionary}", "-print_final_stats=1", "-verbosity=0", *common, *limits, str(inputs)]
    said = _one(target, *run)
    executions = re.search(r"number_of_executed_units: (\d+)", said)
    broken = [path.read_bytes() for path in folder.glob("broken-*")]
    fewest = folder / "fewest"
    fewest.mkdir()
    if not broken:  # an input that breaks the target would break this, too
        _one(target, "-merge=1", *common, str(fewest), str(inputs))
    kept = [path.read_bytes() for path in (fewest if any(fewest.iterdir()) else inputs).iterdir()]
    store_corpus(target, kept + broken)
    return int(executions[1]) if executions else 0, said if broken else ""


def _one(*arguments: str) -> str:
    command = [sys.executable, "-m", "tests.fuzz.one", *arguments]
    return subprocess.run(command, capture_output=True, text=True, errors="replace", check=False).stderr


def _escaped(word: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in word.encode())


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--executions", type=int, default=-1, help="of each target at most")
    parser.add_argument("--target", choices=TARGETS, action="append", help="only this one; may be repeated")
    args = parser.parse_args()
    if find_spec("atheris") is None:
        print("Atheris is missing: make fuzz installs it", file=sys.stderr)
        return 2
    total = broken = 0
    for target in args.target or TARGETS:
        with tempfile.TemporaryDirectory() as folder:
            limits = [f"-max_total_time={args.seconds}", f"-runs={args.executions}"]
            executions, complaint = fuzz(target, Path(folder), limits)
        total += executions
        broken += bool(complaint)
        print(f"{target:12} {executions:>12,} executions{' BROKEN' if complaint else ''}", flush=True)
        print(complaint[-3000:], end="", file=sys.stderr, flush=True)
    print(f"{'in all':12} {total:>12,} executions")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
