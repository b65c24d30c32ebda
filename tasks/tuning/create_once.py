"""A thing on the platform, created at most once.

The record says "asked" before the call. When the reply was lost, or the process died, the thing is looked for by its
name and description; only when it is not listed long after the call was it never created, and is asked for again.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tasks.domain.errors import PlatformBusy, PlatformRefused, PlatformUnavailable
from tasks.tuning.rules.asked import Asked


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class WaitPolicy:
    """Rules of waiting for the platform.

    `give_up_after` bounds a wait in which nothing changes. What is not listed `listed_after` its creation was asked
    for does not exist. `now` is the clock.
    """

    give_up_after: timedelta = timedelta(hours=12)
    listed_after: timedelta = timedelta(minutes=30)
    now: Callable[[], datetime] = _utc_now


async def create_once(
    what: str,
    asked: Asked | None,
    note: Callable[[Asked | None], Awaitable[None]],
    find: Callable[[], Awaitable[str | None]],
    create: Callable[[], Awaitable[str]],
    policy: WaitPolicy,
) -> str:
    """Return the id of a thing that was found or created.

    Args:
        what: names it, such as "job kefu-a-1".
        asked: the creation that the record knows was asked for.
        note: writes into the record what is asked for; None where the platform refused.
        find: looks for it; raises UsageError where a foreign thing has its name.
        create: asks for it.
        policy: how long the platform may take to list it.

    Raises:
        PlatformUnavailable: it may have been created; the next call finds out.
        PlatformBusy: the platform takes no more now.
        PlatformRefused: the platform does not take it.
    """
    found = await find()
    if found:
        return found
    now = policy.now()
    if asked is not None and asked.what == what and now - asked.at < policy.listed_after:
        until = asked.at + policy.listed_after
        raise PlatformUnavailable(
            f"The reply to the creation of {what} was lost, and the platform does not list it yet: it is looked for "
            f"until {until:%Y-%m-%d %H:%M} UTC, and only then asked for again."
        )
    await note(Asked(what, now))
    try:
        return await create()
    except (PlatformBusy, PlatformRefused):
        await note(None)
        raise
