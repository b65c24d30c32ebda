"""A model as a judge: its versioned prompt, and its grade read out of whatever it answers.

A judge is no measurement: it has tastes, favors its own kind and can be talked to. Its mean stands beside the figures
and decides nothing.
"""

import re
from hashlib import sha256
from math import sqrt
from pathlib import Path
from typing import Any, Final

import orjson

from tasks.domain.records import Conversation, Request
from tasks.evaluating.rules.predictions import Pair
from tasks.preparing.tokens import estimate_tokens

JUDGE_VERSION: Final = "judge-v1"

LOWEST, HIGHEST = 1, 5

_FILE = Path(__file__).parents[2] / "prompts" / "judges" / f"{JUDGE_VERSION}.txt"

_LONGEST: Final = 4_000  # characters of a summary; runaway answers are no better for being longer

_ANSWER_TOKENS: Final = 64

_SLOT = re.compile(r"\{(reference|prediction)\}")

_NUMBER: Final = r"(?P<grade>[1-5](?:\.\d+)?|[一二三四五])(?![\d.])"

_GRADES: Final = (
    re.compile(rf"(?:分数|得分|评分|打分|score|rating|grade)\W{{0,8}}(?:是|为|:|：)?\W{{0,8}}{_NUMBER}", re.IGNORECASE),
    re.compile(rf"(?<![\d.]){_NUMBER}\s*(?:/\s*5|分)"),
    re.compile(rf"^\W*{_NUMBER}\W*$"),
)

_CHINESE: Final = dict(zip("一二三四五", range(1, 6), strict=True))

_Z_95: Final = 1.96


def judge_request(pair: Pair, model: str) -> Request:
    """The request that asks a judge for a grade of one prediction."""
    values = {"reference": pair.reference[:_LONGEST], "prediction": pair.prediction[:_LONGEST]}
    # In one pass: what a summary says can't open a slot.
    prompt = _SLOT.sub(lambda slot: values[slot[1]], _FILE.read_text(encoding="utf-8").removesuffix("\n"))
    name = _digest(f"{len(pair.reference)}:{pair.reference}{pair.prediction}")
    return Request(
        conversation=Conversation(name, (), "", 0),
        turns=(),
        text=pair.prediction,
        prompt=prompt,
        truncated=max(len(pair.reference), len(pair.prediction)) > _LONGEST,
        content_hash=name,
        request_hash=_digest(f"{len(model)}:{model}{JUDGE_VERSION}{prompt}"),
        estimated_tokens=estimate_tokens(prompt) + _ANSWER_TOKENS,
    )


def read_grade(text: str) -> float | None:
    """The grade from 1 to 5 that a judge gave; None where it gave none."""
    try:
        value = orjson.loads(text)
        found = value.get("分数", value.get("score")) if isinstance(value, dict) else value
        if isinstance(found, int | float) and not isinstance(found, bool):
            return float(found) if LOWEST <= found <= HIGHEST else None
        text = found if isinstance(found, str) else text
    except orjson.JSONDecodeError:
        pass
    for pattern in _GRADES:
        grade = pattern.search(text[:_LONGEST])
        if grade:
            said = grade["grade"]
            number = _CHINESE[said] if said in _CHINESE else float(said)
            return float(number) if LOWEST <= number <= HIGHEST else None
    return None


class Grades:
    """Grades added up, in constant memory."""

    def __init__(self, model: str) -> None:
        self._model = model
        self._grades = self._unreadable = 0
        self._sum = self._squares = 0.0

    def add(self, grade: float | None) -> None:
        """Count one grade, or that there is none."""
        if grade is None:
            self._unreadable += 1
        else:
            self._grades += 1
            self._sum += grade
            self._squares += grade * grade

    def figures(self) -> dict[str, Any]:
        """The mean grade with its 95 % interval, and how many answers of the judge held none."""
        count = self._grades
        mean = self._sum / count if count else None
        figures: dict[str, Any] = {"judge/grade": mean, "judge/grade 95%": None}
        if mean is not None and count > 1:
            half = _Z_95 * sqrt(max(0.0, self._squares / count - mean * mean) / (count - 1))
            figures["judge/grade 95%"] = [max(mean - half, LOWEST), min(mean + half, HIGHEST)]
        return figures | {"judge/unreadable": self._unreadable, "judge/model": f"{self._model} + {JUDGE_VERSION}"}


def _digest(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
