"""The phrases of phrases.toml, by what they tell."""

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any


def alternatives(name: str) -> str:
    """Return the phrases of a kind as one regular expression."""
    return "|".join(_phrases()[name].split())


@cache
def _phrases() -> dict[str, Any]:
    return tomllib.loads(files(__package__).joinpath("phrases.toml").read_text(encoding="utf-8"))
