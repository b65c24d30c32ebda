"""The flows. Nothing that they do is reported to anybody: Prefect asks for this before it is imported."""

import os

os.environ.setdefault("DO_NOT_TRACK", "1")
