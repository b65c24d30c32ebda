"""The flows. Importing the package turns Prefect's telemetry off, which has to happen before Prefect is imported.

It keeps keys out of the logs of libraries, too, in every process that runs a flow.
"""

import os

from flows.wiring.secret_logs import keep_secrets_out_of_logs

os.environ.setdefault("DO_NOT_TRACK", "1")
keep_secrets_out_of_logs()
