"""One worker process: jobs from its standard input, results to its standard output, until the input ends."""

import gc
import os
import pickle
import sys
from contextlib import suppress

_OBJECTS_BETWEEN_COLLECTIONS = 15_000


def main() -> None:
    """Take the tools, and then one job after the other."""
    jobs = sys.stdin.buffer
    results = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever prints must not reach who reads results
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS, *gc.get_threshold()[1:])
    with suppress(EOFError, BrokenPipeError):
        tools = pickle.load(jobs)  # noqa: S301 - from the run's own process
        gc.freeze()
        while True:
            job, arguments = pickle.load(jobs)  # noqa: S301
            try:
                reply = True, job(tools, *arguments)
            except Exception:  # the run's process does it again, and raises what it raises
                reply = False, None
            pickle.dump(reply, results, pickle.HIGHEST_PROTOCOL)
            results.flush()


if __name__ == "__main__":
    main()
