"""The report's four figures beside those of the days before."""

from datetime import timedelta

from tasks.reporting.rules.context import Context
from tasks.reporting.rules.pages.page import make_page
from tasks.reporting.rules.texts import translate
from tests.builders.day_statistics import DAY, statistics_of
from tests.builders.summary_days import summaries


def test_as_many_conversations_as_before_are_unchanged():
    statistics = statistics_of(summaries(40))
    history = {DAY - timedelta(days=1): statistics.metrics}
    conversations, *_ = make_page(statistics, Context(history=history)).figures
    assert [delta.change for delta in conversations.deltas] == [translate("unchanged")]
