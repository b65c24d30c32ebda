"""Stories of one shop whose conversations a day are given, beside steady traffic."""

from datetime import date, timedelta

import numpy as np
import pytest

from tasks.reporting.rules.stories.segments import Conversations, Segment
from tasks.reporting.rules.stories.story import find_stories

FIRST, OTHERS, SEASON = date(2026, 1, 1), 400, 10


def told_of(a_day_by_season):
    """The stories of seasons of ten days each."""
    a_day = np.repeat(a_day_by_season, SEASON)
    days = tuple(FIRST + timedelta(number) for number in range(len(a_day)))
    day = np.repeat(np.arange(len(days)), a_day + OTHERS)
    ours = np.concatenate([np.arange(count + OTHERS) < count for count in a_day])
    size = len(day)
    conversations = Conversations(
        days=days,
        ids=[f"c{number}" for number in range(size)],
        day=day,
        accepted=np.ones(size, dtype=np.int64),
        negative=np.zeros(size, dtype=np.int64),
        issues=[""] * size,
        plans=[""] * size,
        labels={"shop": ["A" if own else "" for own in ours]},
        totals=a_day + OTHERS,
    )
    told, _ = find_stories(conversations, [Segment("shop", "A", np.flatnonzero(ours))], days[0], days[-1])
    return told


@pytest.mark.parametrize("a_day_by_season", [(100, 100, 2, 60), (200, 100, 50, 5), (300, 200, 100, 3)])
def test_what_is_more_only_than_without_a_larger_story_is_none(a_day_by_season):
    # Without its first seasons 60 a day are a surge beside 2; with them it is less than usual.
    (story,) = told_of(a_day_by_season)
    assert story.first_day == FIRST
    assert story.aspects[0].value > story.aspects[0].usual


def test_a_surge_that_comes_again_is_told_each_time():
    assert len(told_of((100, 2, 100, 2, 80))) == 3
