"""Repair: which runs have died, and which are begun again. The rules, without clock and Prefect.

No clock is compared with another one's. A run lives while something of it changes, as seen by whoever watches: its
heartbeat, or its lease in the warehouse. Prefect's word for its state counts for nothing: a server that was away
leaves runs Running for ever.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

# A run beats every 30 s: four beats missed.
SILENT_SECONDS: Final = 120.0

# Its process is known to be gone; a beat may still be on its way.
GONE_SECONDS: Final = 45.0

# Long enough to bring up a container whose image isn't there yet.
BEGINS_WITHIN_SECONDS: Final = 600.0

# A state that was old already when the watch began is believed in for so long only.
OLD_STATE_SECONDS: Final = 90.0

# A worker reports a dead process twice: when that ends, and when it has cleared up; the second would end a run that is
# begun again already.
SETTLED_SECONDS: Final = 30.0

MOST_TIMES: Final = 3

# Before each time: a worker is back at once, a service that is down takes longer.
_PAUSES_OF_A_CRASH: Final = (10.0, 120.0, 900.0)

_PAUSES_OF_AN_OUTAGE: Final = (300.0, 1800.0, 3600.0)

BEGUN_AGAIN: Final = "BegunAgain"

# Errors of ours that pass by themselves, and what Prefect's client raises while its server is away.
_PASSING: Final = re.compile(
    r"\b(StoreUnavailable|EndpointDown|PlatformUnavailable|ConnectError|ConnectTimeout|ReadTimeout|ReadError|"
    r"WriteError|PoolTimeout|RemoteProtocolError|PrefectHTTPStatusError: Server error|PrefectServerAway|"
    r"RuntimeError: Failed to reach API)\b"
)

Verdict = Literal["lives", "dead"]

Repair = Literal["leave", "begin again", "enough"]


@dataclass(slots=True)
class Sighting:
    """The last signs of life of a run that should be at work.

    Args:
        signs: whatever changes while it lives.
        since: when they were seen to change last, in the watcher's seconds that never go back.
    """

    signs: tuple[str, ...]
    since: float

    def see(self, signs: tuple[str, ...], now: float) -> None:
        """Record the signs seen by another check."""
        if signs != self.signs:
            self.signs, self.since = signs, now


def judge_running(sighting: Sighting, now: float, *, process_is_gone: bool) -> Verdict:
    """Judge if a run that Prefect calls Running (or Cancelling) is alive.

    Args:
        sighting: of its heartbeat and its lease.
        now: on the sighting's clock.
        process_is_gone: the process that its lease names was of this machine, and is not there any more.
    """
    timeout = GONE_SECONDS if process_is_gone else SILENT_SECONDS
    return "dead" if now - sighting.since >= timeout else "lives"


def judge_pending(sighting: Sighting, now: float, *, state_age_seconds: float) -> Verdict:
    """Judge if a run that a worker took may still begin.

    Args:
        sighting: of its state.
        now: on the sighting's clock.
        state_age_seconds: the age of the state by the server's clock.
    """
    watched = now - sighting.since
    old = state_age_seconds >= BEGINS_WITHIN_SECONDS and watched >= OLD_STATE_SECONDS
    return "dead" if watched >= BEGINS_WITHIN_SECONDS or old else "lives"


def is_passing(message: str) -> bool:
    """Return true if a failure's message, as Prefect keeps it, is one of the surroundings, which pass by themselves."""
    return bool(_PASSING.search(message.partition("\n")[0][:300]))


def what_to_do(state_type: str, message: str, states: Sequence[str]) -> Repair:
    """Decide what to do with a run that ended badly.

    Args:
        state_type: Prefect's word, `CRASHED` or `FAILED`.
        message: the state's.
        states: the names of all states that the run has been in.
    """
    if state_type != "CRASHED" and not is_passing(message):
        return "leave"
    return "enough" if times_begun_again(states) >= MOST_TIMES else "begin again"


def times_begun_again(states: Sequence[str]) -> int:
    """Count how often the run was restarted so far."""
    return sum(name == BEGUN_AGAIN for name in states)


def pause_seconds(state_type: str, times: int) -> float:
    """Seconds to wait before a run is restarted that was restarted `times` before."""
    pauses = _PAUSES_OF_A_CRASH if state_type == "CRASHED" else _PAUSES_OF_AN_OUTAGE
    return pauses[min(times, len(pauses) - 1)]
