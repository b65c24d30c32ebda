"""The calendar's entries, as they lie in reports/index.json."""

from dataclasses import fields
from typing import Any

from tasks.reporting.rules.pages.calendar import Entry, entry_from
from tasks.reporting.rules.stories.alerts import Fired


def test_an_entry_of_a_newer_version_is_read_without_what_that_adds():
    row: dict[str, Any] = {field.name: "" for field in fields(Entry)}
    row |= {"stories": [["多", "more"]], "alerts": [{"alert": "a", "key": "k", "since": "2027"}]}
    entry = entry_from(row | {"weather": "rain"})
    assert (entry.stories, entry.alerts) == ((("多", "more"),), (Fired("a", "k"),))
