import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta

from tasks.clients.folder_store import FolderStore
from tasks.reporting.index import forget_removed, keep_index, read_index
from tasks.reporting.rules.pages.calendar import Entry, months_of
from tasks.reporting.rules.stories.alerts import Fired

DAY = date(2026, 11, 22)


def entry(first: date, last: date | None = None, conversations: int = 300, headline: str = "“顺丰”的问题激增") -> Entry:
    last = last or first
    folder = f"day={first}" if first == last else f"days={first}_{last}"
    stories = ((headline, "Many more"),) if headline else ()
    return Entry(str(first), str(last), f"{folder}/report.html", conversations, 0.7, 0.16, stories)


def publish(store: FolderStore, made: Entry) -> str:
    """Write a report's page, and enter it."""
    store.write_path(f"reports/{made.href}", b"<html>")
    return keep_index(store, made)


def test_index_links_every_day_and_span_with_its_figures(tmp_path):
    store = FolderStore(tmp_path)
    for back in range(40):
        publish(store, entry(DAY - timedelta(days=back), conversations=300 + back))
    address = publish(store, entry(DAY - timedelta(days=6), DAY, 2100))
    page = (tmp_path / "reports/index.html").read_text(encoding="utf-8")
    assert address.endswith("reports/index.html")
    links = re.findall(r'href="([^"]+)"', page)
    assert len(links) == 41
    assert f"day={DAY}/report.html" in links
    assert f"days={DAY - timedelta(days=6)}_{DAY}/report.html" in links
    assert "2026-11" in page
    assert "2026-10" in page
    assert "2,100" in page
    assert "70%" in page
    assert "“顺丰”的问题激增" in page


def test_index_replaces_an_entry_and_keeps_the_others(tmp_path):
    store = FolderStore(tmp_path)
    publish(store, entry(DAY))
    publish(store, entry(DAY - timedelta(days=1)))
    publish(store, entry(DAY, conversations=7, headline=""))
    kept = read_index(store)
    assert len(kept) == 2
    assert kept[f"day={DAY}/report.html"] == entry(DAY, conversations=7, headline="")


def test_index_loses_nothing_of_what_is_published_at_once(tmp_path):
    days = [DAY - timedelta(days=back) for back in range(6)]
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda day: publish(FolderStore(tmp_path), entry(day)), days))
    assert len(read_index(FolderStore(tmp_path))) == 6


def test_index_shows_hostile_headlines_as_text(tmp_path):
    publish(FolderStore(tmp_path), entry(DAY, DAY + timedelta(days=1), headline='"><script>alert(1)</script>'))
    page = (tmp_path / "reports/index.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert "default-src 'none'" in page


def test_months_of_puts_days_under_their_weekday():
    (month,) = months_of([entry(DAY)])
    assert month.name == "2026-11"
    cells = [week[6] for week in month.weeks if week[6] is not None]
    assert [cell.number for cell in cells if cell.entry] == [22]
    assert all(cell.entry is None or cell.number == 22 for week in month.weeks for cell in week if cell)


def test_index_forgets_reports_that_are_not_there_any_more(tmp_path):
    store = FolderStore(tmp_path)
    forget_removed(store)
    assert not (tmp_path / "reports").exists()
    for back in range(3):
        publish(store, entry(DAY - timedelta(days=back)))
    (tmp_path / f"reports/day={DAY}/report.html").unlink()
    forget_removed(store)
    assert f"day={DAY}/report.html" not in (tmp_path / "reports/index.html").read_text(encoding="utf-8")
    assert len(read_index(store)) == 2
    (tmp_path / f"reports/day={DAY - timedelta(days=1)}/report.html").unlink()
    publish(store, entry(DAY))
    assert set(read_index(store)) == {f"day={DAY}/report.html", f"day={DAY - timedelta(days=2)}/report.html"}


def test_an_alert_that_was_fired_stays_so_when_the_day_is_published_anew(tmp_path):
    store = FolderStore(tmp_path)
    fired, other = Fired("不满意", "云雀物流"), Fired("另一条", "云雀物流")
    publish(store, replace(entry(DAY), alerts=(fired,)))
    publish(store, replace(entry(DAY, conversations=310), alerts=(other, fired)))
    publish(store, entry(DAY, conversations=320))
    assert read_index(store)[f"day={DAY}/report.html"] == replace(entry(DAY, conversations=320), alerts=(fired, other))
