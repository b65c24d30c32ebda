"""A command loads what its run uses: heavy libraries come with the first use."""

import subprocess
import sys

# Each takes from a tenth of a second to a second of CPU.
HEAVY = ("qianfan", "baidubce", "aiohttp", "openpyxl", "sklearn", "scipy", "fastapi", "prefect.server.api")
FLOWS = ("summarize_day", "backfill_days", "build_report", "expire_files")


def test_importing_flows_loads_no_library_that_their_runs_may_not_use():
    named = ", ".join(f"flows.{flow}" for flow in FLOWS)
    code = f"import sys, {named}; print(*[name for name in {HEAVY!r} if name in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert loaded.split() == []
