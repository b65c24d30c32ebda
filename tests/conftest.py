"""No test reaches a real server, a real account or a real `.env`."""

import os
from pathlib import Path

from hypothesis import HealthCheck, settings

from tests.servers.prefect import prefect_api  # noqa: F401  a fixture for every test

os.environ["PREFECT_API_URL"] = ""
os.environ["PREFECT_SERVER_ANALYTICS_ENABLED"] = "false"
os.environ["PREFECT_LOGGING_TO_API_ENABLED"] = "false"
os.environ["DO_NOT_TRACK"] = "1"
for name in list(os.environ):
    if name.startswith(("KEFU_", "QIANFAN_", "BCE_", "BOS_", "OPENAI_")):
        del os.environ[name]

# A machine shared with other work is slow at times; that says nothing about the code.
settings.register_profile("shared-machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared-machine")

ROOT = Path(__file__).parent.parent
