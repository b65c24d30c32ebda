"""Links of runs to the full report: only such that a browser follows."""

import pytest

from flows.wiring.report_cards import reports_url_of
from flows.wiring.settings import load_settings
from tasks.reporting.report import report_link


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
