"""Names of the automations that the deployments set up on a Prefect server."""

from typing import Final

STOP_CANCELLED_TUNINGS: Final = "kefu: stop the jobs of a cancelled tuning"

AUTOMATIONS: Final = (STOP_CANCELLED_TUNINGS,)
