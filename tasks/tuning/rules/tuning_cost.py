"""The cost of a fine-tuning, before anything is submitted. Pure."""

from tasks.domain.errors import UsageError
from tasks.domain.money import in_currency
from tasks.tuning.rules.tuning_record import Tuning


def estimate(tuning: Tuning, price: float, currency: str) -> str:
    """The tuning's size and cost in words: rows, tokens, epochs; `price` is for 1,000 trained tokens, 0: not known."""
    epochs = [trial.experiment.epoch for trial in tuning.trials]
    count = f"{len(epochs)} experiment{'s' * (len(epochs) != 1)}"
    rows = "an unknown number of" if tuning.data.rows is None else f"{tuning.data.rows:,}"
    size = f"{count} on {rows} rows of {tuning.data.source}, {sum(epochs)} epochs in all"
    tokens = tuning.data.tokens
    if tokens is None:
        return f"{size}; how many tokens that is can't be told from here"
    trained = tokens * sum(epochs)
    cost = "; --training-token-price makes that an amount"
    if price:
        cost = f" at {in_currency(price, currency)} for 1,000 = {in_currency(trained * price / 1000, currency)}"
    return f"{size}: about {trained:,} tokens to train on{cost}"


def check_agreed(tuning: Tuning, price: float, currency: str, confirm: bool) -> str:
    """Return the tuning's cost, in words, once that is agreed to.

    Raises:
        UsageError: it is not.
    """
    cost = f"Tuning {tuning.name}: {estimate(tuning, price, currency)}"
    if not confirm:
        raise UsageError(f"This costs money. {cost}. Nothing was submitted; --confirm agrees to it.")
    return f"{cost}."
