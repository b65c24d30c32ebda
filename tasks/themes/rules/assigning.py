"""text -> theme: the trained classifier's scores, and what the first rule that matches adds to them."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from tasks.themes.rules.classifier import Classifier
from tasks.themes.rules.normalizing import normalize
from tasks.themes.rules.patterns import NO_RULE, Rule, first_matches
from tasks.themes.rules.taxonomy import OTHER, Taxonomy


class Assigner:
    """Assigns each text one theme of a taxonomy. Pure: the same text always gets the same theme."""

    def __init__(self, taxonomy: Taxonomy, rules: Sequence[Rule], classifier: Classifier) -> None:
        self.taxonomy = taxonomy
        assignable = set(taxonomy.assignable)
        self._rules = tuple(rule for rule in rules if rule.theme in assignable)
        self._classifier = classifier
        self._known = np.array([theme in assignable for theme in classifier.themes])
        self._columns = {theme: number for number, theme in enumerate(classifier.themes)}

    def assign(self, texts: pa.Array) -> pa.Array:
        """A theme's id for each text, OTHER where none fits, null where there is no text."""
        encoded = texts.dictionary_encode()
        distinct = encoded.dictionary
        themes = pa.array(self._of_distinct(distinct), pa.string())
        empty = pc.equal(pc.utf8_length(pc.utf8_trim_whitespace(distinct)), 0)
        return pc.if_else(empty, None, themes).take(encoded.indices)

    def _of_distinct(self, texts: pa.Array) -> list[str]:
        plain = normalize(texts)
        rules = first_matches(self._rules, plain)
        scores = self._scores(plain, rules)
        return [self._classifier.themes[number] for number in scores.argmax(axis=1)]

    def _scores(self, plain: pa.Array, rules: npt.NDArray[np.int32]) -> npt.NDArray[np.float32]:
        scores = self._classifier.scores(plain)
        scores[:, ~self._known] = -np.inf
        for number in np.unique(rules[rules != NO_RULE]):
            rule = self._rules[number]
            scores[rules == number, self._columns[rule.theme]] += rule.weight
        scores[pc.equal(pc.utf8_length(plain), 0).to_numpy(zero_copy_only=False), self._columns[OTHER]] = np.inf
        return scores
