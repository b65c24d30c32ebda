"""What the reading of a day came to: how much was read, how much could not be, and of which days it was."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo

_ROWS_A_CONVERSATION = 8.0

_BYTES_A_CONVERSATION = 2_000.0


@dataclass(slots=True)
class ReadingTally:
    """Counts of one reading; filled while it goes on, true at its end.

    `unread_rows` are rejects that stand for a row of a conversation, `unread_files` those that stand for (the rest of)
    a file of `unread_bytes`. `outside` counts conversations of other days than the one asked for, which are left out.
    """

    conversations: int = 0
    messages: int = 0
    grouped: int = 0
    read_bytes: int = 0
    unread_rows: int = 0
    unread_files: int = 0
    unread_bytes: int = 0
    undated: int = 0
    outside: Counter[date] = field(default_factory=Counter)
    inside: int = 0
    notes: list[str] = field(default_factory=list)

    @property
    def unread_rejects(self) -> int:
        """Rejects that stand for something else than one conversation."""
        return self.unread_rows + self.unread_files

    @property
    def unread_conversations(self) -> int:
        """How many conversations are lost in what can't be read, by what one takes elsewhere; an estimate."""
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
        if day is None or began == day:
            self.inside += 1
            return True
        self.outside[began] += 1
        return False

    def outside_in_words(self) -> str:
        """The conversations of other days, in a sentence; "" where there are none."""
        if not self.outside:
            return ""
        days = sorted(self.outside)
        span = f"{days[0]}" if len(days) == 1 else f"{len(days)} other days, {days[0]} to {days[-1]}"
        return f"{self.outside.total():,} conversations began on {span}, and are left out"
