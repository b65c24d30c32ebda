"""A run's log names an error of ours by its sentence; Prefect would put two tracebacks before it.

Whoever opens a failed run at night reads what happened and what to do. A traceback is for errors nobody expected.
"""

import logging
from typing import Final

from tasks.domain.errors import AccountingError, KefuError

_LOGGERS: Final = ("prefect.flow_runs", "prefect.task_runs")

_ENGINES: Final = frozenset({"flow_engine", "task_engine"})


def keep_expected_tracebacks_out_of_logs() -> None:
    """Install the filter; it may be installed again."""
    for name in _LOGGERS:
        logger = logging.getLogger(name)
        if _is_unexpected not in logger.filters:
            logger.addFilter(_is_unexpected)


def _is_unexpected(record: logging.LogRecord) -> bool:
    error = record.exc_info[1] if record.exc_info else None
    if error is None or record.module not in _ENGINES:
        return True
    from tasks.calling.caller import Stopping  # noqa: PLC0415  who has such an error has imported it

    return isinstance(error, AccountingError) or not isinstance(error, KefuError | Stopping)
