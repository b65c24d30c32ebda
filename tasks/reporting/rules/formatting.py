"""Formatting."""

import re
from collections.abc import Sequence
from datetime import datetime

from tasks.calling.rules.offline import OFFLINE_MODEL
from tasks.reporting.rules.digest import Case, Digest, Share
from tasks.reporting.rules.texts import Text, say

FEW = 50


def share_text(share: Share) -> str:
    """A share with its counts: `12.5% (25/200)`."""
    return f"{percent(share)} ({share.part:,}/{share.whole:,})"


def percent(share: Share) -> str:
    """A share as a percentage, without decimals that few conversations can't carry; a dash of nothing."""
    if share.value is None:
        return "–"
    return f"{share.value:.0%}" if share.whole < FEW else f"{share.value:.1%}"


_TEXT_CHARACTERS = 160

_INVISIBLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\uffff]+")


def interval_range(share: Share) -> str:
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


def _listed(items: Sequence[str], shown: int = 6) -> Text:
    items = [item or "?" for item in items]
    more = ["…"] if len(items) > shown else []
    return Text("、".join([*items[:shown], *more]), ", ".join([*items[:shown], *more]))


def _same(text: str) -> Text:
    return Text(text, text)


def _minute(digest: Digest, instant: datetime) -> str:
    return f"{instant.astimezone(digest.timezone):%Y-%m-%d %H:%M}"


def case_time(digest: Digest, case: Case) -> str:
    """When a case began, in the digest's zone: the minute, with its date where the digest spans several."""
    if case.started_at is None:
        return "–"
    local = case.started_at.astimezone(digest.timezone)
    return f"{local:%H:%M}" if digest.start == digest.end else f"{local:%m-%d %H:%M}"


def case_said(case: Case) -> tuple[Text, Text] | None:
    """Who judged a case, and in what words; None when nothing was said."""
    told = []
    if case.accepted_text:
        told.append(say("on_acceptance", text=clip(case.accepted_text, 60)))
    if case.negative_sentiment_text:
        told.append(say("on_sentiment", text=clip(case.negative_sentiment_text, 60)))
    if not told:
        return None
    who = say("rules_said" if case.model == OFFLINE_MODEL else "model_said")
    return who, Text("；".join(text.zh for text in told), "; ".join(text.en for text in told))


def case_tags(case: Case) -> list[tuple[Text, bool]]:
    """A case's acceptance and sentiment in words; True with the one that is a warning."""
    sentiment = {True: ("negative", True), False: ("not_negative", False), None: ("sentiment_unknown", False)}
    acceptance = {True: "accepted", False: "not_accepted", None: "acceptance_unknown"}
    key, warning = sentiment[case.negative_sentiment]
    return [(say(key), warning), (say(acceptance[case.accepted]), False)]


def clip(text: str, characters: int = _TEXT_CHARACTERS) -> str:
    """Text on one line, without invisible and direction-changing characters, cut with an ellipsis."""
    line = _INVISIBLE.sub(" ", text[: characters * 4]).strip()
    return line if len(line) <= characters else line[: characters - 1] + "…"
