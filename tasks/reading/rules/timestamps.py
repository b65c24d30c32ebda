"""The times that logs hold, in whatever form, as aware UTC datetimes."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any, Final

from tasks.reading.rules.plain_times import month_of, plain_time

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

_HOURS_KEPT: Final = 1_000

_LONGEST: Final = 80

_FORM_CHARACTERS: Final = 32

# Letters of European words.
_LETTERS: Final = "A-Za-zÀ-žА-я"

# CST is China's here, as in what Java writes on servers there; the others are not ambiguous in this trade.
_ZONES: Final = {
    "z": 0, "utc": 0, "gmt": 0, "cst": 8, "hkt": 8, "sgt": 8, "awst": 8, "jst": 9, "kst": 9, "ict": 7, "wib": 7,
    "est": -5, "edt": -4, "cdt": -5, "mst": -7, "mdt": -6, "pst": -8, "pdt": -7, "cet": 1, "cest": 2, "bst": 1,
}  # fmt: skip

_AFTERNOON: Final = frozenset(["下午", "午後", "오후", "晚上", "傍晚", "晚", "pm", "p.m."])

_NOON: Final = frozenset(["中午"])

_MORNING: Final = frozenset(["上午", "午前", "오전", "凌晨", "早上", "清晨", "早", "am", "a.m."])

_HALF: Final = r"午前|午後|오전|오후|上午|下午|中午|凌晨|早上|清晨|傍晚|晚上|[AaPp]\.?[Mm]\.?"

_CLOCK: Final = (
    rf"(?:(?P<before>{_HALF})\s?)?(?P<hour>\d{{1,2}})(?:(?::|：|时|點|点|h|-|\.(?=\d\d\.\d\d))(?P<minute>\d{{1,2}})"
    r"(?:(?::|：|分|-|(?<=\.\d\d)\.)(?P<second>\d{1,2}))?(?:[.,:](?P<fraction>\d{1,9}))?(?:秒|分|Z(?![a-z]))?|[时點点]整?)?"
    rf"(?:\s?(?P<after>{_HALF}))?"
)

_ZONE: Final = (
    r"(?:\s{0,2}(?P<zone>[A-Z]{1,4})?(?P<offset>[+-]\d{1,2}(?::?\d{2})?)?)"
    r"(?:\s?[A-Z]{3,4}|\s?\([^()]{0,40}\)|\s?\[[^\[\]]{0,40}\])?"
)

_SPACE: Final = r"(?:\s{0,3}[T_,，-]?\s{0,3}|\s{1,3}-\s{1,3}|\s{1,2}at\s{1,2})"

_WEEKDAY: Final = (
    r"(?:\s?\(?(?:星期|周|週|礼拜)[一二三四五六日天]\)?\s?|\s?\([一二三四五六日天月火水木金土]\)\s?"
    r"|(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]{0,6},?\s{1,2})?"
)

_FORMS: Final = tuple(
    re.compile(pattern)
    for pattern in (
        # 2026-11-22 10:00, 2026年11月22日 下午1:02, 2026/11/22 星期日 10:00
        rf"(?P<year>\d{{4}})\s?[-/.年년_]\s?(?P<month>\d{{1,2}})\s?[-/.月월_]\s?(?P<day>\d{{1,2}})(?!\d)[日일号.]?{_WEEKDAY}"
        rf"(?:{_SPACE}{_CLOCK}{_ZONE})?",
        # 20261122 10:00:00
        rf"(?P<year>(?:19|20)\d\d)(?P<month>\d\d)(?P<day>\d\d){_SPACE}{_CLOCK}{_ZONE}",
        # 22/11/2026 10:00, 11/22/26, 10:00 AM, 22.11.2026 10:00
        rf"{_WEEKDAY}(?P<first>\d{{1,2}})(?P<mark>[-/.])(?P<other>\d{{1,2}})(?P=mark)(?P<year>\d{{4}}|\d\d)"
        rf"(?:{_SPACE}{_CLOCK}{_ZONE})?",
        # Sun, 22 Nov 2026 02:00:00 GMT, 22-Nov-2026 10:00
        rf"{_WEEKDAY}(?P<day>\d{{1,2}})[ -](?P<name>[{_LETTERS}]{{3,12}})\.?,?[ -](?P<year>\d{{4}}|\d\d)"
        rf"(?:{_SPACE}{_CLOCK}{_ZONE})?",
        # Nov 22, 2026 10:00:00 AM, Sun Nov 22 2026 10:00:00 GMT+0800 (China Standard Time)
        rf"{_WEEKDAY}(?P<name>[A-Za-z]{{3,9}})\.?[\s-]{{1,2}}(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,?[\s-]{{1,2}}(?P<year>\d{{4}})"
        rf"(?:{_SPACE}{_CLOCK}{_ZONE})?",
        # Sun Nov 22 10:00:00 CST 2026, Sun Nov 22 10:00:00 +0000 2026
        rf"{_WEEKDAY}(?P<name>[A-Za-z]{{3,9}})\s{{1,2}}(?P<day>\d{{1,2}})\s{{1,2}}{_CLOCK}{_ZONE}\s{{1,2}}(?P<year>\d{{4}})",
        # 21-NOV-26 09.15.10.000000 AM, as Oracle writes it
        rf"(?P<day>\d{{1,2}})-(?P<name>[A-Za-z]{{3}})-(?P<year>\d{{4}}|\d\d)\s(?P<hour>\d{{1,2}})\.(?P<minute>\d\d)\."
        rf"(?P<second>\d\d)(?:\.(?P<fraction>\d{{1,9}}))?(?:\s?(?P<after>{_HALF}))?{_ZONE}",
        # 10:00:00 2026-11-22
        rf"{_CLOCK}\s{{1,2}}(?P<year>\d{{4}})[-/.年](?P<month>\d{{1,2}})[-/.月](?P<day>\d{{1,2}})日?",
    )
)

_DOTNET: Final = re.compile(r"\\?/Date\((-?\d{1,16})(?:[+-]\d{4})?\)\\?/")

_TIME_OF_DAY: Final = re.compile(rf"\s*(?:{_HALF})?\s?\d{{1,2}}[:：时]\d{{1,2}}.{{0,24}}", re.S)

# Excel counts days from here; from 2000 to 2100 no other number that a log may hold looks like it.
_EXCEL_EPOCH: Final = datetime(1899, 12, 30)  # noqa: DTZ001
_EXCEL_DAYS: Final = (36_526, 73_051)

_COMPACT: Final = {12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S", 17: "%Y%m%d%H%M%S%f"}

_SCALES: Final = (1, 1_000, 1_000_000, 1_000_000_000)

# No log is from before 2000: a number that would be is none of seconds since 1970.
_SECONDS: Final = (946_684_800, 10_000_000_000)

# What else counts time: .NET's ticks, Windows' file times, Chrome's microseconds; their range, parts of a second, and
# the seconds from their beginning to 1970.
_OTHER_COUNTS: Final = (
    (6.2e17, 6.7e17, 10_000_000, 62_135_596_800),
    (1.2e17, 1.7e17, 10_000_000, 11_644_473_600),
    (1.2e16, 1.7e16, 1_000_000, 11_644_473_600),
)

_FIRST_SHORT_YEAR: Final = 20  # a smaller number is rather a day

_BUDDHIST: Final = (2540, 2643, 543)

_NESTED: Final = (
    "$date",
    "$numberLong",
    "$numberInt",
    "$numberDouble",
    "value",
    "time",
    "timestamp",
    "iso",
    "seconds",
    "_seconds",
    "epochSecond",
    "date",
    "$timestamp",
    "t",
)

_PARTS: Final = (
    ("year",), ("monthValue", "month"), ("dayOfMonth", "day"), ("hour", "hourOfDay"), ("minute",), ("second",),
)  # fmt: skip


_NO_TIME: Final = frozenset(["", "-", "--", "0", "null", "none", "nil", "nan", "n/a", "\\n"])

_NO_PART_OF_TIMES: Final = re.compile(r"[^\W\d_年月日时時点點分秒上下午]")


@dataclass(frozen=True, slots=True)
class UnknownTimes:
    """Texts that are no times, and the form of the first: its digits as 9, its letters as x.

    `of_day` says that all are times of a day, without a date.
    """

    count: int = 0
    form: str = ""
    of_day: bool = True

    def and_those(self, more: "UnknownTimes") -> "UnknownTimes":
        """Return both together."""
        return UnknownTimes(self.count + more.count, self.form or more.form, of_day=self.of_day and more.of_day)


class TimestampParser:
    """Reads the times that logs hold; a time without an offset is local to `zone`.

    Args:
        zone: of times without an offset.
        formats: strptime patterns to try first.
    """

    def __init__(self, zone: tzinfo, formats: Sequence[str] = ()) -> None:
        self.zone = zone
        self._formats = tuple(formats)
        self._epochs: dict[str, datetime] = {}
        self._unknown = UnknownTimes()

    def parse(self, value: object) -> datetime | None:
        """An aware UTC time from any form a log may hold (ISO 8601, epochs, RFC 2822, 下午 1:02, …); else None."""
        if value is None:
            return None
        try:
            # `2026-11-22 08:01:02` in an hour met before: nearly every time of a log.
            if type(value) is str and len(value) == 19 and value[13] == ":" and (epoch := self._epochs.get(value[:13])):
                return _EPOCH + (datetime.fromisoformat(value) - epoch)
            found = self._parse(value)
        except (ValueError, OverflowError, TypeError):
            found = None
        if (
            found is None
            and isinstance(value, str | int | float)
            and (text := str(value).strip()).lower() not in _NO_TIME
        ):
            before = self._unknown
            self._unknown = UnknownTimes(
                before.count + 1, before.form or _form_of(text), of_day=before.of_day and is_time_of_day(text)
            )
        return found

    def take_unknown(self) -> "UnknownTimes":
        """Give the texts that were no times since the last call."""
        unknown, self._unknown = self._unknown, UnknownTimes()
        return unknown

    def _parse(self, value: object) -> datetime | None:
        if isinstance(value, str):
            return self._parse_text(value.strip())
        if isinstance(value, int | float) and not isinstance(value, bool):
            digits = str(value) if isinstance(value, int) else ""
            return self._from_digits(digits) or self._from_number(value)
        if isinstance(value, Mapping):
            return self._from_mapping(value)
        if isinstance(value, list) and 3 <= len(value) <= 7 and all(type(part) is int for part in value):
            return self._local(datetime(*value[:6]))  # noqa: DTZ001  Java's LocalDateTime; nanoseconds are dropped
        return None

    def _parse_text(self, text: str) -> datetime | None:
        if len(text) > _LONGEST or not text:
            return None
        if self._formats and (time := self._by_format(text)):
            return time
        if text.isdecimal() and len(text) != 8:
            return self._from_digits(text) or self._from_number(int(text))
        try:
            return self._aware(datetime.fromisoformat(text))
        except ValueError:
            pass
        if parts := next((found.groupdict() for form in _FORMS if (found := form.fullmatch(text))), None):
            return self._from_parts(parts)
        found = _DOTNET.fullmatch(text)
        plain = text if found else plain_time(text)
        return self._parse_text(plain) if plain != text else self._from_number(int(found[1]) if found else float(text))

    def _by_format(self, text: str) -> datetime | None:
        for pattern in self._formats:
            try:
                return self._aware(datetime.strptime(text, pattern))  # noqa: DTZ007
            except ValueError:
                continue
        return None

    def _from_digits(self, text: str) -> datetime | None:
        pattern = _COMPACT.get(len(text))
        if pattern and not text.startswith(("19", "20")):
            pattern = "%y%m%d%H%M%S" if len(text) == 12 and text[0] in "23" else None
        if pattern is None:
            return None
        if len(text) == 17:
            text += "000"
        try:
            return self._local(datetime.strptime(text, pattern))  # noqa: DTZ007
        except ValueError:
            return None

    def _from_parts(self, parts: Mapping[str, Any]) -> datetime:
        year = int(parts["year"])
        year += 2000 if year < 100 else 0
        year -= _BUDDHIST[2] if _BUDDHIST[0] <= year < _BUDDHIST[1] else 0
        month, day = parts.get("month"), parts.get("day")
        if _is_year_first(parts):
            year, month, day = 2000 + int(parts["first"]), parts["other"], parts["year"]
        elif name := parts.get("name"):
            month = month_of(name)
        elif first := parts.get("first"):
            month, day = self._month_and_day(int(first), int(parts["other"]), parts)
        hour, minute, second = (int(parts.get(unit) or 0) for unit in ("hour", "minute", "second"))
        hour = _in_24_hours(hour, (parts.get("before") or parts.get("after") or "").lower())
        next_day, hour = divmod(hour, 24) if hour == 24 and not minute and not second else (0, hour)
        fraction = (parts.get("fraction") or "").ljust(6, "0")[:6]
        time = datetime(year, int(month or 0), int(day or 0), hour, minute, second, int(fraction))  # noqa: DTZ001
        time += timedelta(days=next_day)
        hours = _ZONES.get((parts.get("zone") or "").lower())
        if offset := parts.get("offset"):
            time = time.replace(tzinfo=timezone(_offset(offset)))
        elif hours is not None:
            time = time.replace(tzinfo=timezone(timedelta(hours=hours)))
        return self._aware(time)

    @staticmethod
    def _month_and_day(first: int, other: int, parts: Mapping[str, Any]) -> tuple[int, int]:
        """Month and day of `11/22/2026`: over 12 is the day; else Americans have AM or PM, others the day first."""
        if first > 12 or other > 12:
            return (other, first) if first > 12 else (first, other)
        american = parts["mark"] == "/" and bool(parts.get("before") or parts.get("after"))
        return (first, other) if american else (other, first)

    def _from_mapping(self, value: Mapping[str, Any]) -> datetime | None:
        """`{"$date": …}` and its like; Java's and JavaScript's parts of a time and of a long number."""
        if isinstance(value.get("date"), Mapping) and isinstance(value.get("time"), Mapping):
            value = {**value["date"], **value["time"]}
        parts = [next((value[name] for name in names if name in value), 0) for names in _PARTS]
        if type(value.get("year")) is int and all(type(part) is int for part in parts) and parts[1] and parts[2]:
            year, month, day, hour, minute, second = parts
            return self._local(datetime(year, month, day, hour, minute, second))  # noqa: DTZ001
        if value.keys() >= {"low", "high"}:
            return self._from_number((int(value["high"]) << 32) + (int(value["low"]) & 0xFFFFFFFF))
        for name in _NESTED:
            if name in value and not isinstance(value[name], list):
                found = value[name]
                return self.parse({"$date": found["$numberLong"]}) if _is_long(found) else self.parse(found)
        return None

    def _from_number(self, number: float) -> datetime | None:
        for scale in _SCALES:
            if _SECONDS[0] <= number / scale < _SECONDS[1]:
                return _EPOCH + timedelta(microseconds=number * 1_000_000 // scale if scale > 1 else number * 1_000_000)
        for least, most, parts, before in _OTHER_COUNTS:
            if least <= number < most:
                return _EPOCH + timedelta(microseconds=number * 1_000_000 // parts - before * 1_000_000)
        if _EXCEL_DAYS[0] <= number < _EXCEL_DAYS[1]:
            return self._local(_EXCEL_EPOCH + timedelta(seconds=round(number * 86_400)))
        return None

    def _aware(self, time: datetime) -> datetime:
        return time.astimezone(UTC) if time.tzinfo else self._local(time)

    def _local(self, time: datetime) -> datetime:
        return _EPOCH + (time - self._epoch(time))

    def _epoch(self, time: datetime) -> datetime:
        """1970 as a clock at this offset showed it. Offsets change on the hour; looking them up costs most."""
        epoch = _EPOCH.replace(tzinfo=None) + (self.zone.utcoffset(time) or timedelta())
        if len(self._epochs) >= _HOURS_KEPT:
            self._epochs.clear()
        if not self._formats:
            hour = f"{time:%Y-%m-%d}", f"{time:%H}"
            self._epochs[" ".join(hour)] = self._epochs["T".join(hour)] = epoch
        return epoch


def _is_year_first(parts: Mapping[str, Any]) -> bool:
    """True for `26-11-22`, as programs write it in China; with other marks the day comes first."""
    if parts.get("mark") != "-" or len(parts["year"]) != 2:
        return False
    return int(parts["first"]) >= _FIRST_SHORT_YEAR and int(parts["other"]) <= 12 and 1 <= int(parts["year"]) <= 31


def _form_of(text: str) -> str:
    return _NO_PART_OF_TIMES.sub("x", re.sub(r"\d", "9", text[:_FORM_CHARACTERS]))


def is_time_of_day(text: str) -> bool:
    """True for a time without a date, such as `10:00` or `下午 1:02`."""
    return len(text) <= _LONGEST and _TIME_OF_DAY.fullmatch(text) is not None


def _is_long(value: Any) -> bool:
    return isinstance(value, Mapping) and "$numberLong" in value


def _in_24_hours(hour: int, half: str) -> int:
    if half in _MORNING:
        return hour % 12 if hour == 12 else hour
    if (half in _AFTERNOON or (half in _NOON and hour < 11)) and hour < 12:
        return hour + 12
    return hour


def _offset(text: str) -> timedelta:
    digits = text[1:].replace(":", "")
    hours, minutes = (int(digits), 0) if len(digits) <= 2 else (int(digits[:-2]), int(digits[-2:]))
    away = timedelta(hours=hours, minutes=minutes)
    return -away if text[0] == "-" else away
