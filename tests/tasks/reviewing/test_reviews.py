"""Sheets read back into a warehouse."""

from datetime import UTC, datetime

import pytest

from tasks.clients.folder_store import FolderStore
from tasks.domain.errors import UsageError
from tasks.reviewing.reviews import store_reviews
from tasks.reviewing.rules.review_sheet import NUMBER

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def test_a_sheet_that_names_more_samples_than_can_be_looked_up_is_refused(tmp_path):
    sheet = [(row, {NUMBER: f"S{row}-0001"}) for row in range(2, 103)]
    with pytest.raises(UsageError, match="names 101 samples"):
        store_reviews.fn(FolderStore(tmp_path), sheet, NOW)
    with pytest.raises(UsageError, match="None of the samples"):
        store_reviews.fn(FolderStore(tmp_path), sheet[1:], NOW)
