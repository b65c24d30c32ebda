"""Tells people of a published report: a card to each receiver, and an event for each story that fires an alert."""

from collections.abc import Sequence
from datetime import date

from prefect import get_run_logger
from prefect.events import emit_event

from tasks.delivering.deliver import Wire, deliver
from tasks.delivering.rules.addresses import Address
from tasks.reporting.rules.card import report_card, story_id
from tasks.reporting.rules.context import Context
from tasks.reporting.rules.pages.calendar import Entry
from tasks.reporting.rules.statistics import DayStatistics
from tasks.reporting.rules.stories.alerts import Alert, Fired, fired_by
from tasks.reporting.rules.stories.story import Stories, Story
from tasks.reporting.rules.stories.texts import story_headline, story_json


def deliver_report(
    statistics: DayStatistics,
    context: Context,
    addresses: Sequence[Address],
    wire: Wire,
    reports_url: str,
    fired: Sequence[Fired] = (),
) -> None:
    """Send a report's headline and stories to every receiver; one that does not take it is a warning.

    Args:
        statistics: the figures.
        context: what happened, and whether the model still answers as before.
        addresses: whom to.
        wire: sends it.
        reports_url: where the warehouse's reports are served, such as https://kefu.example.com/reports; or empty.
        fired: alerts that are new.
    """
    first, last = statistics.start, statistics.end
    folder = f"day={first}" if first == last else f"days={first}_{last}"
    link = f"{reports_url.rstrip('/')}/{folder}/report.html" if reports_url else ""
    for delivery in deliver(report_card(statistics, context, link, fired), addresses, wire):
        if delivery.why_not:
            get_run_logger().warning("The report did not reach %s: %s", delivery.address.place, delivery.why_not)


def fire_alerts(stories: Stories, day: date, known: Sequence[Entry], alerts: Sequence[Alert]) -> list[Fired]:
    """Emit the event `kefu.story` for each story that fires an alert that it has not fired before; return those alerts.

    Args:
        stories: what happened.
        day: the day reported on.
        known: the calendar's entries before this day's was made anew.
        alerts: what is to be told at once.
    """
    new = []
    for story in stories.told:
        names = [found for found in fired_by([story], alerts) if not _fired_before(found, story, day, known)]
        if names:
            emit_event(
                event="kefu.story",
                resource={
                    "prefect.resource.id": f"kefu.story.{story_id(story)}",
                    "prefect.resource.name": story.key,
                },
                payload={
                    **story_json(story),
                    "headline_en": story_headline(story).en,
                    "day": day.isoformat(),
                    "alerts": [found.alert for found in names],
                },
            )
        new += names
    return new


def _fired_before(fired: Fired, story: Story, day: date, known: Sequence[Entry]) -> bool:
    since, until = story.first_day.isoformat(), day.isoformat()
    return any(since <= entry.last <= until and fired in entry.alerts for entry in known if entry.first == entry.last)
