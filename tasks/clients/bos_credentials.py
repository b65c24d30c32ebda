"""Credentials for Baidu Object Storage, without loading its SDK."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class BosCredentials:
    """Access to BOS. `endpoint` is a region's address such as `https://bj.bcebos.com`; all may be empty."""

    access_key_id: str = field(default="", repr=False)
    secret_access_key: str = field(default="", repr=False)
    endpoint: str = ""
    session_token: str = field(default="", repr=False)
