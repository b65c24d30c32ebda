"""Amounts of money as people read them."""


def in_currency(amount: float, currency: str) -> str:
    """The amount with its currency: a sign stands before it (¥1.83), a code or a word after (1.83 CNY)."""
    shown = f"{amount:,.2f}" if not amount or abs(amount) >= 0.01 else f"{amount:.2g}"
    if not currency:
        return shown
    return f"{shown} {currency}" if currency.isalnum() else f"{currency}{shown}"


def cost_of_tokens(amount: float, tokens: int, currency: str) -> str:
    """An estimate with its tokens; tokens that cost nothing are tokens without a price."""
    cost = in_currency(amount, currency) if amount or not tokens else "unknown (--prompt-million-price sets a price)"
    return f"about {tokens:,} tokens, cost {cost}"
