"""Headings that name the two who speak below them."""

import re
from typing import Final

from tasks.reading.rules.speakers import Speaker, speaker_of

_LONGEST: Final = 160  # characters

# 买家：tb_0817 客服：蓝河家居:小林: who speaks below.
TITLED: Final = re.compile(
    r"[\s#*=【\[-]{0,8}(?P<one>[^\W\d_]{1,12})[:：][ \t]{0,4}(?P<first>[^\s，,。|｜]{1,40})[ \t，,|｜;；/]{1,8}"
    r"(?P<other>[^\W\d_]{1,12})[:：][ \t]{0,4}(?P<second>[^\s，,。|｜]{1,40}?)[\s#*=】\]-]{0,8}"
)


def people_titled(line: str) -> dict[str, Speaker]:
    """The names in a heading that says who speaks below it, with their sides; none in any other line."""
    found = TITLED.fullmatch(line) if len(line) < _LONGEST else None
    sides = (speaker_of(found["one"]), speaker_of(found["other"])) if found else ()
    if not found or {*sides} != {"user", "agent"}:
        return {}
    return {name: side for name, side in zip((found["first"], found["second"]), sides, strict=True) if side}
