"""Predictions against references: the Qianfan platform's metrics recomputed, and what they hide.

The platform scores the raw answer, braces and keys included, which flatters every model that keeps to the
format. So the same metrics are computed again for each field, under other names (`issue/ROUGE-L`),
and must not be set beside the platform's.

Words are jieba's. BLEU counts all of them, ROUGE none that are only white space, as the platform's scores do. The
recipe of the CSDS paper (Lin et al., 2021), which cuts a text into characters, is there to compare with papers.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache, lru_cache
from math import exp, fsum, log
from typing import NamedTuple

import jieba
import orjson
from rapidfuzz.distance import LCSseq, Levenshtein

from tasks.domain.chinese_words import ChineseWords
from tasks.domain.records import Fields
from tasks.evaluating.rules.agreement import Agreement, Confusion, Estimate
from tasks.parsing.answers import parse_answer

MAX_CHARACTERS = 20_000
"""Texts up to this length are scored exactly (endpoints stop far below it); see `score_text` for longer ones."""

_KEYS = frozenset(("用户问题", "客服方案", "是否接受", "是否负面情绪"))

_ORDERS = (1, 2, 3, 4)

_REMEMBERED_PIECE = 64  # longer runs of text hardly ever come twice

Words = list[str]

Cut = Callable[[str], Words]


class TextScores(NamedTuple):
    """One prediction against one reference: per cent, except the edit distance, which counts characters."""

    bleu_4: float
    rouge_1: float
    rouge_2: float
    rouge_l: float
    edit_distance: float


METRICS = ("BLEU-4", "ROUGE-1", "ROUGE-2", "ROUGE-L", "EDIT-DISTANCE")
"""The platform's names of a TextScores' figures, in its order."""


@dataclass(frozen=True, slots=True)
class RowScores:
    """One row. A field's scores are None where the reference does not have the field.

    `prediction` and `reference` are None where nothing could be read from the text; `plain` says that the
    prediction is just the four-key JSON that was asked for; `cut` that a text was too long to score whole.
    """

    text: TextScores
    issue: TextScores | None
    plan: TextScores | None
    prediction: Fields | None
    reference: Fields | None
    plain: bool
    cut: bool

    def figures(self) -> dict[str, float | None]:
        """Every figure of the row under its name; None where the reference can't be held against it.

        `accepted/accuracy` and `negative_sentiment/accuracy` are 100 or 0: their means are the accuracies.
        """
        figures: dict[str, float | None] = dict(zip(METRICS, self.text, strict=True))
        for field, scores in (("issue", self.issue), ("plan", self.plan)):
            values = scores if scores is not None else (None,) * len(METRICS)
            figures |= {f"{field}/{metric}": value for metric, value in zip(METRICS, values, strict=True)}
        guess, truth = self.prediction, self.reference
        figures["accepted/accuracy"] = (
            None if truth is None else 100.0 * (guess is not None and guess.accepted == truth.accepted)
        )
        figures["negative_sentiment/accuracy"] = (
            None
            if truth is None
            else 100.0 * (guess is not None and guess.negative_sentiment == truth.negative_sentiment)
        )
        figures["format/plain"] = 100.0 * self.plain
        figures["format/parseable"] = 100.0 * (guess is not None)
        return figures


@dataclass(frozen=True, slots=True)
class Scores:
    """All rows together. `means` holds averages by name, None where no row has the figure.

    `references` counts the rows whose reference could be read; the fields' figures are about those.
    """

    rows: int
    references: int
    rows_cut: int
    means: dict[str, float | None]
    accepted: Agreement
    negative_sentiment: Agreement

    def figures(self) -> dict[str, object]:
        """One flat object for JSON: per cent, kappa from -1 to 1, intervals as `… 95%: [low, high]`."""
        figures: dict[str, object] = {
            "rows": self.rows,
            **self.means,
            "references": self.references,
            "rows_cut": self.rows_cut,
        }
        for field, agreement in (("accepted", self.accepted), ("negative_sentiment", self.negative_sentiment)):
            figures |= _interval(f"{field}/accuracy", agreement.accuracy, 100)
            figures |= _interval(f"{field}/macro-F1", agreement.macro_f1, 100)
            figures |= _interval(f"{field}/F1", agreement.positive_f1, 100)
            figures |= _interval(f"{field}/kappa", agreement.kappa, 1)
        return figures


def score_rows(
    pairs: Iterable[tuple[str, str]], each: Callable[[RowScores], None] | None = None, cut: Cut | None = None
) -> Scores:
    """Score (prediction, reference) pairs in constant memory, however many there are.

    Args:
        pairs: predictions and references as their raw texts.
        each: is handed every row's scores as they are made, to write or collect them.
        cut: a text's words; left out, jieba's.
    """
    rows = references = rows_cut = 0
    sums: dict[str, float] = {}
    counts: Counter[str] = Counter()
    accepted, negative_sentiment = Confusion(), Confusion()
    for prediction, reference in pairs:
        row = score_row(prediction, reference, cut)
        rows += 1
        rows_cut += row.cut
        for name, value in row.figures().items():
            if value is None:
                sums.setdefault(name, 0.0)
            else:
                sums[name] = sums.get(name, 0.0) + value
                counts[name] += 1
        guess, truth = row.prediction, row.reference
        if truth is not None:
            references += 1
            missing = guess is None
            accepted.add(truth.accepted, guess.accepted if guess else None, missing=missing)
            negative_sentiment.add(
                truth.negative_sentiment, guess.negative_sentiment if guess else None, missing=missing
            )
        if each is not None:
            each(row)
    return Scores(
        rows=rows,
        references=references,
        rows_cut=rows_cut,
        means={name: total / counts[name] if counts[name] else None for name, total in sums.items()},
        accepted=accepted.agreement(),
        negative_sentiment=negative_sentiment.agreement(),
    )


def score_row(prediction: str, reference: str, cut: Cut | None = None) -> RowScores:
    """Everything that one pair is measured by."""
    guess, truth = _fields(prediction), _fields(reference)
    return RowScores(
        text=score_text(prediction, reference, cut),
        issue=_score_field(guess.issue if guess else None, truth.issue if truth else None, cut),
        plan=_score_field(guess.plan if guess else None, truth.plan if truth else None, cut),
        prediction=guess,
        reference=truth,
        plain=is_plain(prediction),
        cut=max(len(prediction), len(reference)) > MAX_CHARACTERS,
    )


def score_text(prediction: str, reference: str, cut: Cut | None = None) -> TextScores:
    """The platform's five figures for one pair. An empty side scores 0, and its distance is the other's length.

    Of a text longer than `MAX_CHARACTERS` the head is scored (and read) and every character cut off is added to the
    edit distance, which is then an upper bound: a megabyte costs as little as 20,000 characters do.
    """
    surplus = max(0, len(prediction) - MAX_CHARACTERS) + max(0, len(reference) - MAX_CHARACTERS)
    prediction, reference = prediction[:MAX_CHARACTERS], reference[:MAX_CHARACTERS]
    cut = cut or cut_words
    guess, truth = cut(prediction), cut(reference)
    guessed = [_ngrams(guess, order) for order in _ORDERS]
    true = [_ngrams(truth, order) for order in _ORDERS]
    shared = [ngrams.keys() & wanted.keys() for ngrams, wanted in zip(guessed, true, strict=True)]
    hits = [
        sum(map(min, map(ngrams.__getitem__, both), map(wanted.__getitem__, both)))
        for ngrams, wanted, both in zip(guessed, true, shared, strict=True)
    ]
    bleu = _bleu(hits, len(guess), len(truth))
    if any(map(str.isspace, guess)) or any(map(str.isspace, truth)):
        guess, truth = _without_blanks(guess), _without_blanks(truth)
        guessed, true = ([_ngrams(words, order) for order in (1, 2)] for words in (guess, truth))
        shared = [ngrams.keys() & wanted.keys() for ngrams, wanted in zip(guessed, true, strict=True)]
    rouge_1, rouge_2 = (_f1(len(shared[n]), len(guessed[n]), len(true[n])) for n in (0, 1))
    return TextScores(
        bleu_4=100 * bleu,
        rouge_1=100 * rouge_1,
        rouge_2=100 * rouge_2,
        rouge_l=100 * _f1(LCSseq.similarity(guess, truth), len(guess), len(truth)),
        edit_distance=float(Levenshtein.distance(prediction, reference) + surplus),
    )


def cut_characters(text: str) -> Words:
    """The text's characters as words, without white space: the recipe of the CSDS paper."""
    return [character for character in text if not character.isspace()]


def cut_words(text: str) -> Words:
    """The text's words as `jieba.cut` gives them by default; punctuation and blanks are words too."""
    words: Words = []
    # jieba cuts what lies between these marks by itself, so a piece that was met before needs no second look.
    for piece in jieba.re_han_default.split(text):
        if piece:
            words.extend(_cut_known(piece) if len(piece) <= _REMEMBERED_PIECE else _words().cut(piece))
    return words


def is_plain(prediction: str) -> bool:
    """Return true where the text is nothing but one JSON object with the four keys and strings in them."""
    if len(prediction) > MAX_CHARACTERS:
        return False
    try:
        value = orjson.loads(prediction)
    except orjson.JSONDecodeError:
        return False
    return isinstance(value, dict) and value.keys() == _KEYS and all(isinstance(v, str) for v in value.values())


@cache
def _words() -> ChineseWords:
    return ChineseWords()


@lru_cache(maxsize=16_384)
def _cut_known(piece: str) -> tuple[str, ...]:
    return tuple(_words().cut(piece))


def _without_blanks(words: Words) -> Words:
    return [word for word in words if not word.isspace()]


def _ngrams(words: Words, order: int) -> Counter[tuple[str, ...]]:
    return Counter(zip(*(words[start:] for start in range(order)), strict=False))


def _bleu(hits: list[int], guess_length: int, truth_length: int) -> float:
    """Sentence BLEU with NIST's geometric smoothing, step by step what NLTK's `method3` does.

    Args:
        hits: n-grams of each order that both sides have, an n-gram as often as the rarer side has it.
        guess_length: words of the prediction.
        truth_length: words of the reference.
    """
    if not hits[0]:
        return 0.0
    logs, halvings = [], 0
    for order, hit in zip(_ORDERS, hits, strict=True):
        if not hit:
            halvings += 1
        logs.append(log((hit or 0.5**halvings) / max(1, guess_length - order + 1)) / len(_ORDERS))
    brevity = 1.0 if guess_length > truth_length else exp(1 - truth_length / guess_length)
    return brevity * exp(fsum(logs))


def _f1(common: int, guessed: int, true: int) -> float:
    return 2 * common / (guessed + true) if common else 0.0


def _fields(text: str) -> Fields | None:
    parsed = parse_answer(text[:MAX_CHARACTERS], cut_off=len(text) > MAX_CHARACTERS)
    return parsed if isinstance(parsed, Fields) else None


def _score_field(guess: str | None, truth: str | None, cut: Cut | None) -> TextScores | None:
    return score_text(guess or "", truth, cut) if truth else None


def _interval(name: str, estimate: Estimate | None, scale: int) -> dict[str, object]:
    if estimate is None:
        return {name: None, f"{name} 95%": None}
    return {name: scale * estimate.value, f"{name} 95%": [scale * estimate.low, scale * estimate.high]}
