"""The README's picture: the top of the report on the days of the sample logs, from the tables of `make demo`."""

import sys
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

from tasks.clients.folder_store import FolderStore
from tasks.reporting.report import aggregate_published
from tasks.reporting.rules.context import Context
from tasks.reporting.rules.pages.html import render_picture
from tasks.reporting.story_day import theme_names


def main() -> None:
    """Write the picture to stdout."""
    days = [date(2026, 11, day) for day in (20, 21, 22)]
    published = aggregate_published.fn(FolderStore(Path("warehouse")), days, ZoneInfo("Asia/Shanghai"))
    sys.stdout.write(render_picture(published.whole, Context(theme_names=theme_names())))


if __name__ == "__main__":
    main()
