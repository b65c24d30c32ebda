"""A story that a report tells."""

from datetime import timedelta

import numpy as np

from tasks.reporting.rules.stories.segments import ISSUE_PHRASE
from tasks.reporting.rules.stories.story import Aspect, Story
from tests.builders.day_statistics import DAY

STORY = Story(
    dimension=ISSUE_PHRASE,
    key="云雀物流",
    aspects=(Aspect("volume", 43, 8), Aspect("negative", 0.7, 0.15)),
    first_day=DAY - timedelta(days=2),
    last_day=DAY,
    recovered=False,
    conversations=43,
    unhappy=30,
    excess_unhappy=24,
    phrases=("网点爆仓",),
    places=(("channel", "app"),),
    theme="logistics_progress",
    examples=("c1", "c2", "c3"),
    daily=((DAY, 43.0),),
    rows=np.arange(3),
)
