"""The README's picture: the top of the report on a day of the sample logs, from the tables of `make demo`."""

import sys
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

from tasks.clients.folder_store import FolderStore
from tasks.reporting.report import aggregate_published
from tasks.reporting.rules.context import Context
from tasks.reporting.rules.html import render_picture
from tasks.reporting.story_day import theme_names


def main() -> None:
    """Write the picture to stdout."""
    day = date(2026, 11, 20)
    published = aggregate_published.fn(FolderStore(Path("warehouse")), [day], ZoneInfo("Asia/Shanghai"))
    sys.stdout.write(render_picture(published.whole, Context(theme_names=theme_names())))


if __name__ == "__main__":
    main()
