"""A server of Prefect's API that imports itself first and waits: a script, which `server_ahead` starts.

One line on its standard input says on which port and in which environment it serves. Where the input ends without a
line, nobody needs it, and it ends, too.
"""

import json
import os
import sys


def main() -> None:
    """Import the server, wait for a line, serve."""
    import uvicorn  # noqa: PLC0415  as the next: nobody else has use for a server
    from prefect.context import refresh_global_settings_context  # noqa: PLC0415
    from prefect.server.api.server import create_app  # noqa: PLC0415  most of a server's start

    told = sys.stdin.readline()
    if not told:
        return
    order = json.loads(told)
    os.environ.clear()
    os.environ.update(order["environment"])
    refresh_global_settings_context()
    uvicorn.run(create_app, factory=True, host=order["host"], port=order["port"], log_level="error", lifespan="on")


if __name__ == "__main__":
    main()
