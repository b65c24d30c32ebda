"""The flows. Importing the package ends a Python without the project's packages in one line.

It turns Prefect's telemetry off, which has to happen before Prefect is imported.

It gives a user without a home one, without which Prefect can't be imported, lets no proxy stand before this machine's
own server, begins to import the server that a command brings, and collects no garbage while a command imports. It keeps
keys out of the logs of libraries and expected tracebacks out of those of runs, in every process that runs or serves a
flow.
"""

import os

from flows.wiring.commands.interpreter import require_packages

require_packages()

from flows.wiring.commands.environment import (  # noqa: E402
    give_home,
    spare_from_proxy,
    without_missing_certificates,
)
from flows.wiring.commands.importing import put_collections_off  # noqa: E402
from flows.wiring.commands.server_ahead import import_server_ahead  # noqa: E402

for _name, _value in (("DO_NOT_TRACK", "1"), ("PREFECT_SERVER_ANALYTICS_ENABLED", "false")):
    os.environ.setdefault(_name, _value)
put_collections_off()
give_home()
spare_from_proxy()
without_missing_certificates()
import_server_ahead()

from flows.wiring.commands.error_logs import keep_expected_tracebacks_out_of_logs  # noqa: E402
from flows.wiring.commands.secret_logs import keep_secrets_out_of_logs  # noqa: E402  after there is a home

keep_secrets_out_of_logs()
keep_expected_tracebacks_out_of_logs()
