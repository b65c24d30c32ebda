"""Amounts with their currency."""

import pytest

from tasks.domain.money import in_currency


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        (1234.5, "¥", "¥1,234.50"),
        (1.5, "CNY", "1.50 CNY"),
        (0.00123, "$", "$0.0012"),
        (0, "€", "€0.00"),
        (2, "元", "2.00 元"),
        (7, "", "7.00"),
    ],
)
def test_in_currency_puts_signs_before_and_codes_behind(amount, currency, shown):
    assert in_currency(amount, currency) == shown
