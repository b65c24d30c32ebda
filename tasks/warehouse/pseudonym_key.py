"""The warehouse's own key of pseudonyms, made once and kept in it."""

import secrets
from contextlib import suppress
from typing import Final

from tasks.domain.errors import PreconditionFailed
from tasks.domain.layout import PSEUDONYM_KEY
from tasks.domain.ports import ObjectStore

_BYTES: Final = 32


def own_key(warehouse: ObjectStore) -> bytes:
    """The key; runs that need it at the same time for the first time agree on one.

    Whoever reads it can try values until a token fits: keep `_private/` from analysts, or set KEFU_PSEUDONYM_KEY.
    """
    if warehouse.stat(PSEUDONYM_KEY) is None:
        with suppress(PreconditionFailed):  # another run was first
            warehouse.write_path(PSEUDONYM_KEY, secrets.token_bytes(_BYTES), if_absent=True)
    return warehouse.read_path(PSEUDONYM_KEY)
