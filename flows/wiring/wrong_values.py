"""Complaints about a setting's or a flag's value: what pydantic found, in a clause for people."""

from collections.abc import Mapping
from typing import Any, Final

_NO_WHOLE_NUMBER: Final = "this is no whole number"
_NO_NUMBER: Final = "this is no number"

_CLAUSES: Final = {
    "greater_than": "this has to be greater than {gt:g}",
    "greater_than_equal": "this has to be at least {ge:g}",
    "less_than_equal": "this has to be at most {le:g}",
    "int_parsing": _NO_WHOLE_NUMBER,
    "int_from_float": _NO_WHOLE_NUMBER,
    "int_type": _NO_WHOLE_NUMBER,
    "float_parsing": _NO_NUMBER,
    "float_type": _NO_NUMBER,
    "bool_parsing": "this is neither true nor false",
    "literal_error": "this has to be {expected}",
    "string_too_long": "this has to be at most {max_length} characters long",
    "string_pattern_mismatch": "this has to match {pattern}",
}


def clause(problem: Mapping[str, Any]) -> str:
    """Return a clause about one of the problems of a pydantic `ValidationError`; a check of our own words its own."""
    written = _CLAUSES.get(problem["type"], "")
    return written.format(**problem.get("ctx", {})) or problem["msg"].removeprefix("Value error, ")
