import pytest

from tasks.reporting.rules.charts import WIDTH, _band


@pytest.mark.parametrize(
    ("start", "end", "band"), [(10, 20, (10, 10)), (-5, 5, (0, 5)), (WIDTH - 5, WIDTH + 5, (WIDTH - 5, 5))]
)
def test_a_band_ends_with_its_chart(start, end, band):
    assert _band(start, end) == band
