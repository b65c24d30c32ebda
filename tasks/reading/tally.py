"""Counts of a day's reading: how much was read, how much could not be, and of which days it was."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo

_ROWS_A_CONVERSATION = 8.0

_BYTES_A_CONVERSATION = 2_000.0

_DAYS_KEPT = 10_000

_NOTES_SHOWN = 50

_MANY_OF_OTHER_DAYS = 0.05


@dataclass(slots=True)
class ReadingTally:
    """Counts of one reading; filled while it goes on, true at its end.

    `unread_rows` are rejects that stand for a row of a conversation, `unread_files` those that stand for (the rest of)
    a file of `unread_bytes`. `days` counts all conversations that have a time, `outside` those of other days than the
    one asked for, which are left out.
    """

    conversations: int = 0
    messages: int = 0
    grouped: int = 0
    read_bytes: int = 0
    unread_rows: int = 0
    unread_files: int = 0
    unread_bytes: int = 0
    undated: int = 0
    days: Counter[date] = field(default_factory=Counter)
    outside: Counter[date] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)

    @property
    def unread_rejects(self) -> int:
        """Rejects that stand for something else than one conversation."""
        return self.unread_rows + self.unread_files

    @property
    def unread_conversations(self) -> int:
        """An estimate of the conversations lost in unreadable rows and files, by the size of those that were read."""
        rows = self.messages / self.grouped if self.grouped else _ROWS_A_CONVERSATION
        size = self.read_bytes / self.conversations if self.conversations and self.read_bytes else _BYTES_A_CONVERSATION
        lost = self.unread_rows / max(rows, 1.0)
        if self.unread_files:
            lost += max(self.unread_bytes / max(size, 1.0), self.unread_files)
        return round(lost) if lost >= 1 else int(self.unread_rejects > 0)

    def belongs(self, started_at: datetime | None, day: date | None, zone: tzinfo) -> bool:
        """Count a conversation under its day; True where that is the day asked for, or it has none."""
        if started_at is None:
            self.undated += 1
            return True
        began = started_at.astimezone(zone).date()
        if began in self.days or len(self.days) < _DAYS_KEPT:
            self.days[began] += 1
        if day is None or began == day:
            return True
        self.outside[began] += 1
        return False

    def remarks(self, day: date) -> list[str]:
        """Return remarks on the reading for people, a sentence each.

        Args:
            day: the one asked for, whether or not others were left out.
        """
        remarks = self.notes[:_NOTES_SHOWN]
        if more := len(self.notes) - len(remarks):
            remarks.append(f"{more:,} more remarks on other files are left out.")
        if self.outside:
            remarks.append(f"{_on(self.outside)}: they are not of {day}, and left out.")
        elif (others := self.days.total() - self.days[day]) > _MANY_OF_OTHER_DAYS * self.days.total():
            counts = Counter({other: count for other, count in self.days.items() if other != day})
            assert counts.total() == others
            remarks.append(f"{_on(counts)}: they lie among {day}'s logs. --day-from messages leaves them out.")
        return remarks


def _on(days: Counter[date]) -> str:
    first, last = min(days), max(days)
    span = f"{first}" if first == last else f"{len(days)} other days, {first} to {last}"
    return f"{days.total():,} conversations began on {span}"
