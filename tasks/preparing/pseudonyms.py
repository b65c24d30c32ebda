"""Keyed pseudonyms: equal for equal values, different for different ones, and nothing to anybody without the key."""

import hmac
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

# Letters only: digits in a row could look like a number that is masked.
_LETTERS: Final = "abcdefghjkmnpqrstuvwxyz"

_LENGTH: Final = 12  # 54 bits: two of a million values share one with a probability of 1 in 30,000


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    """Gives each value its pseudonym. The key stays in the run and its worker processes, and out of tracebacks."""

    key: bytes = field(repr=False)

    def name(self, placeholder: str, value: str) -> str:
        """The placeholder with the value's token in it: `[手机号:kxvhtmwqbnea]`."""
        digest = hmac.new(self.key, f"{placeholder}\0{value}".encode("utf-8", "surrogatepass"), sha256).digest()
        number = int.from_bytes(digest[:16])
        token = ""
        for _ in range(_LENGTH):
            number, letter = divmod(number, len(_LETTERS))
            token += _LETTERS[letter]
        return f"{placeholder.removesuffix(']')}:{token}]"
