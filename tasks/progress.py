"""What a run tells while it works: a line in the log and an artifact in the Prefect UI, every few seconds."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date

from prefect.artifacts import acreate_markdown_artifact
from prefect.exceptions import PrefectException

from tasks.calling import Spent
from tasks.domain.records import Reject
from tasks.domain.tables import Summarized
from tasks.domain.transcripts import Recognized
from tasks.gate import Gate

Logger = logging.Logger | logging.LoggerAdapter[logging.Logger]

_SECONDS_BETWEEN = 10.0


@dataclass(slots=True)
class Progress:
    """Counts of a run under way."""

    day: date
    spent: Spent
    gate: Gate | None
    summarized: int = 0
    rejected: int = 0
    objects: int = 0
    objects_begun: int = 0
    part: str = ""
    began: float = field(default_factory=time.monotonic)

    def settled(self, outcome: Summarized | Reject) -> None:
        """Count one conversation that has become a row or a reject."""
        if isinstance(outcome, Reject):
            self.rejected += 1
        else:
            self.summarized += 1

    def recognized(self, found: Recognized, logger: Logger) -> None:
        """Count one log object that is being read, and say what it was taken for."""
        self.objects_begun += 1
        logger.info(
            "%s: read as %s, %s%s%s",
            found.uri,
            found.format,
            found.encoding,
            ", gzip" if found.compressed else "",
            f" ({found.note})" if found.note else "",
        )

    @property
    def name(self) -> str:
        """The day, and the part of it if it is one."""
        return f"{self.day}-{self.part}" if self.part else str(self.day)

    @property
    def done(self) -> int:
        """Conversations that have become a row or a reject."""
        return self.summarized + self.rejected

    def line(self) -> str:
        """Where the run stands, in one line."""
        rate = self.done / max(time.monotonic() - self.began, 0.001) * 60
        parts = [
            f"{self.name}: {self.done} conversations done ({self.rejected} rejected, {self.spent.reused} reused)",
            f"{rate:.0f} a minute",
            f"log object {self.objects_begun} of {self.objects}",
        ]
        if self.gate is not None:
            pace = self.gate.snapshot()
            parts.append(f"{pace.in_flight} calls in flight, {self.spent.quota_refusals} refused by the quota")
            if pace.limit_requests:
                parts.append(f"quota use {pace.sent_last_window / pace.limit_requests:.0%}")
        return "; ".join(parts)


@asynccontextmanager
async def told(progress: Progress, logger: Logger) -> AsyncIterator[None]:
    """Tell of the progress while the block runs."""

    async def tell() -> None:
        while True:
            await asyncio.sleep(_SECONDS_BETWEEN)
            line = progress.line()
            logger.info(line)
            try:
                await acreate_markdown_artifact(line, key=f"progress-{progress.name}", description="进度 · progress")
            except PrefectException as error:
                logger.warning("The progress artifact was not written (%s); the run goes on.", type(error).__name__)

    teller = asyncio.create_task(tell())
    try:
        yield
    finally:
        teller.cancel()
        await asyncio.gather(teller, return_exceptions=True)
