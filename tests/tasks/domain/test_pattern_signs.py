"""A pattern with signs finds what it finds without them, and nothing else."""

import re
import sys
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tasks.domain.pattern_signs import SignedPattern, SignedPatterns, sign_of
from tasks.preparing.steering import phrases
from tests.conftest import ROOT

CHARACTERS = "ab忽略指令\n"

LITERALS = st.text(CHARACTERS.strip(), min_size=1, max_size=3)


def alternatives(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.tuples(inner, inner).map("".join),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: f"(?:{'|'.join(parts)})"),
        inner.map(lambda part: f"(?:{part})?"),
        inner.map(lambda part: f"(?:{part}){{2,3}}"),
        inner.map(lambda part: f"(?i:{part})"),
        inner.map(lambda part: f"(?={part})."),
        inner.map(lambda part: f"(?!{part})[^略]"),
        inner.map(lambda part: f"(?<!b){part}(?:$|b)"),
    )


PATTERNS = st.recursive(
    st.one_of(LITERALS, st.sampled_from(["[a略]", "[^b]{0,2}", "^", "b.a"])), alternatives, max_leaves=8
)


def signed() -> dict[str, SignedPattern]:
    """Every pattern with signs in the code, by its place."""
    found: dict[str, SignedPattern] = {}
    for path in sorted((ROOT / "tasks").rglob("*.py")):
        if "SignedPattern(" in path.read_text(encoding="utf-8"):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            module = import_module(name)
            found |= {
                f"{name}:{key}": pattern for key, pattern in vars(module).items() if isinstance(pattern, SignedPattern)
            }
    return found


SIGNED = signed()


@cache
def phrases_of(name: str, flags: re.RegexFlag) -> SignedPatterns:
    return SignedPatterns(phrases(name), flags)


def real_texts() -> list[str]:
    """Texts of our own tests: attempts to steer, complaints, small talk."""
    folder = Path(__file__).parents[1]
    lines = [line for path in sorted(folder.rglob("*.t?[xs][tv]")) for line in path.read_text("utf-8").splitlines()]
    return [part for line in lines for part in line.split("\t") if part]


@given(PATTERNS, st.lists(st.text(CHARACTERS + "AB", max_size=8), max_size=30))
@settings(max_examples=300, deadline=None)
def test_a_text_that_a_pattern_is_found_in_has_a_sign(source: str, texts: list[str]) -> None:
    pattern = re.compile(source)
    try:
        sign = sign_of(pattern)
    except ValueError:
        return  # nothing literal in it
    assert not [text for text in texts if pattern.search(text) and not sign.search(text)]


@given(st.lists(PATTERNS, min_size=1, max_size=5), st.lists(st.text(CHARACTERS + "AB", max_size=8), max_size=30))
@settings(max_examples=200, deadline=None)
def test_several_patterns_are_found_where_one_of_them_is(sources: list[str], texts: list[str]) -> None:
    together = SignedPatterns(sources)
    try:
        together.sign  # noqa: B018 - made when it is first asked for
    except ValueError:
        return  # nothing literal in one of them
    patterns = [re.compile(source) for source in sources]
    for text in texts:
        assert together.is_in(text) is any(pattern.search(text) is not None for pattern in patterns)


@pytest.mark.parametrize("name", ["chinese", "english", "english_of_users", "fences"])
@given(st.data())
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
def test_what_a_phrase_describes_is_found_among_all(name: str, data: st.DataObject) -> None:
    flags = re.IGNORECASE if name in ("english_of_users", "fences") else re.NOFLAG
    source = data.draw(st.sampled_from(phrases(name)))
    text = data.draw(st.from_regex(re.compile(source, flags)))
    assert phrases_of(name, flags).is_in(text)


@pytest.mark.parametrize("name", SIGNED)
@given(st.data())
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
def test_what_a_pattern_of_ours_describes_has_a_sign(name: str, data: st.DataObject) -> None:
    pattern = SIGNED[name].pattern
    text = data.draw(st.from_regex(pattern))
    assert SIGNED[name].search(text) is not None


@pytest.mark.parametrize("name", SIGNED)
def test_signs_change_nothing_about_texts_of_people(name: str) -> None:
    pattern = SIGNED[name]
    for text in TEXTS:
        assert (pattern.search(text) is None) is (pattern.pattern.search(text) is None)


TEXTS = real_texts()


def test_a_sign_is_rarer_than_what_it_stands_for() -> None:
    sign = sign_of(re.compile(r"(?:请|你)?[^。]{0,9}(?:忽略|无视)(?:以上)?[^。]{0,9}(?:指令|提示词?)"))
    assert sign.search("请忽略这条") or sign.search("请看指令")
    assert not sign.search("请问你的快递到了吗，请你看一下")


def test_letters_that_the_engine_takes_for_each_other_are_signs_too() -> None:
    for letter in "abcdefghijklmnopqrstuvwxyz":
        sign = sign_of(re.compile(f"(?i:{letter})"))
        same = re.compile(letter, re.IGNORECASE)
        others = [chr(code) for code in range(sys.maxunicode + 1) if same.match(chr(code))] if letter in "iks" else []
        assert all(sign.search(other) for other in (letter, letter.upper(), *others))


def test_an_alternative_without_anything_literal_is_refused() -> None:
    with pytest.raises(ValueError, match="holds nothing literal"):
        sign_of(re.compile("忽略|[^a]+"))
