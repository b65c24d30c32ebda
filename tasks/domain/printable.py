"""Text of strangers, made harmless for terminals, logs and consoles of databases."""

import re
from typing import Final

# Control characters (of escape sequences, too), signs that turn or hide text, line ends that forge a line.
_STEERING: Final = re.compile(
    r"[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]"
)


def printable(text: str, keep: str = "") -> str:
    r"""The text with each such sign written out, as `\x1b` or `\u202e`, so that different texts stay different.

    Args:
        text: from anywhere.
        keep: signs that stay, such as line ends where several lines are shown.
    """
    if text.isprintable():
        return text
    return _STEERING.sub(lambda found: found[0] if found[0] in keep else _written_out(found[0]), text)


def _written_out(sign: str) -> str:
    code = ord(sign)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
