"""Amounts of money as people read them."""


def in_currency(amount: float, currency: str) -> str:
    """The amount with its currency: a sign stands before it (¥1.83), a code or a word after (1.83 CNY)."""
    shown = f"{amount:,.2f}" if not amount or abs(amount) >= 0.01 else f"{amount:.2g}"
    if not currency:
        return shown
    return f"{shown} {currency}" if currency.isalnum() else f"{currency}{shown}"
