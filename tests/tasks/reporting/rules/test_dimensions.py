import pytest

from tasks.domain.errors import UsageError
from tasks.reporting.rules.dimensions import AttributeDimensions


@pytest.mark.parametrize("names", [("channel",), ("shop", "shop"), ("",), tuple(map(str, range(21)))])
def test_attribute_dimensions_refuse_names_that_would_be_mixed_up(names):
    with pytest.raises(UsageError, match="--dimensions"):
        AttributeDimensions(names)
