"""Progress of a run: a line in the log and an artifact in the Prefect UI, every few seconds."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from typing import BinaryIO

from tasks.calling.rate_limiter import RateLimiter
from tasks.calling.rules.usage import Usage
from tasks.domain.money import in_currency
from tasks.domain.ports import ObjectStore, StoredObject
from tasks.domain.printable import printable
from tasks.domain.records import Answer, GivenUp
from tasks.parsing.rows import becomes_row
from tasks.reading.conversations import DetectedFormat
from tasks.reading.tally import ReadingTally
from tasks.running.artifacts import LiveMarkdown
from tasks.running.terminal_line import TerminalLine

Logger = logging.Logger | logging.LoggerAdapter[logging.Logger]

_SECONDS_BETWEEN = 10.0

_LONGEST_BETWEEN_LINES = 300.0

_SECONDS_BETWEEN_DRAWS = 0.5


@dataclass(slots=True)
class Progress:
    """The progress of a run.

    Args:
        day: its day.
        usage: what it has asked for so far.
        limiter: its quota, if it needs one.
        logs: its log objects, in the order in which they are read.
        currency: of what it cost.
        golden: what golden conversations have asked for beside it, if there are any.
        part: which part of the day it is, if it is one.
        clock: seconds that never go back.
    """

    day: date
    usage: Usage
    limiter: RateLimiter | None
    logs: Sequence[StoredObject]
    clock: Callable[[], float] = time.monotonic
    summarized: int = 0
    rejected: int = 0
    part: str = ""
    currency: str = ""
    golden: Usage | None = None
    reading: ReadingTally = field(default_factory=ReadingTally)
    _began: float = field(init=False)
    _reading: tuple[int, BinaryIO] | None = None

    def __post_init__(self) -> None:
        self._began = self.clock()

    def settled(self, answer: Answer | GivenUp) -> None:
        """Count one conversation that becomes a row or a reject."""
        if becomes_row(answer):
            self.summarized += 1
        else:
            self.rejected += 1

    def detected(self, found: DetectedFormat, logger: Logger) -> None:
        """Log the detected format of a log object."""
        logger.log(
            logging.WARNING if found.format == "unknown" else logging.INFO,
            "%s: read as %s, %s%s%s",
            printable(found.uri),
            found.format,
            found.encoding,
            ", gzip" if found.compressed else "",
            f" ({printable(found.note)})" if found.note else "",
        )

    def watching(self, store: ObjectStore) -> "WatchedLogs":
        """The store, read through this progress, which so knows how far the reading is."""
        return WatchedLogs(store, self)

    def opened(self, key: str, file: BinaryIO) -> None:
        """A log object is being read."""
        self._reading = (next(number for number, log in enumerate(self.logs) if log.key == key), file)

    @property
    def name(self) -> str:
        """The day, and the part of it if it is one."""
        return f"{self.day}-{self.part}" if self.part else str(self.day)

    @property
    def done(self) -> int:
        """Conversations that have become a row or a reject."""
        return self.summarized + self.rejected

    @property
    def asked(self) -> Usage:
        """Everything that was asked for, golden conversations included; `reused` are the day's own alone."""
        beside = self.golden
        return replace(self.usage + beside, reused=self.usage.reused) if beside else self.usage

    @property
    def read_share(self) -> float:
        """The fraction of the logs' bytes that has been read, from 0 to 1."""
        total = sum(log.size for log in self.logs)
        if self._reading is None or not total:
            return 0.0
        number, file = self._reading
        try:
            position = file.tell()
        except (OSError, ValueError):  # closed in the meantime: read to its end
            position = self.logs[number].size
        return min((sum(log.size for log in self.logs[:number]) + position) / total, 1.0)

    @property
    def seconds_left(self) -> float | None:
        """Seconds left, if the rest is like what was done; None where that can't be estimated."""
        share = self.read_share
        if not self.done or not 0.0 < share < 1.0:
            return None
        return (self.clock() - self._began) * (1 - share) / share

    def figures(self) -> dict[str, str]:
        """The figures of the progress, by name."""
        usage = self.asked
        figures = {
            "已完成 done": f"{self.done:,} = {self.summarized:,} + {self.rejected:,} rejected; {usage.reused:,} reused",
            "速度 rate": f"{self.done / max(self.clock() - self._began, 0.001) * 60:,.0f} a minute",
            "已读 logs read": f"{self.read_share:.0%} of {len(self.logs)}",
        }
        if (left := self.seconds_left) is not None:
            figures["剩余 time left"] = f"about {left / 60:,.0f} min" if left > 90 else f"about {left:.0f} s"
        if self.limiter is not None:
            pace = self.limiter.snapshot()
            used = f"{pace.fill:.0%} used, " if pace.fill is not None else ""
            figures["配额 quota"] = f"{used}{pace.in_flight} calls in flight, {usage.quota_refusals} refused"
            hidden = f", {self.golden.calls:,} of them golden" if self.golden else ""
            figures["调用 calls"] = f"{usage.calls:,}, {usage.retries:,} tried again{hidden}"
            figures["tokens"] = f"{usage.prompt_tokens:,} + {usage.completion_tokens:,}"
            if usage.cost:
                figures["费用 cost"] = in_currency(usage.cost, self.currency)
        return figures

    def line(self) -> str:
        """The progress in one line."""
        named = (f"{name.split()[-1]} {value}" for name, value in self.figures().items())
        return f"{self.name}: {'; '.join(named)}"

    def short_line(self) -> str:
        """The progress for a terminal: counts, pace, cost, time left."""
        usage, rate = self.asked, self.done / max(self.clock() - self._began, 0.001) * 60
        parts = [f"{self.done:,} conversations", f"{self.read_share:.0%} read", f"{rate:,.0f}/min"]
        if self.rejected:
            parts.insert(1, f"{self.rejected:,} rejected")
        if usage.cost:
            parts.append(f"cost {in_currency(usage.cost, self.currency)}")
        if (left := self.seconds_left) is not None:
            parts.append(f"{left / 60:,.0f} min left" if left > 90 else f"{left:.0f} s left")
        return f"{self.name}  {'  '.join(parts)}"

    def markdown(self) -> str:
        """The progress as a Markdown table."""
        rows = "\n".join(f"| {name} | {value} |" for name, value in self.figures().items())
        return f"| {self.name} | |\n| --- | --- |\n{rows}\n"


@dataclass(frozen=True, slots=True)
class WatchedLogs:
    """The part of a store that reading needs."""

    store: ObjectStore
    progress: Progress

    def uri_of(self, key: str) -> str:
        """The full address of one object."""
        return self.store.uri_of(key)

    def open_object(self, key: str) -> BinaryIO:
        """The whole object as a file to close; its position is the run's progress."""
        file = self.store.open_object(key)
        self.progress.opened(key, file)
        return file


@asynccontextmanager
async def report_progress(progress: Progress, logger: Logger) -> AsyncIterator[None]:
    """Report the progress while the block runs, and once more at its end."""
    shown = LiveMarkdown(f"progress-{progress.name}", f"{progress.name} 进度 · progress", logger)

    async def report() -> None:
        logger.info(progress.line())
        await shown.show(progress.markdown())

    async def keep_reporting() -> None:
        began = logged = progress.clock()
        while True:
            await asyncio.sleep(_SECONDS_BETWEEN)
            now = progress.clock()
            # A log keeps every line for months: often at first, then at most every five minutes.
            if now - logged >= min(_LONGEST_BETWEEN_LINES, (now - began) / 2):
                logged = now
                logger.info(progress.line())
            await shown.show(progress.markdown())

    async def draw() -> None:
        while line.is_shown:
            line.show(progress.short_line())
            await asyncio.sleep(_SECONDS_BETWEEN_DRAWS)

    line = TerminalLine()
    reporters = [asyncio.create_task(keep_reporting()), asyncio.create_task(draw())]
    try:
        yield
    finally:
        for reporter in reporters:
            reporter.cancel()
        await asyncio.gather(*reporters, return_exceptions=True)
        line.clear()
        await report()
