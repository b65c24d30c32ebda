"""Steps after a report's publication: the calendar, cards to people, alerts of new stories."""

import asyncio

from prefect import get_run_logger

from flows.wiring.services import notification_wire
from flows.wiring.settings import Settings, load_settings
from tasks.delivering.deliver import read_addresses
from tasks.domain.errors import KefuError
from tasks.domain.ports import ObjectStore
from tasks.reporting.alerts import load_alerts
from tasks.reporting.deliver_report import deliver_report, fire_alerts
from tasks.reporting.index import read_index
from tasks.reporting.report import enter_into_calendar
from tasks.reporting.rules.context import Context
from tasks.reporting.rules.statistics import DayStatistics


def reports_url_of(config: Settings) -> str:
    """Return where the reports of the run's warehouse are served; empty where only those of another one are."""
    usual = load_settings({})
    is_usual = config.warehouse == usual.warehouse or config.reports_url != usual.reports_url
    return config.reports_url if is_usual else ""


async def tell_of_report(store: ObjectStore, statistics: DayStatistics, context: Context, config: Settings) -> None:
    """Enter a report into the calendar, send its card, and fire its alerts; nothing of it fails the run."""
    try:
        known = list((await asyncio.to_thread(read_index, store)).values())
        is_day = statistics.start == statistics.end
        alerts = load_alerts(config.alerts) if is_day else ()
        fired = fire_alerts(context.stories, statistics.end, known, alerts)
        enter_into_calendar(store, statistics, context, fired)
        addresses = read_addresses(config.report_webhook_url.get_secret_value())
        if addresses:
            wire = notification_wire()
            url = reports_url_of(config)
            await asyncio.to_thread(deliver_report, statistics, context, addresses, wire, url, fired)
    except (KefuError, OSError, ValueError) as error:
        get_run_logger().warning("The report is published, but not everybody was told: %s", error)
