"""The signs of all masks, for many texts at once: without a pattern's bit, it finds nothing in the text."""

from typing import Final

from tasks.domain.sign_table import SignTable

SIGNS: Final = SignTable()
