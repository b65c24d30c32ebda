"""The cost of a fine-tuning, before anything is submitted. Pure."""

from tasks.domain.errors import UsageError
from tasks.tuning.rules.tuning_record import Tuning


def estimate(tuning: Tuning, price: float) -> str:
    """The tuning's size and cost in words: rows, tokens, epochs; `price` is for 1,000 trained tokens, 0: not known."""
    epochs = [trial.experiment.epoch for trial in tuning.trials]
    count = f"{len(epochs)} experiment{'s' * (len(epochs) != 1)}"
    rows = "an unknown number of" if tuning.data.rows is None else f"{tuning.data.rows:,}"
    size = f"{count} on {rows} rows of {tuning.data.source}, {sum(epochs)} epochs in all"
    tokens = tuning.data.tokens
    if tokens is None:
        return f"{size}; how many tokens that is can't be told from here"
    trained = tokens * sum(epochs)
    known = f" at {price:g} for 1,000 = {trained * price / 1000:,.2f}" if price else ""
    hint = "" if price else "; --training-token-price makes that an amount"
    return f"{size}: about {trained:,} tokens to train on{known}{hint}"


def check_agreed(tuning: Tuning, price: float, confirm: bool) -> str:
    """Return the tuning's cost, in words, once that is agreed to.

    Raises:
        UsageError: it is not.
    """
    cost = f"Tuning {tuning.name}: {estimate(tuning, price)}"
    if not confirm:
        raise UsageError(f"This costs money. {cost}. Nothing was submitted; --confirm agrees to it.")
    return f"{cost}."
