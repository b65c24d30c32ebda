"""Reads how an answer ended off the word of whoever sent it: services have words of their own for few ends."""

import re
from functools import lru_cache
from typing import Final, NamedTuple

_REFUSED: Final = re.compile(
    "filter|safety|sensitive|toxic|guardrail|violat|unsafe|prohibit|moderat|risk|refus|block|recitation|censor"
    "|^spii$|^language$"
)

# An answer that a service cut because it went round in circles holds what it holds, like a long one.
_CUT: Final = re.compile("length|max_.{0,7}token|model_context|token_limit|error_limit|repetition")

# The service broke the answer off, and may well give it whole the next time.
_BROKEN_OFF: Final = re.compile(
    "error|abort|cancel|interrupt|overload|timeout|time_limit|insufficient|fail|incomplete|disconnect|preempt|eof$"
    "|^other$"
)


class Ending(NamedTuple):
    """An answer was refused, cut at a limit, broken off (with the service's word for it), or simply stopped."""

    refused: bool
    cut: bool
    broken_off: str
    stopped: bool


@lru_cache(maxsize=64)  # a service ends nearly all its answers by the same word
def ending_of(*named: str) -> Ending:
    """The ending by the service's words for it; the first that fits of refused, cut and broken off counts."""
    words = {word.lower().replace("-", "_").removeprefix("finish_reason_") for word in named}
    refused = any(map(_REFUSED.search, words))
    cut = not refused and any(map(_CUT.search, words))
    broken = [] if refused or cut else sorted(filter(_BROKEN_OFF.search, words))
    return Ending(refused, cut, broken[0] if broken else "", "stop" in words)
