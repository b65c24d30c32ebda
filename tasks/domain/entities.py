"""HTML entities as the characters that they stand for, in text that anybody may have written."""

import html
import re
from typing import Final

# No character has so high a number; Python refuses to read one of more than 4,300 digits.
_NO_CHARACTER: Final = re.compile(r"&#(?:[0-9]{9}[0-9]*|[xX][0-9a-fA-F]{9}[0-9a-fA-F]*);?")


def open_entities(text: str) -> str:
    """The text with its entities opened; a number that no character has becomes U+FFFD, as `html.unescape` has it."""
    return html.unescape(_NO_CHARACTER.sub("\ufffd", text)) if "&" in text else text
