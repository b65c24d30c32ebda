"""UTF-8 whose bytes were taken for Latin letters and encoded again: å·² for 已, in JSON also as escapes."""

import codecs
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Final

_ESCAPE: Final = re.compile(rb"\\u00([89a-fA-F][0-9a-fA-F])")

_ESCAPES: Final = re.compile(rb"(?:\\u00[89a-fA-F][0-9a-fA-F])+")

# Three escapes that are one Chinese character's bytes, as Facebook and Instagram export it.
_ESCAPED: Final = re.compile(rb"\\u00[eE][3-9](?:\\u00[89abAB][0-9a-fA-F]){2}")

_ESCAPE_BYTES: Final = 6

_FEWEST: Final = 4  # characters outside ASCII

# Windows-1252 has signs where Latin-1 has controls.
_AS_BYTES: Final = {
    ord(sign): byte for byte in range(0x80, 0xA0) if (sign := bytes([byte]).decode("cp1252", "ignore")) != ""
}

Chunks = Iterator[bytes]


def way_to_mend(first: bytes) -> Callable[[Chunks], Chunks] | None:
    """The function that makes an object's chunks UTF-8 encoded once, by its first bytes; None where it is that."""
    if _ESCAPED.search(first):
        return _unescaped if _are_bytes(first) else None
    if first.isascii():
        return None
    with suppress(UnicodeError):
        text = codecs.getincrementaldecoder("utf-8")().decode(first)  # not final: the end is cut
        once = codecs.getincrementaldecoder("utf-8")().decode(text.translate(_AS_BYTES).encode("latin-1"))
        if sum("\u3000" <= sign <= "\u9fff" for sign in once) >= _FEWEST:
            return _encoded_once
    return None


def _are_bytes(first: bytes) -> bool:
    """True where most of the escapes are UTF-8; in French one alone is an é, and three are é before a blank and «."""
    rows = (_ESCAPE.sub(_byte, found[0]) for found in _ESCAPES.finditer(first))
    text = b" ".join(rows).decode(errors="replace").replace(" ", "")
    return text.count("\ufffd") * 2 < len(text)


def _encoded_once(chunks: Chunks) -> Chunks:
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    for chunk in chunks:
        yield decoder.decode(chunk).translate(_AS_BYTES).encode("latin-1", "replace")


def _byte(escape: re.Match[bytes]) -> bytes:
    return bytes([int(escape[1], 16)])


def _unescaped(chunks: Chunks) -> Chunks:
    held = b""
    for chunk in chunks:
        text = held + chunk
        cut = text.rfind(b"\\", -_ESCAPE_BYTES + 1)  # an escape may go on in the next chunk
        text, held = (text[:cut], text[cut:]) if cut >= 0 else (text, b"")
        yield _ESCAPE.sub(_byte, text)
    yield held
