"""The corpus: for each target the inputs that reached new code, a JSON text a line."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import orjson

_FOLDER: Final = Path(__file__).parent

_MOST: Final = 300  # a target; the shortest are kept

WORDS: Final = (_FOLDER / "words.txt").read_text(encoding="utf-8").splitlines()


def load_corpus(target: str) -> list[bytes]:
    """Return the inputs of a target, with the words that all begin with."""
    path = _FOLDER / "corpus" / f"{target}.txt"
    lines = path.read_text(encoding="ascii").splitlines() if path.exists() else []
    return [word.encode() for word in WORDS] + [orjson.loads(line).encode("latin-1") for line in lines]


def store_corpus(target: str, inputs: Iterable[bytes]) -> None:
    """Keep the inputs of a target. A character stands for a byte."""
    known = {word.encode() for word in WORDS}
    kept = sorted(set(inputs) - known, key=lambda data: (len(data), data))[:_MOST]
    path = _FOLDER / "corpus" / f"{target}.txt"
    path.parent.mkdir(exist_ok=True)
    lines = [_ascii(data) for data in sorted(kept)]
    path.write_text("".join(f"{line}\n" for line in lines), encoding="ascii")


def _ascii(data: bytes) -> str:
    plain = orjson.dumps(data.decode("latin-1")).decode()
    return "".join(sign if sign.isascii() and sign.isprintable() else f"\\u{ord(sign):04x}" for sign in plain)
