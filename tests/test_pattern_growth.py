"""Every regular expression of the code takes time in proportion to the text, whatever a stranger writes.

Each is fed texts of growing length that repeat what it repeats. CPU times of one thread are compared with each other:
eight times the text may take some eight times as long, where quadratic work takes 64 times and exponential never ends.
"""

import ast
import re
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from tasks.domain.pattern_signs import SignedPattern
from tasks.preparing.steering import phrases
from tests.builders.hostile_texts import hostile_texts
from tests.conftest import ROOT

SHORT, LONG = 500, 4000  # characters
ALLOWED = 8**1.5
NOTICED = 0.001  # seconds; quadratic work on LONG characters takes more
HOPELESS = 0.01  # for so short a text that it explodes
LENGTHS = (16, 20, 25, 31, 39, 49, 61, 76, 95, 119, 128)

# A name and the way it is applied, where its module applies it by another name.
APPLIED = {
    "tasks/parsing/field_names.py: _PATTERNS": "fullmatch",
    "tasks/preparing/masking.py: _NAME_COLUMN": "fullmatch",
    "tasks/preparing/masking.py: _ADDRESS_COLUMN": "fullmatch",
    "tasks/reading/rules/objects/file_kinds.py: _SQL": "match",
    "tasks/reading/rules/transcripts/borders.py: NUMBERED": "fullmatch",
    "tasks/reading/rules/transcripts/borders.py: _KINDS": "match",
    "tasks/reading/rules/transcripts/headings.py: HEADING": "fullmatch",
    "tasks/reading/rules/transcripts/headings.py: NUMBERED": "fullmatch",
    "tasks/reading/rules/transcripts/headings.py: RULE": "fullmatch",
    "tasks/reading/rules/transcripts/labels.py: _NAME_AND_CLOCK": "match",
    "tasks/reading/rules/transcripts/labels.py: _NAME_AND_TIME": "match",
    "tasks/reading/rules/transcripts/labels.py: _TIME_AND_NAME": "match",
    "tasks/reading/rules/transcripts/notices.py: _NOTICE": "fullmatch",
}

# The most characters that its module gives it, where those are few.
BOUNDED = {
    "tasks/parsing/answer_shapes.py: _LEFT_OVER": 40,
    "tasks/parsing/field_names.py: _PATTERNS": 64,
    "tasks/preparing/compaction.py: _AGENT_CLAUSE": 48,
    "tasks/preparing/masks/addresses.py: _NAME_AT_END": 10,
    "tasks/reading/rules/tables/told_by_values.py: _DATED": 60,
}

Work = Callable[[str], object]


def modules() -> list[Path]:
    return [
        path
        for folder in ("tasks", "flows", "deployments")
        for path in sorted((ROOT / folder).rglob("*.py"))
        if path.name not in ("__main__.py", "__init__.py") and "training" not in path.parts
    ]


def phrase_patterns() -> Iterator[tuple[str, re.Pattern[str], str]]:
    """Each line of the phrases by itself: joined, they are more than a text can be made for."""
    for path in sorted((ROOT / "tasks/preparing/phrases").glob("*.txt")):
        if path.stem != "words":
            for phrase in phrases(path.stem):
                yield f"{path.name}: {phrase}", re.compile(phrase, re.IGNORECASE), "finditer"


def within(value: object, depth: int = 0) -> Iterator[re.Pattern[str]]:
    """The patterns in a module's constant: in tables, tuples and dataclasses, too."""
    if isinstance(value, re.Pattern):
        if isinstance(value.pattern, str):
            yield value
    elif isinstance(value, SignedPattern):
        yield value.pattern
    elif depth < 4:
        parts: list[object] = []
        if isinstance(value, (tuple, list, set, frozenset)):
            parts = list(value)
        elif isinstance(value, dict):
            parts = [*value.keys(), *value.values()]
        elif not isinstance(value, type):
            parts = [getattr(value, name, None) for name in getattr(value, "__dataclass_fields__", ())]
        for part in parts:
            yield from within(part, depth + 1)


def calls(tree: ast.AST) -> Iterator[tuple[str, str, ast.Call]]:
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
        ):
            yield node.func.value.id, node.func.attr, node


def patterns_of(path: Path, module: ModuleType) -> Iterator[tuple[str, re.Pattern[str], str]]:
    """Each pattern's place, and the way it is applied: from a text's beginning only, or anywhere."""
    used = list(calls(ast.parse(path.read_text(encoding="utf-8"))))
    for name, value in vars(module).items():
        ways = {way for owner, way, _ in used if owner == name}
        anchored = ways and ways <= {"match", "fullmatch"}
        for pattern in within(value):
            yield f"{path.relative_to(ROOT)}: {name}", pattern, min(ways) if anchored else "finditer"
    for owner, way, call in used:
        literal = call.args[0].value if call.args and isinstance(call.args[0], ast.Constant) else None
        if owner == "re" and isinstance(literal, str) and way not in ("compile", "escape"):
            anchored = way in ("match", "fullmatch")
            yield f"{path.relative_to(ROOT)}:{call.lineno}", re.compile(literal), way if anchored else "finditer"


def work_of(pattern: re.Pattern[str], way: str) -> Work:
    if way == "finditer":
        return lambda text: sum(1 for _ in pattern.finditer(text))
    work: Work = getattr(pattern, way)
    return work


def seconds(work: Work, text: str, times: int = 1) -> float:
    best = float("inf")
    for _ in range(times):
        begun = time.thread_time()
        work(text)
        best = min(best, time.thread_time() - begun)
    return best


def explodes(work: Work, pattern: re.Pattern[str], most: int) -> str:
    """A short text that costs too much; lengths grow so slowly that it is found before one takes for ever.

    What costs less than 10 ms at one length, 2 ** 20 steps, costs less than 2 ** 25 at the next, however it grows.
    """
    for length in (length for length in LENGTHS if length <= most):
        for text in hostile_texts(pattern, length):
            if seconds(work, text) >= HOPELESS and seconds(work, text, times=3) >= HOPELESS:
                return text
    return ""


def grows_too_fast(pattern: re.Pattern[str], way: str, most: int = LONG) -> str:
    """The beginning of a text that costs too much each time, "" where none does: a busy machine is slow at times."""
    found = ""
    for _ in range(3):
        found = costly_text(pattern, way, most)
        if not found:
            break
    return found


def costly_text(pattern: re.Pattern[str], way: str, most: int) -> str:
    """Likewise, looked for once."""
    work = work_of(pattern, way)
    if (found := explodes(work, pattern, most)) or most < LONG:
        return found[:20]
    for short, long in zip(hostile_texts(pattern, SHORT), hostile_texts(pattern, LONG), strict=True):
        if seconds(work, long) < NOTICED:
            continue
        taken = seconds(work, long, times=3)
        if taken >= NOTICED and taken > ALLOWED * seconds(work, short, times=9):
            return long[:20]
    return ""


def test_no_pattern_of_the_code_grows_faster_than_its_text():
    seen: dict[tuple[str, int, str], str] = {}
    for path in modules():
        module = import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
        for place, pattern, way in patterns_of(path, module):
            seen.setdefault((pattern.pattern, pattern.flags, way), place)
    for place, pattern, way in phrase_patterns():
        seen.setdefault((pattern.pattern, pattern.flags, way), place)
    assert len(seen) > 500
    assert {place.partition("/")[0] for place in seen.values()} > {"flows", "deployments"}
    costly = {
        place: text
        for (source, flags, way), place in seen.items()
        if (text := grows_too_fast(re.compile(source, flags), APPLIED.get(place, way), BOUNDED.get(place, LONG)))
    }
    assert costly == {}


@pytest.mark.parametrize(
    "pattern", [r"[0-9]+x", r"(?:a|a)*b", r"(?:\"\s?,?\s?)*\Z", r"<a.*>", r"(?:(?:客服)+)+：", r"x*x*x*y", r"\s*,"]
)
def test_patterns_that_grow_too_fast_are_found(pattern):
    assert grows_too_fast(re.compile(pattern), "finditer")


@pytest.mark.parametrize(
    "pattern", [r"(?<![0-9])[0-9]+x", r"[0-9]{1,20}x", r"(?<!a)a*b|客服[：:]", r"(?:\"(?:\s?,)?)\Z"]
)
def test_patterns_in_proportion_are_left_alone(pattern):
    assert not grows_too_fast(re.compile(pattern), "finditer")
