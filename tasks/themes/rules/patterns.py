"""Ordered rules: which theme's patterns a text matches first."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

NO_RULE = -1

# Measured on real texts: between 0.5 and 1 nothing changes; much more, and the model's better judgment is lost.
_WEIGHT = 0.5


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: every pattern of `when` matches and `unless` does not.

    Args:
        theme: what it speaks for.
        when: RE2 patterns.
        unless: an RE2 pattern, or nothing.
        weight: what it adds to the trained model's score for the theme.
    """

    theme: str
    when: tuple[str, ...]
    unless: str = ""
    weight: float = _WEIGHT


def parse_rules(text: str) -> tuple[Rule, ...]:
    """Read ordered rules from TOML."""
    return tuple(_rule(row) for row in tomllib.loads(text)["rules"])


def _rule(row: Mapping[str, Any]) -> Rule:
    return Rule(
        theme=row["theme"],
        when=tuple(row["when"]),
        unless=row.get("unless", ""),
        weight=float(row.get("weight", _WEIGHT)),
    )


def first_matches(rules: Sequence[Rule], texts: pa.Array) -> npt.NDArray[np.int32]:
    """The index of the first rule that each text matches, or NO_RULE.

    Args:
        rules: in their order.
        texts: normalized texts, none of them null.
    """
    found = np.full(len(texts), NO_RULE, dtype=np.int32)
    waiting = np.arange(len(texts))
    for number, rule in enumerate(rules):
        if not len(waiting):
            break
        left = texts.take(pa.array(waiting))
        hit = matches(rule, left)
        found[waiting[hit]] = number
        waiting = waiting[~hit]
    return found


def matches(rule: Rule, texts: pa.Array) -> npt.NDArray[np.bool_]:
    """True for each text that a rule matches, read alone."""
    if not len(texts):
        return np.zeros(0, np.bool_)
    hits = pc.match_substring_regex(texts, rule.when[0])
    for pattern in rule.when[1:]:
        hits = pc.and_(hits, pc.match_substring_regex(texts, pattern))
    if rule.unless:
        hits = pc.and_not(hits, pc.match_substring_regex(texts, rule.unless))
    found: npt.NDArray[np.bool_] = hits.to_numpy(zero_copy_only=False)
    return found
