"""Paid time that runs out, and the nightly's reaction. Pure; the time is a parameter.

A week ahead each night warns. In the last twelve hours, or later, a night would end in the middle: it falls back to the
state before the promotion, if that one answers. Months that the platform renews are looked up anew before either.
"""

from datetime import datetime, timedelta
from typing import Final, Literal

from tasks.tuning.rules.rollout_record import ModelRollout

WARNED_AHEAD: Final = timedelta(days=7)

TOO_LATE: Final = timedelta(hours=12)


def judge(rollout: ModelRollout, now: datetime) -> Literal["fine", "warn", "fall back"]:
    """Return the action of a night that begins now on a service's paid time."""
    if rollout.expires_at is None or rollout.expires_at - now > WARNED_AHEAD:
        return "fine"
    return "warn" if rollout.expires_at - now > TOO_LATE else "fall back"


def warning(rollout: ModelRollout, now: datetime) -> str:
    """The sentence for the person who has to renew it."""
    assert rollout.expires_at is not None
    left = rollout.expires_at - now
    when = f"runs out on {rollout.expires_at:%Y-%m-%d %H:%M} UTC"
    how_long = f"in {left.days} days" if left.days > 0 else "today" if left > timedelta() else "already"
    renewal = (
        "the platform should renew it: check the account's balance"
        if rollout.plan.renewed
        else "renew it in the Qianfan console"
    )
    return (
        f"The paid time of service {rollout.plan.name}, which the nightly asks, {when} ({how_long}): {renewal}, or "
        f"deploy another one (flows.deploy_model). In the last 12 hours the nightly falls back to what its endpoint "
        "block named before."
    )
