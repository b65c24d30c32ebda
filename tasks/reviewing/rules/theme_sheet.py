"""The sheet in which people accept or refuse proposed themes, and what a filled-in row of it means."""

import re
from collections.abc import Mapping
from typing import Final

from tasks.reviewing.rules.review_sheet import RowError
from tasks.reviewing.rules.sheet_form import SheetForm
from tasks.themes.rules.proposals import Decision, Proposed
from tasks.themes.rules.taxonomy import THEME_ID, Taxonomy, Theme

NUMBER: Final = "编号"
VERDICT: Final = "是否采纳"
ID: Final = "主题编号"
NAME: Final = "主题名称"
GROUP: Final = "所属大类"
KEYWORDS: Final = "关键词"
REVIEWER: Final = "审核人"

ACCEPT: Final = "采纳"
REFUSE: Final = "不采纳"

_FIELDS: Final = {"issue": "用户问题", "plan": "客服方案"}

FORM: Final = SheetForm(
    number=NUMBER,
    columns=(
        NUMBER,
        "出自",
        "会话数",
        "占比",
        "此前占比",
        "现在归于",
        "例句",
        VERDICT,
        ID,
        NAME,
        GROUP,
        KEYWORDS,
        REVIEWER,
    ),
    to_fill_in=(VERDICT, ID, NAME, GROUP, KEYWORDS, REVIEWER),
    choices={VERDICT: (ACCEPT, REFUSE)},
    instructions=(
        "每行是一个建议的新主题：一类近来多起来的话。请看“例句”和“现在归于”。",
        "“是否采纳”从下拉列表中选择；空着的行视为尚未决定，导入时跳过。不采纳的以后不再建议。",
        "采纳时请改好“主题名称”；“主题编号”用小写英文字母、数字和下划线，今后不能再改；“关键词”用顿号隔开。",
        "Choose 采纳 (accept) or 不采纳 (refuse). An accepted theme gets the texts that hold one of its keywords.",
    ),
    widths={NUMBER: 26, "例句": 60, "现在归于": 30, KEYWORDS: 36, "会话数": 9, "占比": 9, "此前占比": 9, VERDICT: 11},
)

_SEPARATORS = re.compile(r"[、,，;；\s]+")


def theme_row(proposed: Proposed, taxonomy: Taxonomy) -> list[str]:
    """The cells of a proposal, by column of FORM."""
    proposal = proposed.proposal
    names = {theme.id: theme.name_zh for theme in taxonomy.themes}
    return [
        proposed.number,
        _FIELDS[proposed.field],
        str(proposal.conversations),
        f"{proposal.share:.2%}",
        f"{proposal.share_before:.2%}",
        "、".join(f"{names.get(theme, theme)} {count}" for theme, count in proposal.themes[:4]),
        "\n".join(proposal.examples),
        "",
        proposed.suggested_id,
        proposal.name,
        suggested_group(proposed, taxonomy),
        "、".join(proposal.keywords),
        "",
    ]


def suggested_group(proposed: Proposed, taxonomy: Taxonomy) -> str:
    """The group in which most of its texts lie today."""
    groups = {theme.id: theme.group for theme in taxonomy.themes}
    counts: dict[str, int] = {}
    for theme, count in proposed.proposal.themes:
        group = groups.get(theme, taxonomy.groups[-1].id)
        counts[group] = counts.get(group, 0) + count
    return max(sorted(counts), key=lambda group: counts[group], default=taxonomy.groups[-1].id)


def decision_of(
    row: int, cells: Mapping[str, str], proposals: Mapping[str, Proposed], taxonomy: Taxonomy
) -> Decision | RowError | None:
    """A filled-in row as a decision; None where nothing is decided, an error where it does not fit."""
    verdict = cells[VERDICT].strip()
    if not verdict:
        return None
    proposed = proposals.get(cells[NUMBER].strip())
    if proposed is None:
        return RowError(row, NUMBER, f"没有“{cells[NUMBER].strip()}”这条建议，请不要改动这一列。")
    if verdict not in FORM.choices[VERDICT]:
        return RowError(row, VERDICT, f"请从 {'、'.join(FORM.choices[VERDICT])} 中选择。")
    keywords = tuple(dict.fromkeys(word for word in _SEPARATORS.split(cells[KEYWORDS]) if word))
    if verdict == REFUSE:
        return Decision(proposed.number, False, None, keywords or proposed.proposal.keywords, cells[REVIEWER].strip())
    theme = Theme(
        id=cells[ID].strip(),
        group=cells[GROUP].strip(),
        name_zh=cells[NAME].strip() or cells[ID].strip(),
        name_en=cells[NAME].strip() or cells[ID].strip(),
        keywords=keywords,
        examples=proposed.proposal.examples,
    )
    error = _misfit(row, theme, taxonomy)
    return error or Decision(proposed.number, True, theme, keywords, cells[REVIEWER].strip())


def _misfit(row: int, theme: Theme, taxonomy: Taxonomy) -> RowError | None:
    groups = [known.id for known in taxonomy.groups]
    if not THEME_ID.fullmatch(theme.id) or theme.id in taxonomy.ids:
        return RowError(row, ID, f"“{theme.id}”已被占用，或含有小写字母、数字和下划线以外的字符。")
    if theme.group not in groups:
        return RowError(row, GROUP, f"请从 {'、'.join(groups)} 中选择。")
    if not theme.keywords or any(len(word) < 2 for word in theme.keywords):
        return RowError(row, KEYWORDS, "请至少写一个关键词，每个不少于两个字。")
    return None
