"""Artifacts: what a run shows in the Prefect UI. A failure to show them is logged and never fails a run."""

import asyncio
import logging
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from prefect import get_run_logger
from prefect.artifacts import acreate_markdown_artifact, acreate_table_artifact
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import ArtifactUpdate
from prefect.exceptions import MissingContextError

from tasks.domain.printable import printable

Logger = logging.Logger | logging.LoggerAdapter[logging.Logger]

# A server that is away would otherwise be asked for a quarter of an hour.
_SECONDS: Final = 30.0


async def show_markdown(content: str, *, key: str, description: str) -> None:
    """Keep a text as an artifact of the run, if the server takes it."""
    await _try(acreate_markdown_artifact(content, key=key, description=description), key)


async def show_table(rows: Sequence[Mapping[str, Any]], *, key: str, description: str) -> None:
    """Keep rows as an artifact of the run, if the server takes them."""
    table = [{name: _inert(value) for name, value in row.items()} for row in rows]
    await _try(acreate_table_artifact(table, key=key, description=description), key)


@dataclass(slots=True)
class LiveMarkdown:
    """A text that changes while the run works: one artifact, written over again and again.

    Args:
        key: the artifact's.
        description: the artifact's.
        logger: of the run.
    """

    key: str
    description: str
    logger: Logger
    _id: UUID | None = None

    async def show(self, content: str) -> None:
        """Replace the artifact's text, if the server takes it."""
        await _try(self._write(content), self.key, self.logger)

    async def _write(self, content: str) -> None:
        if self._id is None:
            self._id = await acreate_markdown_artifact(content, key=self.key, description=self.description)
            return
        async with get_client() as client:
            await client.update_artifact(self._id, ArtifactUpdate(data=content))


# The UI takes a cell for Markdown and HTML: an image in it would be loaded by whoever looks.
_WIDE: Final = str.maketrans("<>[]`&", "＜＞［］｀＆")


def _inert(value: Any) -> Any:
    """A cell that is nothing but its words; addresses are no links."""
    if not isinstance(value, str):
        return value
    return printable(value, keep="\n").translate(_WIDE).replace("://", ":／／")


async def _try(showing: Awaitable[object], key: str, logger: Logger | None = None) -> None:
    try:
        async with asyncio.timeout(_SECONDS):
            await showing
    except Exception as error:
        _logger(logger).warning("The artifact %s was not written (%s); the run goes on.", key, type(error).__name__)


def _logger(given: Logger | None) -> Logger:
    try:
        return given or get_run_logger()
    except MissingContextError:
        return logging.getLogger(__name__)
