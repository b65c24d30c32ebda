"""Remarks on a day's reading."""

from datetime import date

from tasks.reading.tally import ReadingTally


def test_remarks_on_very_many_files_end_with_their_number():
    tally = ReadingTally(notes=[f"log-{number}: a fault" for number in range(60)])
    remarks = tally.remarks(date(2026, 11, 22))
    assert remarks[:50] == tally.notes[:50]
    assert remarks[50:] == ["10 more remarks on other files are left out."]
