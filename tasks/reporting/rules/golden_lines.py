"""The verdict on a night's golden conversations, in a report's words."""

from typing import Final

from tasks.golden.rules.drift import FIELDS, Change, GoldenCheck
from tasks.reporting.rules.texts import Bilingual, translate

_NAMED: Final = 3


def check_line(check: GoldenCheck) -> Bilingual:
    """Return how many golden conversations were answered as people would, and whether that has changed."""
    total = check.conversations
    shares = [(translate(f"golden_{field}"), f"{check.right[field]}/{total}") for field in FIELDS]
    right = Bilingual(
        "、".join(f"{name.zh} {share}" for name, share in shares),
        ", ".join(f"{name.en} {share}" for name, share in shares),
    )
    told = translate("golden", count=total, right=right)
    verdict = "golden_first" if not check.nights else "golden_changed" if check.has_changed else "golden_steady"
    outcome = translate(verdict, nights=check.nights)
    return Bilingual(told.zh + outcome.zh, f"{told.en} {outcome.en}")


def change_line(check: GoldenCheck) -> Bilingual:
    """Return what has changed, the surest first, and whether model or prompt were changed on purpose."""
    named = [_change(change) for change in check.changes[:_NAMED]]
    told = translate(
        "golden_drift",
        nights=check.nights,
        changes=Bilingual("；".join(change.zh for change in named), "; ".join(change.en for change in named)),
    )
    if not check.made_by_before:
        return told
    other = translate("golden_other_model", before=check.made_by_before, now=check.made_by)
    return Bilingual(told.zh + other.zh, f"{told.en} {other.en}")


def _change(change: Change) -> Bilingual:
    before, after = (f"{part / whole:.0%} ({part}/{whole})" for part, whole in (change.before, change.after))
    return translate(
        f"golden_{change.kind}",
        field=translate(f"golden_{change.field}"),
        before=before,
        after=after,
        span=translate("golden_tonight" if change.nights == 1 else "golden_week"),
        p=f"{change.p:.2g}",
    )
