"""Libraries log what they send; here their loggers are kept from logging keys, at any level."""

import logging
import re
from typing import Final

# Web sockets' frames and headers, by the client (Prefect's) and by the server (uvicorn's).
_LOGGERS: Final = ("websockets.client", "websockets.server", "uvicorn.error")

_SECRET: Final = re.compile(r"authorization:|[\"']token[\"']\s*:|[\"']type[\"']\s*:\s*[\"']auth", re.I)


def keep_secrets_out_of_logs() -> None:
    """Install the filter; it may be installed again."""
    for name in _LOGGERS:
        logger = logging.getLogger(name)
        if _without_secrets not in logger.filters:
            logger.addFilter(_without_secrets)


def _without_secrets(record: logging.LogRecord) -> bool:
    return not _SECRET.search(record.getMessage())
