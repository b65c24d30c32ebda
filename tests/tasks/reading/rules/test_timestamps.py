"""Times in the forms that programs, spreadsheets and countries write them; all mean ten o'clock in China."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from tasks.reading.rules.timestamps import TimestampParser

TEN = datetime(2026, 11, 22, 2, tzinfo=UTC)

FORMS = [
    "2026-11-22 | 10:00:00", "2026-11-22 @ 10:00", "22.11.2026, 10:00 Uhr", "22.11.2026 um 10:00", "22/11/2026 à 10:00",
    "22NOV2026:10:00:00", "22/Nov/2026:10:00:00 +0800", "2026. 11. 22. 오전 10:00", "2026-11-22 10:00:00 中国标准时间",
    "#2026-11-22 10:00:00#", "10:00 · 22 Nov 2026", "22/11/2026 10.00", "22/11/2026, 10:00 a. m.", "22.11.2026 г. 10:00",
    "2026_11_22 10_00_00", "2026/11/22/10:00:00", "2026\\11\\22 10:00", "2026–11–22 10:00", "2026-11-22 02:00:00z",
    "115/11/22 10:00", "22/11/2569 10:00", "星期日 2026-11-22 10:00", "周日 2026/11/22 10:00:00", "2026年十一月22日 10:00",
    "22-11月-26 10.00.00.000000 上午", "22-11月-2026 10:00:00", "11月 22, 2026 10:00", "日, 22 11月 2026 10:00",
    "timestamp '2026-11-22 10:00:00'", "datetime.datetime(2026, 11, 22, 10, 0)", "261122100000", "20261122T100000",
    "26-11-22 10:00", "22. November 2026 10:00", "22. Nov. 2026, 10:00", "22 de noviembre de 2026 10:00", "22 ноября 2026 10:00",
    "dim. 22 nov. 2026 à 10:00", "22 listopada 2026 10:00", "22 Kasım 2026 10:00", "domenica 22 novembre 2026 10:00",
    639309096000000000, 134397864000000000, 13439786400000000, 1795312800000000000, "1795312800.0",
]  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_parse_reads_each_form(form):
    assert TimestampParser(ZoneInfo("Asia/Shanghai")).parse(form) == TEN


@pytest.mark.parametrize("number", [817005600, "817005600", 123456789, 99999999999, 4_102_444_800_000_000_000_000])
def test_parse_takes_no_number_for_a_time_before_2000_and_says_so(number):
    parser = TimestampParser(UTC)
    assert parser.parse(number) is None
    assert parser.take_unknown().count == 1


@pytest.mark.parametrize(
    ("form", "month"),
    [("22 juin 2026", 6), ("22 juil. 2026", 7), ("22 août 2026", 8), ("22-lug-2026", 7), ("22 mai 2026", 5)],
)
def test_parse_reads_months_of_europe(form, month):
    assert TimestampParser(UTC).parse(form) == datetime(2026, month, 22, tzinfo=UTC)
