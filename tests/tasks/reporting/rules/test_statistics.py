import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.reporting.rules.statistics import Proportion


@given(st.integers(0, 500), st.integers(0, 500))
def test_interval_holds_the_share_and_narrows(part, more):
    share = Proportion(part, part + more)
    low, high = share.interval()
    assert 0 <= low <= (share.value or 0) <= high + 1e-9 <= 1 + 1e-9
    if share.whole:
        wide = high - low
        assert (
            Proportion(part * 10, share.whole * 10).interval()[1]
            - Proportion(part * 10, share.whole * 10).interval()[0]
            < wide
        )


def test_interval_is_wilsons():
    assert Proportion(1, 8).interval() == pytest.approx((0.0224, 0.4709), abs=1e-4)
