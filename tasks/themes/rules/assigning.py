"""text -> theme: a trained classifier's scores, what the first rule that matches adds, and keywords of other themes.

What a model said of a text before goes before all that, and only people's keywords go before it.
"""

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from tasks.themes.rules.classifier import Classifier
from tasks.themes.rules.known import KnownThemes
from tasks.themes.rules.nearest import NearestExamples
from tasks.themes.rules.normalizing import normalize
from tasks.themes.rules.patterns import NO_RULE, Rule, first_matches, matches
from tasks.themes.rules.taxonomy import OTHER, Taxonomy

_Scores = npt.NDArray[np.float32]

# A keyword of a theme that the classifier does not know decides: people chose it to take texts from the neighbors.
_KEYWORD = 1_000.0

# A model that read the taxonomy knows better than rules do.
_KNOWN = 500.0


class Assigner:
    """Assigns each text one theme of a taxonomy. Pure: the same text always gets the same theme.

    Themes that the classifier knows get its scores. Others, accepted later or a shop's own, get the texts that hold
    their keywords, the most of them first. A taxonomy of which the classifier knows nothing is assigned by keywords
    and then by the likeness to its examples.

    Args:
        taxonomy: its themes.
        rules: in their order.
        classifier: trained for the default taxonomy.
        known: what a model said of texts; a text that it named no theme for is assigned like any other.
    """

    def __init__(
        self, taxonomy: Taxonomy, rules: Sequence[Rule], classifier: Classifier, known: KnownThemes | None = None
    ) -> None:
        self.taxonomy = taxonomy
        trained = set(classifier.themes)
        assignable = set(taxonomy.assignable)
        others = [theme for theme in taxonomy.themes if theme.id in assignable - trained]
        self._known = known
        self._rules = tuple(rule for rule in rules if rule.theme in assignable & trained)
        self._classifier = classifier
        self._themes = (*classifier.themes, *(theme.id for theme in others))
        self._assignable = np.array([theme in assignable for theme in classifier.themes])
        self._columns = {theme: number for number, theme in enumerate(self._themes)}
        self._keywords = {
            theme.id: "|".join(re.escape(word) for word in _plain(theme.keywords) if word)
            for theme in others
            if theme.keywords
        }
        is_own = assignable & trained <= {OTHER}
        self._nearest = NearestExamples([theme for theme in others if theme.examples]) if is_own else None

    def assign(self, texts: pa.Array) -> pa.Array:
        """A theme's id for each text, OTHER where none fits, null where there is no text."""
        encoded = texts.dictionary_encode()
        distinct = encoded.dictionary
        best = self._scores(normalize(distinct), only_best=True).argmax(axis=1)
        themes = pa.array([self._themes[number] for number in best], pa.string())
        empty = pc.equal(pc.utf8_length(pc.utf8_trim_whitespace(distinct)), 0)
        return pc.if_else(empty, None, themes).take(encoded.indices)

    def are_sure(self, texts: pa.Array) -> npt.NDArray[np.bool_]:
        """Of texts, none of them null, the half whose best theme is furthest ahead of the second."""
        scores = np.clip(self._scores(normalize(texts)), -_KEYWORD, _KEYWORD)
        if not len(scores):
            return np.zeros(0, np.bool_)
        scores.sort(axis=1)
        margins = scores[:, -1] - scores[:, -2]
        sure: npt.NDArray[np.bool_] = margins >= np.median(margins)
        return sure

    def _scores(self, plain: pa.Array, *, only_best: bool = False) -> _Scores:
        """Texts x themes. `only_best` leaves rules out where they change nothing but by how much the best is ahead."""
        scores = np.zeros((len(plain), len(self._themes)), np.float32)
        many = len(self._classifier.themes)
        scores[:, many:] = -np.inf
        if self._nearest is None:
            scores[:, :many] = self._classifier.scores(plain)
            self._add_rules(plain, scores, self._undecided(plain, scores) if only_best else np.arange(len(plain)))
        else:
            for theme, likeness in self._nearest.likeness(plain):
                scores[:, self._columns[theme]] = likeness
        if self._known is not None:
            self._add_known(plain, scores, self._known)
        scores[:, :many][:, ~self._assignable] = -np.inf
        for theme, pattern in self._keywords.items():
            hits = pc.count_substring_regex(plain, pattern).to_numpy(zero_copy_only=False)
            scores[hits > 0, self._columns[theme]] = _KEYWORD * hits[hits > 0]
        empty = pc.equal(pc.utf8_length(plain), 0).to_numpy(zero_copy_only=False)
        scores[empty, self._columns[OTHER]] = np.inf
        return scores

    def _undecided(self, plain: pa.Array, scores: _Scores) -> npt.NDArray[np.int64]:
        """The texts whose best theme a rule changes, if no other rule matches before it."""
        assignable = np.where(self._assignable, scores[:, : len(self._assignable)], -np.inf)
        best = assignable.argmax(axis=1)
        highest = assignable.max(axis=1)
        undecided = np.zeros(len(scores), np.bool_)
        for rule in self._rules:
            column = self._columns[rule.theme]
            reaches = scores[:, column] + np.float32(rule.weight) >= highest
            asked = np.flatnonzero(reaches & (best != column) & ~undecided)
            undecided[asked] = matches(rule, plain.take(pa.array(asked)))
        return np.flatnonzero(undecided)

    def _add_rules(self, plain: pa.Array, scores: _Scores, where: npt.NDArray[np.int64]) -> None:
        rules = first_matches(self._rules, plain.take(pa.array(where)))
        for number in np.unique(rules[rules != NO_RULE]):
            rule = self._rules[number]
            scores[where[rules == number], self._columns[rule.theme]] += rule.weight

    def _add_known(self, plain: pa.Array, scores: _Scores, known: KnownThemes) -> None:
        _, numbers = known.find(plain.to_pylist())
        for number, theme in enumerate(known.themes):
            if theme in self._columns:
                scores[numbers == number, self._columns[theme]] = _KNOWN


def _plain(words: Sequence[str]) -> list[str]:
    plain: list[str] = normalize(pa.array(list(words), pa.string())).to_pylist()
    return plain
