"""The flows. Importing the package turns Prefect's telemetry off, which has to happen before Prefect is imported."""

import os

os.environ.setdefault("DO_NOT_TRACK", "1")
