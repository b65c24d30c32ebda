"""Verdicts that are ticked instead of said: ☑是 ☐否, {"是": false, "否": true}, {"label": "否", "score": 0.1}."""

import re
from typing import Final

_OPTIONS: Final = re.compile(
    "是|否|有|无|没有|不?接受|不?同意|拒绝|非?负面|正面|中性|yes|no|true|false|accepted|rejected|positive|negative|neutral",
    re.IGNORECASE,
)

_ON: Final = r"[☑✅√✓✔■●◉☒]\ufe0f?|[\[(（] ?[xX√✓✔] ?[\])）]"

_OFF: Final = r"[☐□○◯⬜❌✗✘×]\ufe0f?|[\[(（] {0,2}[\])）]"

_WORD: Final = r"[^\W\d_]{1,8}"

_MARK_FIRST: Final = re.compile(rf"(?:(?P<on>{_ON})|(?:{_OFF})) ?(?P<word>{_WORD})[ ,，、/|]{{0,3}}")

_WORD_FIRST: Final = re.compile(rf"(?P<word>{_WORD}) ?(?:(?P<on>{_ON})|(?:{_OFF}))[ ,，、/|]{{0,3}}")

_LONGEST: Final = 64  # characters

# Without one of them nothing is ticked; nearly no value has one.
_MARKS: Final = frozenset("☑✅√✓✔■●◉☒☐□○◯⬜❌✗✘×[(（")


def chosen(value: object) -> object:
    """The option that a value has ticked, None where it ticks none or more; any other value as it is."""
    if isinstance(value, dict):
        return _chosen_key(value)
    if isinstance(value, str) and len(value) < _LONGEST and not _MARKS.isdisjoint(value):
        for pattern in (_MARK_FIRST, _WORD_FIRST):
            options = list(pattern.finditer(value))
            if len(options) > 1 and sum(len(option[0]) for option in options) == len(value):
                ticked = [option["word"] for option in options if option["on"]]
                return ticked[0] if len(ticked) == 1 else None
    return value


def _chosen_key(options: dict[object, object]) -> object:
    if options and all(_OPTIONS.fullmatch(str(name).strip()) for name in options):
        ticked = [name for name, value in options.items() if value in (True, "true", "True", "是", "√")]
        decided = all(isinstance(value, bool) or value in (0, 1) for value in options.values())
        return ticked[0] if len(ticked) == 1 and decided else None
    said = {name: value for name, value in options.items() if isinstance(value, bool | str)}
    return said or options  # without how sure it is
