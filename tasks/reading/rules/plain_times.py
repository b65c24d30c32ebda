"""Times without what programs, spreadsheets and people write around them, in the forms that a parser knows."""

import re
import unicodedata
from typing import Final

# A call of a program, a clock before its date, a count of years from an emperor or a republic.
_CALLED: Final = re.compile(r"(?:new )?(?:ISODate|Date|Timestamp|DateTime)\([\"']?([^\"'(),]{8,40})[\"']?")

_CLOCK_FIRST: Final = re.compile(
    r"(?P<clock>\d{1,2}:\d{2}(?::\d{2})?(?:\s?[AaPp]\.?[Mm]\.?)?),?\s{1,3}(?P<date>[A-Za-z\d][A-Za-z\d ,./-]{5,24})"
)

_ERA: Final = re.compile(r"(?:中华|中華)?(?P<era>民国|民國|令和)\s?(?P<year>\d{1,3})(?=年)")

_ERAS: Final = {"民国": 1911, "民國": 1911, "令和": 2018}

_OF_CHINA: Final = re.compile(
    r"[\s(]{1,3}(?:(?:北京|中国标准|台北标准)时间|China Standard Time|Asia/(?:Shanghai|Chongqing)|PRC)\)?$"
    r"|^北京时间\s?:?\s?"
)

# The monotonic clock that Go writes behind a time, the sign of a long number, and what stands around a cell.
_TRAILING: Final = re.compile(r"(?<!\s)\s+m=[+-][\d.]+$|(?<=\d{13})[lL]$")

_AROUND: Final = "'\"`=<>[]()【】;,，；。#\t "


def _underscored(found: re.Match[str]) -> str:
    return "{}-{}-{} {}:{}:{}".format(*(part or "00" for part in found.groups()))


_SIGNS: Final = str.maketrans({**dict.fromkeys("－−–—‑", "-"), "\\": "/"})

# datetime.datetime(2026, 11, 22, 10, 0)
_OF_PYTHON: Final = re.compile(
    r"(?:datetime\.)?datetime\((\d{4}), (\d{1,2}), (\d{1,2})"
    r"(?:, (\d{1,2}))?(?:, (\d{1,2}))?(?:, (\d{1,2}))?(?:, .{0,60})?\)"
)

# How months begin in the languages of Europe.
_MONTHS: Final = {
    beginning: number
    for number, beginnings in enumerate(
        (
            "jan ene gen sty янв oca",
            "feb fév fev lut фев şub",
            "mar mär maa mrz мар",
            "apr avr abr kwi апр nis",
            "may mai mei mag maj мая май",
            "jun juin giu cze июн haz",
            "jul juil lug lip июл tem",
            "aug aoû aou ago sie авг ağu",
            "sep set wrz сен eyl",
            "oct okt ott out paź paz окт eki",
            "nov lis ноя kas",
            "dec déc dez dic gru дек ara",
        ),
        1,
    )
    for beginning in beginnings.split()
}

_MONTHS_OF_CHINA: Final = "一 二 三 四 五 六 七 八 九 十 十一 十二".split()  # noqa: SIM905

# Forms that another one replaces: a weekday before, words and signs between date and time, Chinese names of months.
_REWRITTEN: Final = (
    (re.compile(r"^(?:星期|周|週|礼拜|禮拜)?[一二三四五六日天][,，]?\s{1,3}(?=\d)"), ""),
    (re.compile(r"^(?:timestamp|datetime|date)\s?'", re.I), ""),
    (re.compile(r"(?<=\d)\s{0,3}(?:[|@·•]|\bum|\bà|\bàs|\ba las|\bkl\.?|г\.)\s{0,3}(?=\d)"), " "),
    (re.compile(r"^[A-Za-zÀ-žА-я]{2,12}[.,]{0,2}\s{1,2}(?=\d{1,2}(?:[. ]|er|º))"), ""),
    (
        re.compile(r"^(\d{1,2})(?:\.|er|º)?\s{1,2}(?:de )?([A-Za-zÀ-žА-я]{3,12}\.?)\s{1,2}(?:del? )?(?=\d{4})"),
        r"\1 \2 ",
    ),
    (re.compile(r"(?<=[AaPp])\.\s?m\.?|\s?Uhr$", re.I), lambda found: "m" if found[0][0] == "." else ""),
    (re.compile(r"^(\d{4}/\d{1,2}/\d{1,2})/(?=\d\d:)"), r"\1 "),
    (re.compile(r"^(\d{1,2})/?([A-Za-z]{3})/?(\d{4}):(?=\d\d:)"), r"\1-\2-\3 "),
    (re.compile(r"^(\d{4})_(\d\d)_(\d\d)[ _](\d\d)_(\d\d)(?:_(\d\d))?$"), _underscored),
    (
        re.compile(r"(?<!\d)(十[一二]?|[一二三四五六七八九])月"),
        lambda found: f"{_MONTHS_OF_CHINA.index(found[1]) + 1}月",
    ),
    (re.compile(r"^(\d{1,2})[- ](\d{1,2})月[- ,]{1,2}(\d{4}|\d\d)(?!\d)"), r"\1.\2.\3"),
    (re.compile(r"^(\d{1,2})月 (\d{1,2}), (\d{4})(?!\d)"), r"\3-\1-\2"),
    (re.compile(r"^(1\d\d)(?=[/.-]\d{1,2}[/.-]\d{1,2}\b)"), lambda found: str(int(found[1]) + 1911)),
    (re.compile(r"(?<=[/.-]\d{4}) (\d{1,2})\.(\d\d)$"), r" \1:\2"),
    (re.compile(r"(?<=\d)z$"), "Z"),
)


def plain_time(text: str) -> str:
    """A time without what programs and spreadsheets write around it, in half-width characters, the date first."""
    plain = unicodedata.normalize("NFKC", text).translate(_SIGNS)
    if parts := _OF_PYTHON.fullmatch(plain):
        return "{}-{}-{} {}:{}:{}".format(*(part or "0" for part in parts.groups()))
    plain = _TRAILING.sub("", plain.strip(_AROUND))
    for form, others in _REWRITTEN:
        plain = form.sub(others, plain)
    if called := _CALLED.fullmatch(plain):
        plain = called[1]
    if era := _ERA.match(plain):
        plain = f"{int(era['year']) + _ERAS[era['era']]}{plain[era.end() :]}"
    if _OF_CHINA.search(plain):
        plain = f"{_OF_CHINA.sub('', plain)} +08:00"
    if first := _CLOCK_FIRST.fullmatch(plain):
        plain = f"{first['date']} {first['clock']}"
    return plain


def month_of(name: str) -> int:
    """The number of a month by its name or the beginning of it; 0 for a word that is none."""
    name = name.lower()
    return _MONTHS.get(name[:4]) or _MONTHS.get(name[:3], 0)
