"""Links of runs to the full report, only such that a browser follows, and the telling of one by a shop's own alerts."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from flows.wiring.report_cards import reports_url_of, tell_of_report
from flows.wiring.settings import load_settings
from tasks.clients.folder_store import FolderStore
from tasks.reporting.index import read_index
from tasks.reporting.report import report_link
from tasks.reporting.rules.context import Context
from tasks.reporting.rules.stories.alerts import Fired
from tasks.reporting.rules.stories.story import Stories
from tests.builders.day_statistics import statistics_of
from tests.builders.stories import STORY
from tests.builders.summary_days import summaries
from tests.servers.receiver import receiver


@pytest.mark.parametrize(
    ("address", "reports_url", "link"),
    [
        ("/data/w/reports/day=2026-11-22/report.html", "", ""),
        ("bos://b/w/reports/day=2026-11-22/report.html", "", ""),
        ("/data/reports/w/reports/day=2026-11-22/report.html", "http://h:1", "http://h:1/day%3D2026-11-22/report.html"),
        ("bos://b/w/reports/days=a_b/report.html", "https://h/r/", "https://h/r/days%3Da_b/report.html"),
    ],
)
def test_a_report_has_a_link_where_reports_are_served(address, reports_url, link):
    assert report_link(address, reports_url) == link


def test_reports_of_another_warehouse_are_not_linked_to(monkeypatch):
    monkeypatch.setenv("KEFU_REPORTS_URL", "http://h:1")
    assert reports_url_of(load_settings({})) == "http://h:1"
    assert reports_url_of(load_settings({"warehouse": "elsewhere"})) == ""
    assert reports_url_of(load_settings({"warehouse": "elsewhere", "reports_url": "http://h:2"})) == "http://h:2"


# What Prefect's client leaves open when its loop ends.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore:unclosed:ResourceWarning")
def test_a_report_is_told_of_by_the_shop_s_own_alerts(prefect_api, tmp_path, monkeypatch):
    alerts, store = tmp_path / "alerts.toml", FolderStore(tmp_path / "warehouse")
    alerts.write_text('[[alerts]]\nname = "网点"\nwords = ["爆仓"]\n\n[[alerts]]\nname = "赔付"\nwords = ["赔付"]\n')
    day = statistics_of(summaries(300))
    week = replace(day, start=day.end - timedelta(days=6))
    context = Context(stories=Stories(told=(STORY,), enough_past=True))
    with receiver() as there, temporary_settings({PREFECT_API_URL: prefect_api.url}):
        monkeypatch.setenv("KEFU_REPORT_WEBHOOK_URL", there.url)
        config = load_settings({"alerts": str(alerts)})
        cards, fired = [], []
        for statistics in (day, week):
            asyncio.run(tell_of_report(store, statistics, context, config))
            cards.append(str(there.posted.get(timeout=120)))
            fired.append([entry.alerts for entry in read_index(store).values()])
    assert ["【网点】" in card for card in cards] == [True, False]
    assert not any("赔付" in card or "不满客户明显增多" in card for card in cards)
    assert fired == [[(Fired("网点", STORY.key),)], [()]]
