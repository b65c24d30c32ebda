"""States of a run's end that Prefect has no name for. Automations that watch over runs know them by these names."""

from typing import Any, Final

from prefect.client.schemas.objects import State
from prefect.states import Completed

CEILING_REACHED: Final = "CeilingReached"


def ceiling_reached(result: Any, why: str) -> State[Any]:
    """The end of a run that has spent what it may: done for today, and no failure.

    Args:
        result: what the run gives to whoever called it.
        why: what people read there.
    """
    return Completed(name=CEILING_REACHED, message=why, data=result)
