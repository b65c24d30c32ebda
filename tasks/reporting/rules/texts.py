"""Every sentence and label of the reports, in Chinese and English, side by side."""

from typing import NamedTuple

from tasks.domain.records import Reason
from tasks.reporting.rules.sentences import SENTENCES


class Bilingual(NamedTuple):
    """The same words in both languages."""

    zh: str
    en: str


ATTRIBUTES: dict[str, tuple[str, str]] = {
    "shop": ("店铺", "shop"),
    "store": ("门店", "store"),
    "agent": ("客服", "agent"),
    "team": ("客服组", "team"),
    "queue": ("队列", "queue"),
    "sku": ("商品", "SKU"),
    "product": ("商品", "product"),
    "category": ("类目", "category"),
    "brand": ("品牌", "brand"),
    "courier": ("快递公司", "courier"),
    "region": ("地区", "region"),
    "language": ("语言", "language"),
}
"""Names of attributes that logs often have."""

LABELS: dict[str, tuple[str, str]] = {
    **SENTENCES,
    # Tables
    "words": ("客户在问什么", "What customers ask"),
    "words_note": (
        "按提到该词的对话数排序；一次对话可能提到多个词。",
        "By the number of conversations that mention the word; one conversation may mention several.",
    ),
    "words_sampled": (
        "对话较多，词频在 {sample} 次对话的固定样本中统计（共 {total} 次）。",
        "Words are counted in a fixed sample of {sample} out of {total} conversations.",
    ),
    "no_words": ("没有出现两次以上的问题词。", "No issue word occurs more than once."),
    "word": ("问题词", "Word"),
    "plans": ("客服给了什么方案", "What agents offer"),
    "plans_note": (
        "按方案里提到该词的对话数排序；接受率是这些对话中顾客接受了方案的比例。",
        "By the number of conversations whose plan mentions the word; accepted is the part of them in which the "
        "customer took the plan.",
    ),
    "no_plans": ("没有出现两次以上的方案词。", "No word of a plan occurs more than once."),
    "plan_word": ("方案词", "Word"),
    "cross": ("接受与情绪", "Acceptance and sentiment"),
    "channels": ("按渠道", "By channel"),
    "no_channels": ("日志没有写明渠道。", "The logs name no channel."),
    "hours": ("按时段", "By hour"),
    "no_hours": ("日志没有写明时间。", "The logs tell no time."),
    "hours_note": ("对话开始的时段", "The hour a conversation began"),
    "turns": ("按消息数", "By number of messages"),
    "models": ("按模型", "By model"),
    "prompt_versions": ("按提示词", "By prompt"),
    "days": ("逐日", "Day by day"),
    "months": ("逐月", "Month by month"),
    "per_week": ("每周对话", "Conversations a week"),
    "day": ("日期", "Day"),
    "model_changed": (
        "◆ 从这一天起，模型或提示词与前一天不同。",
        "◆ From this day on, model or prompt are others than the day before.",
    ),
    "channel": ("渠道", "Channel"),
    "hour": ("时段", "Hour"),
    "turn_count": ("消息数", "Messages"),
    "model": ("模型", "Model"),
    "prompt_version": ("提示词", "Prompt"),
    "reason": ("原因", "Reason"),
    "count": ("次数", "Count"),
    "share": ("占比", "Share"),
    "todo": ("怎么办", "What to do"),
    "total": ("合计", "Total"),
    "unnamed": ("（未注明）", "(not given)"),
    "other": ("（其他）", "(other)"),
    "more_groups": (
        "另有 {groups} 项，共 {count} 次对话；全部见 metrics 表。",
        "{groups} more, {count} conversations in all; the metrics table has every one.",
    ),
    "more_words": ("另有 {groups} 个词，见 metrics 表。", "{groups} more words are in the metrics table."),
    "of_these_negative": ("其中负面", "of these negative"),
    # Cases
    "examples": ("更多值得看的对话", "More conversations worth reading"),
    "examples_note": (
        "负面且未接受的在最前，同类中消息多的在前。共 {total} 次值得看，这里列出 {shown} 次。"
        "只有摘要，没有原文；凭编号到日志里查。",
        "Negative and not accepted first, long ones before short ones: {shown} of {total}. Summaries only; "
        "look a conversation up in the logs by its id.",
    ),
    "no_examples": ("没有负面或未接受的对话。", "No conversation was negative or not accepted."),
    "more_examples": ("再看 {count} 次", "{count} more"),
    "turns_of": ("{count} 条消息", "{count} messages"),
    "issue": ("问题", "Issue"),
    "plan": ("方案", "Plan"),
    "not_given": ("未说明", "not told"),
    "model_said": ("模型原话", "The model said"),
    "rules_said": ("规则判定", "The rules gave"),
    "on_acceptance": ("接受：{text}", "accepted: {text}"),
    "on_sentiment": ("负面：{text}", "negative: {text}"),
    "acceptance_unknown": ("接受未知", "Acceptance unknown"),
    "sentiment_unknown": ("情绪未知", "Sentiment unknown"),
    "id": ("编号", "Id"),
    "time": ("时间", "Time"),
    # Completeness and usage
    "complete_note": (
        "读到的每次对话要么有摘要，要么在这里有原因：{read} = {summarized} + {rejected}。",
        "Every conversation read has a summary or a reason here: {read} = {summarized} + {rejected}.",
    ),
    "no_rejects": ("每次对话都有摘要。", "Every conversation has a summary."),
    "usage": ("用量", "What it took"),
    "calls": ("付费调用", "Paid calls"),
    "retries": ("重试", "Retries"),
    "quota_refusals": ("触发限流", "Refused by quota"),
    "reused": ("复用旧答案", "Answers reused"),
    "prompt_tokens": ("输入 token", "Prompt tokens"),
    "completion_tokens": ("输出 token", "Completion tokens"),
    "seconds": ("用时", "Time"),
    "quota_use": ("配额利用", "Quota used"),
    "cost": ("费用", "Cost"),
    "log_objects": ("日志文件", "Log files"),
    "outside_day": ("其他日期的对话，未计入", "Of other days, left out"),
    "version": ("程序版本", "Version"),
    "runs": ("运行编号", "Run"),
    "not_recorded": ("没有记录", "not recorded"),
    # How to read
    "reading": ("怎么读这些数字", "How to read the figures"),
    "reading_shares": (
        "占比旁边是“次数/总数”。未知单列，从不并入“否”；因此接受与未接受加起来可以不到 100%。",
        "A share always stands with its counts. Unknown is a part of its own and never counted as “no”, so "
        "accepted and not accepted may add up to less than 100%.",
    ),
    "reading_small": (
        "总数不到 {limit} 的占比标有“±”：样本少，真实比例可能与所示相差不少，把指针停在上面可看到 Wilson 95% 区间。",
        "Shares of fewer than {limit} conversations are marked “±”: the true ratio may differ a good deal; "
        "hover for the Wilson 95% interval.",
    ),
    "reading_privacy": (
        "手机号、证件号等已在送出前换成占位符；报告不含对话原文。",
        "Phone numbers, ID numbers and the like were replaced before anything was sent; no transcript is "
        "in this report.",
    ),
}

REASONS: dict[Reason, tuple[Bilingual, Bilingual]] = {
    Reason.UNREADABLE: (
        Bilingual("日志无法读取", "Unreadable log"),
        Bilingual("查看 rejects 表给出的文件与行号，修复后重跑", "See file and line in rejects, repair, run again"),
    ),
    Reason.EMPTY: (
        Bilingual("没有内容", "Empty"),
        Bilingual("通常无需处理；突然增多时检查日志导出", "Usually fine; if there are many, check the log export"),
    ),
    Reason.ONE_SIDED: (
        Bilingual("无人回复/单方消息", "One-sided"),
        Bilingual(
            "客户没等到回复，或导出缺了一方：看看排队时长",
            "Nobody answered, or the export lacks a side: check waits",
        ),
    ),
    Reason.DUPLICATE: (
        Bilingual("编号重复", "Duplicate id"),
        Bilingual("检查日志是否导出了两次", "Check whether the logs were exported twice"),
    ),
    Reason.TOO_LONG: (
        Bilingual("对话过长", "Too long"),
        Bilingual("换用上下文更长的模型", "Use a model that reads more"),
    ),
    Reason.REFUSED: (
        Bilingual("模型拒绝回答", "Refused by the model"),
        Bilingual("人工抽看；多为敏感内容", "Have a person look; mostly sensitive content"),
    ),
    Reason.UNPARSEABLE: (
        Bilingual("回答无法解析", "Unparseable answer"),
        Bilingual(
            "看 rejects 表里的 raw_output，必要时调整提示词", "See raw_output in rejects; the prompt may need work"
        ),
    ),
    Reason.INVALID_FIELDS: (
        Bilingual("回答没有可用的值", "Answer without values"),
        Bilingual(
            "看 rejects 表里的 raw_output；多为提示词或模型的问题",
            "See raw_output in rejects; mostly the prompt or the model",
        ),
    ),
    Reason.INVALID_REQUEST: (
        Bilingual("请求不被接受", "Request not taken"),
        Bilingual("看 rejects 表里的说明，检查模型与参数", "See detail in rejects; check model and parameters"),
    ),
    Reason.LOST_TO_THINKING: (
        Bilingual("思考用尽了字数", "Lost to thinking"),
        Bilingual(
            "关闭思考（--thinking off）或增大 --max-output-tokens", "Use --thinking off or more --max-output-tokens"
        ),
    ),
    Reason.ENDPOINT_ERROR: (
        Bilingual("服务出错", "Endpoint error"),
        Bilingual("重跑这一天：只会补做这些", "Run the day again: only these are done anew"),
    ),
}


def translate(key: str, /, **values: str | int | Bilingual) -> Bilingual:
    """The sentence `key` with its values filled in; whole numbers get thousands separators."""
    zh, en = LABELS[key]
    return Bilingual(*(template.format(**_in(index, values)) for index, template in enumerate((zh, en))))


def reason_label(reason: str) -> Bilingual:
    """A reject's reason for people; one this version does not know is shown as it is."""
    return REASONS[Reason(reason)][0] if reason in list(Reason) else Bilingual(reason, reason)


def attribute_title(name: str, shown: str) -> tuple[Bilingual, Bilingual]:
    """Return the title of an attribute's table and the head of its column; a shop's own name stays as it is.

    Args:
        name: the attribute's.
        shown: the same, fit to be shown.
    """
    if name in ATTRIBUTES:
        zh, en = ATTRIBUTES[name]
        return Bilingual(f"按{zh}", f"By {en}"), Bilingual(zh, en[0].upper() + en[1:])
    return Bilingual(f"按 {shown}", f"By {shown}"), Bilingual(shown, shown)


def reason_todo(reason: str) -> Bilingual:
    """Return the advice on a reject's reason; empty for one this version does not know."""
    return REASONS[Reason(reason)][1] if reason in list(Reason) else Bilingual("", "")


def _in(language: int, values: dict[str, str | int | Bilingual]) -> dict[str, str]:
    return {
        name: value[language] if isinstance(value, Bilingual) else f"{value:,}" if isinstance(value, int) else value
        for name, value in values.items()
    }
