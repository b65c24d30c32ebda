"""Learned limits: what a run found out about an endpoint's quota, kept in the warehouse for the next one."""

from dataclasses import fields

import orjson

from tasks.calling.rules.pacing.limits import Learned
from tasks.domain.errors import StoreError
from tasks.domain.layout import learned_limits_key
from tasks.domain.ports import ObjectStore

_NAMES = frozenset(field.name for field in fields(Learned))


def read_learned(warehouse: ObjectStore, model: str) -> Learned:
    """Return what was found out about a model's endpoint; nothing where that is missing, damaged or out of reach."""
    try:
        key = learned_limits_key(model)
        values = orjson.loads(warehouse.read_path(key)) if warehouse.stat(key) else {}
    except (StoreError, orjson.JSONDecodeError):
        return Learned()
    if not isinstance(values, dict) or not all(_is_limit(value) for value in values.values()):
        return Learned()
    return Learned(**{name: float(value) for name, value in values.items() if name in _NAMES})


def write_learned(warehouse: ObjectStore, model: str, learned: Learned, before: Learned) -> None:
    """Store what was learned, if it changed. Nothing depends on it: a store that refuses is left alone."""
    if learned == before:
        return
    try:
        warehouse.write_path(learned_limits_key(model), orjson.dumps(learned))
    except StoreError:
        return


def _is_limit(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e9
