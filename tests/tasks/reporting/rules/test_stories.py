"""A story as its numbers tell it."""

from datetime import date

import numpy as np
import pytest

from tasks.reporting.rules.stories import Aspect, Story

DAY = date(2026, 11, 22)


def story(*aspects):
    return Story(
        dimension="shop",
        key="A",
        aspects=aspects,
        first_day=DAY,
        last_day=DAY,
        recovered=False,
        conversations=40,
        unhappy=10,
        excess_unhappy=4.0,
        phrases=(),
        places=(),
        theme="",
        examples=(),
        daily=(),
        rows=np.arange(40),
    )


@pytest.mark.parametrize(("value", "usual", "borne_out"), [(40, 20, True), (40, 40, False), (170, 200, False)])
def test_a_story_that_all_its_conversations_deny_is_not_borne_out(value, usual, borne_out):
    assert story(Aspect("volume", value, usual), Aspect("negative", 0.9, 0.1)).is_borne_out is borne_out
