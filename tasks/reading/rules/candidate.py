"""One log object under one mapping, as the detectors of formats see it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from tasks.reading.rules.context import LogContext
from tasks.reading.rules.formats import LogMapping
from tasks.reading.rules.objects.log_bytes import ObjectHead
from tasks.reading.rules.objects.sample import Sample
from tasks.reading.rules.readers import Reader
from tasks.reading.rules.timestamps import TimestampParser


@dataclass(frozen=True, slots=True)
class Detected:
    """The detected format of an object and its reader; without a reader, `note` says why there is none.

    `log` has the words of its roles, `columns` are its names and their meanings, `remark` is a fault for people to
    know of.
    """

    format: str
    reader: Reader | None
    note: str = ""
    log: LogContext | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    remark: str = ""


@dataclass(slots=False)
class Candidate:
    """One object under one mapping: the formats that it may be in."""

    uri: str
    sample: Sample
    log_format: str
    name: str
    mapping: LogMapping
    timestamps: TimestampParser

    @property
    def head(self) -> ObjectHead:
        """The object's beginning."""
        return self.sample.head

    @property
    def lines(self) -> list[str]:
        """Its first lines that are not blank."""
        return self.sample.lines

    @property
    def skipped(self) -> int:
        """The number of its first lines that the mapping passes over, blank ones not counted."""
        return sum(bool(line.strip()) for line in self.head.text.split("\n")[: self.mapping.skip_lines])

    def may_be(self, *formats: str) -> bool:
        """True where the object may be in one of these formats."""
        return self.log_format == "auto" or self.log_format in formats or bool(self.name)

    @cached_property
    def log(self) -> LogContext:
        """The part that its readers share."""
        return self.log_with(frozenset())

    def log_with(self, names: frozenset[str]) -> LogContext:
        """The part that its readers share, with names that begin messages."""
        times = self.mapping.times
        parser = TimestampParser(self.timestamps.zone, times) if times else self.timestamps
        return LogContext(self.uri, parser, self.mapping, self.mapping.vocabulary(), names)

    def fits(self, names: Any) -> bool:
        """True where the mapping is asked for, or these names tell that it is meant."""
        return not self.name or self.log_format != "auto" or self.mapping.fits(names)

    @property
    def may_fit(self) -> bool:
        """False where a mapping is told by names that do not stand in the first lines, however they are parted."""
        if not self.name or self.log_format != "auto":
            return True
        return all(name in self.sample.plain_lines for name in self.mapping.told_by)

    def named(self, log_format: str) -> str:
        """The format's name, or that of the mapping it was found by."""
        return log_format if not self.name or self.log_format != "auto" else self.name
