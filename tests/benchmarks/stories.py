"""Count the planted stories that are reported, and false ones: on months with three stories and on quiet ones.

python -m tests.benchmarks.stories --seeds 10 [--start 2026-11-01] [--per-day 300] [--busy-weekends]
"""

import argparse
import time
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

from tasks.clients.folder_store import FolderStore
from tasks.reporting.rules.stories.texts import story_headline
from tasks.reporting.story_day import read_stories
from tests.benchmarks.months import Month, simulate_month, write_month


def told_of(month: Month) -> list[str]:
    """Return the headlines of a month, through files and the report's own questions."""
    days = list(month.days)
    with TemporaryDirectory() as folder:
        write_month(month, Path(folder))
        return [story_headline(story).zh for story in read_stories(FolderStore(Path(folder)), days[0], days[-1]).told]


def main() -> None:
    """Print a line a month and the sums."""
    parser = argparse.ArgumentParser(description="Count stories told on invented months.")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--per-day", type=int, default=300)
    parser.add_argument("--start", type=date.fromisoformat, default=date(2026, 11, 1), help="the months' first day")
    parser.add_argument("--busy-weekends", action="store_true", help="a shop whose weekends are its largest days")
    args = parser.parse_args()
    named = false = quiet = 0
    for seed in range(1, args.seeds + 1):
        shape = {
            "start": args.start,
            "per_day": args.per_day,
            "weekends": (1.2, 1.8) if args.busy_weekends else (0.35, 0.8),
        }
        month = simulate_month(seed, **shape)
        begun = time.perf_counter()
        told = told_of(month)
        seconds = time.perf_counter() - begun
        hit = {line for line in told for planted in month.planted if all(name in line for name in planted.names)}
        found = sum(any(all(name in line for name in planted.names) for line in told) for planted in month.planted)
        silent = told_of(simulate_month(seed, **shape, planted=False))
        named, false, quiet = named + found, false + len(told) - len(hit), quiet + len(silent)
        print(
            f"seed {seed}: {found} of 3 named, {len(told) - len(hit)} false; quiet month: {len(silent)}; {seconds:.1f} s"
        )
    print(f"{named} of {3 * args.seeds} named, {false} false; {quiet} stories in {args.seeds} quiet months")


if __name__ == "__main__":
    main()
