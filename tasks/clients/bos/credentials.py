"""Credentials for Baidu Object Storage, without loading its SDK."""

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class BosCredentials:
    """Access to BOS; all may be empty.

    Args:
        access_key_id: of a user, or of a temporary key pair (STS).
        secret_access_key: belongs to it.
        endpoint: a region's address such as `https://bj.bcebos.com`.
        session_token: of a temporary key pair, which expires.
        renewed: reads the credentials once more from where they came from; None where they can't change.
    """

    access_key_id: str = field(default="", repr=False)
    secret_access_key: str = field(default="", repr=False)
    endpoint: str = ""
    session_token: str = field(default="", repr=False)
    renewed: "Callable[[], BosCredentials] | None" = field(default=None, repr=False, compare=False)
