"""A brake on guessed logins: an address that sends only wrong ones waits before its next one is looked at."""

import base64
import hmac
from collections import deque
from dataclasses import dataclass, field
from typing import Final

from deployments.login import is_loopback

WRONG_A_MINUTE: Final = 10

_MINUTE: Final = 60.0

_TRUSTED_FOR: Final = 3_600.0

_ADDRESSES: Final = 10_000


@dataclass(slots=True)
class _Address:
    wrong_at: deque[float] = field(default_factory=lambda: deque(maxlen=WRONG_A_MINUTE))
    right_at: float = float("-inf")
    logged_at: float = float("-inf")


class LoginBrake:
    """The login of a server, and who lately sent a wrong one.

    A worker and a guesser can share an address (one machine, one proxy). This machine, and an address that sent the
    right login within the hour, never wait: nobody can lock the night's own worker out. Their guesses are logged alone.
    Times are seconds of a clock that never goes back.

    Args:
        login: `USER:PASSWORD`.
    """

    def __init__(self, login: str) -> None:
        self._login = login
        self._addresses: dict[str, _Address] = {}

    def wait(self, address: str, now: float) -> float:
        """Seconds until an address may send its next login; 0: at once."""
        known = self._addresses.get(address)
        if known is None or len(known.wrong_at) < WRONG_A_MINUTE:
            return 0.0
        if is_loopback(address) or now - known.right_at < _TRUSTED_FOR:
            return 0.0
        return max(0.0, known.wrong_at[0] + _MINUTE - now)

    def try_header(self, address: str, authorization: str, now: float) -> tuple[bool, str]:
        """Compare the header Authorization with the login; see `try_login`."""
        kind, _, given = authorization.partition(" ")
        try:
            login = base64.b64decode(given.strip(), validate=True).decode() if kind.lower() == "basic" else ""
        except ValueError:
            login = ""
        return self.try_login(address, login, now)

    def try_login(self, address: str, login: str, now: float) -> tuple[bool, str]:
        """Compare a login; return true if it is right, and a sentence for the log when an address guesses, else ""."""
        known = self._addresses.pop(address, None) or _Address()
        self._addresses[address] = known
        if len(self._addresses) > _ADDRESSES:  # the one that was quiet for longest is forgotten
            del self._addresses[next(iter(self._addresses))]
        if hmac.compare_digest(login.encode(), self._login.encode()):
            known.right_at = now
            return True, ""
        known.wrong_at.append(now)
        guesses = len(known.wrong_at) == WRONG_A_MINUTE and now - known.wrong_at[0] < _MINUTE
        if not guesses or now - known.logged_at < _MINUTE:
            return False, ""
        known.logged_at = now
        return False, f"{WRONG_A_MINUTE} wrong logins from {address} within a minute." + (
            f" Its next ones wait {self.wait(address, now):.0f} s." if self.wait(address, now) else ""
        )
