"""The README's picture: the top of the report on a day of the sample logs, from the tables of `make demo`."""

import sys
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

from tasks.clients.folder_store import FolderStore
from tasks.reporting.report import aggregate_published
from tasks.reporting.rules.html import render_picture


def main() -> None:
    """Write the picture to stdout."""
    day = date(2026, 11, 21)
    published = aggregate_published.fn(FolderStore(Path("warehouse")), [day], ZoneInfo("Asia/Shanghai"))
    sys.stdout.write(render_picture(published.whole))


if __name__ == "__main__":
    main()
