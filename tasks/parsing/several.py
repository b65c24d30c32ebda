"""The verdicts of several issues in one value: bare words (是，否), or a word an issue (1. 是 2. 否)."""

import re
from collections.abc import Callable, Collection
from typing import Final

_LIST: Final = re.compile("[,.。;、/]")

_EDGES: Final = " ,.。;:!、-—…()[]{}【】"

_ITEM: Final = re.compile(
    r"(?:^|(?<=[\s,;。])|(?=\())(?:问题|方案|诉求|事项|issue|item|offer|plan|question)? ?\(?[1-9一二三四五]\)?[.、:)] ?"
    r"(?=(?:是的?|否|有|无|没有|yes|no|true|false)(?:[\s,;。(]|$))"
)

_LABELED: Final = re.compile(
    r"([^:,;。]{1,12}): ?((?:已经?|均|都)?(?:是的?|否|有|无|没有|yes|no|true|false"
    r"|(?:未|不|没有|没|尚未|暂未|部分)?(?:接受|同意|认可|采纳|满意)了?|拒绝了?"
    r"|未明确|待定|未知|不明|不确定))(?:[,;。]|$) ?"
)

# Of the whole value, or of somebody: no issue's name.
_NO_ISSUE: Final = re.compile(
    "情绪|情感|语气|态度|用户|客户|顾客|客服|商家|理由|原因|总体|整体|综合|最终|结论|结果|判断|答案|置信"
)


def numbered_parts(plain: str) -> list[str]:
    """The verdicts behind the numbers of several issues; none where a single one is numbered, or none leads."""
    starts = list(_ITEM.finditer(plain)) if _ITEM.match(plain) else []
    if len(starts) < 2:
        return []
    ends = [*(start.start() for start in starts[1:]), len(plain)]
    return [plain[start.end() : end].strip(_EDGES) for start, end in zip(starts, ends, strict=True)]


def labeled_parts(plain: str, is_verdict: Callable[[str], bool]) -> list[str]:
    """The verdicts behind the names of several issues.

    Args:
        plain: the value.
        is_verdict: tells of a name that it says a verdict itself (愤怒：否).
    """
    parts: list[str] = []
    at = 0
    while found := _LABELED.match(plain, at):
        if _NO_ISSUE.search(found[1]) or is_verdict(found[1]):
            return []
        parts.append(found[2])
        at = found.end()
    return parts if at == len(plain) and len(parts) > 1 else []


def listed_parts(plain: str, words: Collection[str], leads: Callable[[str], object]) -> list[str]:
    """The verdicts of a list of words, or of parts that lead with one (是，同意；否，拒绝)."""
    bare = [part for part in _LIST.split(plain) if part]
    if len(bare) > 1 and all(word in words or word == "无" for word in bare):
        return bare if "/" not in plain or len(set(bare)) == 1 else ["", ""]  # 是/否 is the choice itself
    parts = [part.strip(_EDGES) for part in plain.split(";")] if ";" in plain else []
    parts = [part for part in parts if part]
    return parts if len(parts) > 1 and all(part in words or leads(part) for part in parts) else []
