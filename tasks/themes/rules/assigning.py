"""text -> theme."""

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from tasks.themes.rules.normalizing import normalize
from tasks.themes.rules.patterns import NO_RULE, Rule, first_matches
from tasks.themes.rules.taxonomy import OTHER, Taxonomy


class Assigner:
    """Assigns each text one theme of a taxonomy. Pure: the same text always gets the same theme."""

    def __init__(self, taxonomy: Taxonomy, rules: Sequence[Rule]) -> None:
        self.taxonomy = taxonomy
        assignable = set(taxonomy.assignable)
        self._rules = tuple(rule for rule in rules if rule.theme in assignable)

    def assign(self, texts: pa.Array) -> pa.Array:
        """A theme's id for each text, OTHER where none fits, null where there is no text."""
        encoded = texts.dictionary_encode()
        distinct = encoded.dictionary
        themes = pa.array(self._of_distinct(distinct), pa.string())
        empty = pc.equal(pc.utf8_length(pc.utf8_trim_whitespace(distinct)), 0)
        return pc.if_else(empty, None, themes).take(encoded.indices)

    def _of_distinct(self, texts: pa.Array) -> list[str]:
        return [
            OTHER if number == NO_RULE else self._rules[number].theme
            for number in first_matches(self._rules, normalize(texts))
        ]
