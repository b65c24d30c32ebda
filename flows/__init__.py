"""The flows. Importing the package turns Prefect's telemetry off, which has to happen before Prefect is imported.

It keeps keys out of the logs of libraries, too, in every process that runs a flow.
"""

import os

from flows.wiring.secret_logs import keep_secrets_out_of_logs

for _name, _value in (("DO_NOT_TRACK", "1"), ("PREFECT_SERVER_ANALYTICS_ENABLED", "false")):
    os.environ.setdefault(_name, _value)
keep_secrets_out_of_logs()
