"""Check digits and dates that distinguish a number of one kind from any other."""

from datetime import date
from typing import Final

_CHECK_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)

_CHECK_DIGITS: Final = "10X98765432"

_DOUBLED: Final = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


def is_id_card(number: str) -> bool:
    """Return true if 18 characters are an ID card's: a real date of birth and the check digit of GB 11643."""
    if not is_date(number[6:10], number[10:14]) or number[0] == "0":
        return False
    total = sum(int(digit) * weight for digit, weight in zip(number, _CHECK_WEIGHTS, strict=False))
    return number[17] == _CHECK_DIGITS[total % 11]


def is_old_id_card(number: str) -> bool:
    """Return true if 15 digits are an ID card's of before 1999: a province and a real date of birth."""
    return "11" <= number[:2] <= "82" and is_date("19" + number[6:8], number[8:12])


def is_date(year: str, month_and_day: str) -> bool:
    """Return true if four digits and four more are the date of somebody's birth."""
    if not "1850" <= year <= "2099":
        return False
    try:
        date(int(year), int(month_and_day[:2]), int(month_and_day[2:]))
    except ValueError:
        return False
    return True


def satisfies_luhn(digits: str) -> bool:
    """Return true if the last digit is the one that ISO/IEC 7812 asks of a bank card."""
    total = sum(int(digit) for digit in digits[-1::-2]) + sum(_DOUBLED[int(digit)] for digit in digits[-2::-2])
    return total % 10 == 0
