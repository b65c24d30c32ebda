"""Figures, times and texts as people read them."""

import re
from collections.abc import Sequence
from datetime import datetime

from tasks.calling.rules.offline.summary import OFFLINE_MODEL
from tasks.reporting.rules.statistics import DayStatistics, Example, Proportion
from tasks.reporting.rules.texts import Bilingual, translate

FEW = 50

_BARE_VERDICT = 3


def share_text(share: Proportion) -> str:
    """A share with its counts: `12.5% (25/200)`."""
    return f"{percent(share)} ({share.part:,}/{share.whole:,})"


def percent(share: Proportion) -> str:
    """A share as a percentage, without decimals that few conversations can't carry; a dash of nothing."""
    if share.value is None:
        return "–"
    return f"{share.value:.0%}" if share.whole < FEW else f"{share.value:.1%}"


def whole_percent(share: Proportion) -> str:
    """A share as a percentage for a sentence: without decimals, a dash of nothing."""
    return "–" if share.value is None else f"{share.value:.0%}"


_TEXT_CHARACTERS = 160

_INVISIBLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\uffff]+")


def interval_range(share: Proportion) -> str:
    """The hint that stands beside a share of few conversations; empty for many, and for nothing."""
    if not 0 < share.whole < FEW:
        return ""
    low, high = share.interval()
    return f"{low * 100:.0f}–{high * 100:.0f}%"


def _duration(seconds: float) -> str:
    whole = round(seconds)
    if whole < 60:
        return f"{seconds:.1f} s"
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {whole % 60:02} s"


def _listed(items: Sequence[str], shown: int = 6) -> Bilingual:
    items = [item or "?" for item in items]
    more = ["…"] if len(items) > shown else []
    return Bilingual("、".join([*items[:shown], *more]), ", ".join([*items[:shown], *more]))


def _same(text: str) -> Bilingual:
    return Bilingual(text, text)


def _minute(statistics: DayStatistics, instant: datetime) -> str:
    return f"{instant.astimezone(statistics.timezone):%Y-%m-%d %H:%M}"


def example_time(statistics: DayStatistics, example: Example) -> str:
    """Format an example's start in the statistics' zone: the minute, with its date unless that is the one day shown."""
    if example.started_at is None:
        return "–"
    local = example.started_at.astimezone(statistics.timezone)
    if statistics.start == statistics.end == local.date():
        return f"{local:%H:%M}"
    return f"{local:%m-%d %H:%M}"


def example_said(example: Example) -> tuple[Bilingual, Bilingual] | None:
    """Return who judged an example, and in what words; None where the words say no more than the tags."""
    said = []
    if _says_more(example.accepted_text):
        said.append(translate("on_acceptance", text=clip(example.accepted_text or "", 60)))
    if _says_more(example.negative_sentiment_text):
        said.append(translate("on_sentiment", text=clip(example.negative_sentiment_text or "", 60)))
    if not said:
        return None
    who = translate("rules_said" if example.model == OFFLINE_MODEL else "model_said")
    return who, Bilingual("；".join(text.zh for text in said), "; ".join(text.en for text in said))


def _says_more(text: str | None) -> bool:
    return bool(text) and len((text or "").strip("。.！! ")) > _BARE_VERDICT


def example_tags(example: Example) -> list[tuple[Bilingual, bool]]:
    """An example's acceptance and sentiment in words; True with the one that is a warning."""
    sentiment = {True: ("negative", True), False: ("not_negative", False), None: ("sentiment_unknown", False)}
    acceptance = {True: "accepted", False: "not_accepted", None: "acceptance_unknown"}
    key, warning = sentiment[example.negative_sentiment]
    return [(translate(key), warning), (translate(acceptance[example.accepted]), False)]


def clip(text: str, characters: int = _TEXT_CHARACTERS) -> str:
    """Text on one line, without invisible and direction-changing characters, cut with an ellipsis."""
    line = _INVISIBLE.sub(" ", text[: characters * 4]).strip()
    return line if len(line) <= characters else line[: characters - 1] + "…"
