"""A person at a terminal: the progress in one line, nothing of Prefect's but warnings."""

import logging
from typing import Final

# Prefect's own loggers that write to the terminal.
_LOGGERS: Final = ("", "prefect", "prefect.flow_runs", "prefect.task_runs", "prefect.events")

# They are about the server of the command, which ends with it.
_NOISE: Final = ("Still processing items", "Finished in state")


def hush_prefect() -> None:
    """Let Prefect's handlers on the terminal show warnings and errors only; its log for the UI stays whole."""
    for name in _LOGGERS:
        for handler in logging.getLogger(name).handlers:
            if isinstance(handler, logging.StreamHandler):
                handler.setLevel(max(handler.level, logging.WARNING))
                handler.addFilter(_without_noise)


def _without_noise(record: logging.LogRecord) -> bool:
    return not any(words in record.getMessage() for words in _NOISE)
