"""Write views.sql and a data dictionary for analysts and, on demand, one file a month.

python -m flows.build_catalog
python -m flows.build_catalog --month 2026-11
"""

import asyncio
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from prefect import flow, get_run_logger, runtime

from flows.wiring.beside_erasures import beside_no_erasure
from flows.wiring.commands import command_line
from flows.wiring.services import open_warehouse, scratch_parent
from flows.wiring.settings import SettingsParameter, load_settings
from tasks.domain.errors import UsageError
from tasks.reporting.macros import metrics_macro
from tasks.running.scratch import scratch_folder
from tasks.warehouse.catalog import Compacted, compact_month, write_catalog
from tasks.warehouse.rules.views import MONTHLY

_NO_SETTINGS: dict[str, Any] = {}


@flow(name="build-catalog", flow_run_name="build-catalog")
@beside_no_erasure
async def build_catalog(month: str = "", settings: SettingsParameter = _NO_SETTINGS) -> dict[str, Any]:
    """生成数据目录 · Write views.sql and the data dictionary, and compact a month's small files.

    Args:
        month: 需要合并的月份，如 2026-11 · A month whose days become one file a table; empty for none.
        settings: 其他设置（高级） · Any setting by its name; the warehouse matters here.
    """
    days = _days_of(month) if month else []
    config = load_settings(settings)
    warehouse = open_warehouse(config)
    compacted: list[Compacted] = []
    if days:
        with scratch_folder(scratch_parent(config), f"catalog-{runtime.flow_run.id}") as scratch:
            for table in MONTHLY:
                made = await asyncio.to_thread(compact_month, warehouse, table, days, scratch)
                compacted += [made] if made else []
    written = await asyncio.to_thread(write_catalog, warehouse, config.bos_endpoint, metrics_macro())
    get_run_logger().info("Wrote %s", ", ".join(written))
    return {
        "files": written,
        "compacted": [{"key": month.key, "days": month.days, "rows": month.rows} for month in compacted],
    }


def _days_of(month: str) -> list[date]:
    try:
        first = date.fromisoformat(f"{month}-01")
    except ValueError:
        raise UsageError(f"--month {month} is no month such as 2026-11.") from None
    return [day for number in range(31) if (day := first + timedelta(days=number)).month == first.month]


def main(arguments: Sequence[str]) -> int:
    """The command line of this flow."""
    parser = command_line.parser("flows.build_catalog", __doc__)
    parser.add_argument("--month", default="", metavar="MONTH", help="make one file a table of a month, as 2026-11")
    args = parser.parse_args(arguments)
    settings = command_line.chosen_settings(args)

    return command_line.run(
        settings,
        lambda: build_catalog(args.month, settings),
        _format_result,
        check=lambda config: _days_of(args.month) if args.month else None,
        as_json=args.json,
    )


def _format_result(made: dict[str, Any]) -> str:
    months = [f"{month['key']}: {month['days']} days, {month['rows']:,} rows" for month in made["compacted"]]
    lines = [*made["files"], *months]
    return "\n".join(lines)


if __name__ == "__main__":
    command_line.main(main)
