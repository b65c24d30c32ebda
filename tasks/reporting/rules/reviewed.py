"""Accuracy of the model in people's reviews of a random sample, and the shares corrected for its errors."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from tasks.domain.true_rates import MINIMUM_REVIEWS, TrueRate, Verdicts, true_rate
from tasks.reporting.rules.formatting import whole_percent
from tasks.reporting.rules.statistics import Proportion
from tasks.reporting.rules.texts import Bilingual, translate


@dataclass(frozen=True, slots=True)
class ReviewedSample:
    """Reviews drawn at random from the days `first` to `last`; `right` and `rates` by field.

    A corrected share is that of these days: it says nothing of a day that nobody has reviewed yet.
    """

    first: date
    last: date
    reviews: int
    right: Mapping[str, Proportion]
    rates: Mapping[str, TrueRate]


def reviewed_sample(
    first: date,
    last: date,
    verdicts: Mapping[str, Sequence[Verdicts]],
    published: Mapping[str, Mapping[bool | None, int]],
) -> ReviewedSample:
    """Judge the reviews of some days.

    Args:
        first: the first day that has reviews.
        last: the last one.
        verdicts: (the model's, the person's) verdict of each review, by field.
        published: how many of all summaries of these days have each verdict of the model, by field.
    """
    reviews = max((len(found) for found in verdicts.values()), default=0)
    right = {
        name: Proportion(sum(model == person for model, person in found), reviews) for name, found in verdicts.items()
    }
    rates = {name: _rate(found, published[name]) for name, found in verdicts.items()}
    return ReviewedSample(first, last, reviews, right, rates)


def _rate(verdicts: Sequence[Verdicts], published: Mapping[bool | None, int]) -> TrueRate:
    """The share of true among all, as the headline has it: unknown is a part of the whole there."""
    total = sum(published.values())
    yes = published.get(True, 0)
    return true_rate([(model is True, person is True) for model, person in verdicts], {True: yes, False: total - yes})


def review_line(sample: ReviewedSample) -> Bilingual:
    """Return how right the model was, and that the reviews are too few to correct a share by where they are."""
    sentence = translate(
        "reviewed",
        reviews=sample.reviews,
        days=_days(sample),
        accepted=whole_percent(sample.right["accepted"]),
        negative=whole_percent(sample.right["negative_sentiment"]),
    )
    if sample.reviews >= MINIMUM_REVIEWS:
        return sentence
    few = translate("reviewed_too_few", minimum=MINIMUM_REVIEWS)
    return Bilingual(sentence.zh + few.zh, f"{sentence.en} {few.en}")


def corrected_share(sample: ReviewedSample | None, name: str) -> Bilingual | None:
    """Return a field's share as the model has it and corrected; None where no review, or too few, can tell."""
    if sample is None:
        return None
    rate = sample.rates[name]
    if rate.raw is None or rate.value is None or rate.low is None or rate.high is None:
        return None
    return translate(
        "corrected",
        days=_days(sample),
        raw=f"{rate.raw:.1%}",
        value=f"{rate.value:.1%}",
        range=f"{rate.low * 100:.1f}–{rate.high * 100:.1f}%",
        reviews=rate.reviews,
    )


def _days(sample: ReviewedSample) -> Bilingual:
    first, last = f"{sample.first:%m-%d}", f"{sample.last:%m-%d}"
    return Bilingual(first, first) if first == last else Bilingual(f"{first} 至 {last}", f"{first} to {last}")
