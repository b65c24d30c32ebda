"""Every sentence and label of the reports, in Chinese and English, side by side."""

from typing import NamedTuple

from tasks.domain.records import Reason


class Bilingual(NamedTuple):
    """The same words in both languages."""

    zh: str
    en: str


LABELS: dict[str, tuple[str, str]] = {
    # Frame
    "title": ("客服对话日报", "Customer service, day by day"),
    "title_span": ("客服对话报告", "Customer service report"),
    "made_by_model": ("由 {model} 生成摘要，提示词 {prompt}", "Summaries by {model}, prompt {prompt}"),
    "made_by_rules": ("由固定规则摘取（{model}）", "Picked out by fixed rules ({model})"),
    "made_by_many": (
        "本报告混有多个模型或提示词的摘要：{models}（提示词 {prompts}）",
        "Summaries come from several models or prompts: {models} (prompts {prompts})",
    ),
    "made_by_nobody": ("没有摘要", "No summaries"),
    "finished_at": ("{time} 完成", "finished {time}"),
    "times_in": ("时间均为 {timezone}", "times are {timezone}"),
    "offline_all": (
        "规则摘要，非模型：问题、方案、接受与情绪是用固定规则从对话里摘出来的，没有语言模型参与。"
        "它能跑通流程、看个大概，不能当作结论。",
        "Rule-based summaries, not a model: issue, plan, acceptance and sentiment were picked from the "
        "dialogue by fixed rules. Good for trying things out and for a rough look, not for conclusions.",
    ),
    "offline_some": (
        "其中 {share} 为规则摘要，非模型（offline-rules）：这部分只能看个大概。",
        "{share} of the summaries are rule-based, not a model's (offline-rules): only a rough look.",
    ),
    "switch_language": ("English", "中文"),
    "switch_theme": ("深色 / 浅色", "Dark / light"),
    # The first screen
    "lede_topics": (
        "这一天读到 {read} 次对话，客户说得最多的是{words}。",
        "{read} conversations were read. Customers spoke most of {words}.",
    ),
    "lede_topics_span": (
        "这段时间读到 {read} 次对话，客户说得最多的是{words}。",
        "{read} conversations were read over these days. Customers spoke most of {words}.",
    ),
    "lede_no_topics": ("读到 {read} 次对话。", "Conversations read: {read}."),
    "lede_accepted": (
        "方案被接受的有 {accepted}，另有 {unknown} 看不出是否接受。",
        "The plan was accepted in {accepted}; in {unknown} it can't be told.",
    ),
    "lede_negative": (
        "带着负面情绪的有 {negative}，其中 {left} 次到最后也没有接受方案。",
        "{negative} showed negative sentiment, and {left} of those did not accept a plan in the end.",
    ),
    "lede_no_negative": ("没有发现负面情绪。", "No negative sentiment was found."),
    "lede_no_negative_known": (
        "没有发现负面情绪，但有 {unknown} 情绪未知。",
        "No negative sentiment was found, but it is unknown in {unknown}.",
    ),
    "lede_sentiment_unknown": (
        "所有对话的情绪都未知。",
        "Sentiment is unknown in every conversation.",
    ),
    "empty_day": (
        "没有读到任何对话。请确认日志已经到齐、来源地址和日期无误，再运行一次。",
        "No conversation was read. Check that the logs have arrived and that source and day are right, then run again.",
    ),
    "all_rejected": (
        "读到 {read} 次对话，但没有一次得到摘要。原因见“完整度”；下面没有可看的数字。",
        "{read} conversations were read and none could be summarized. See “Completeness” for the reasons; "
        "there are no figures to show.",
    ),
    "conversations": ("对话", "Conversations"),
    "accepted": ("接受方案", "Accepted"),
    "not_accepted": ("未接受", "Not accepted"),
    "negative": ("负面情绪", "Negative"),
    "not_negative": ("非负面", "Not negative"),
    "unknown": ("未知", "Unknown"),
    "complete": ("完整度", "Completeness"),
    "summarized": ("已摘要", "Summarized"),
    "rejected": ("未能摘要", "Rejected"),
    "day_before": ("前一天", "Day before"),
    "week_before": ("前 {days} 天均值", "{days}-day mean"),
    "points": ("{delta} 个百分点", "{delta} points"),
    "interval": ("可能在 {range}", "plausibly {range}"),
    "figure": ("数值", "Figure"),
    "parts": ("构成", "Parts"),
    "earlier": ("往日", "Earlier days"),
    # Findings
    "findings": ("需要看一眼", "Worth a look"),
    "nothing_found": (
        "没有明显偏离：不同{parts}之间都在正常波动之内。",
        "Nothing stands out: {parts} vary no more than chance would have it.",
    ),
    "among_channels": ("渠道", "channels"),
    "among_hours": ("时段", "hours"),
    "among_turns": ("轮数", "lengths"),
    "among_words": ("问题词", "issue words"),
    "found_rejected": (
        "有 {share} 的对话没有得到摘要，主要是“{reason}”。下面的数字不含它们。",
        "{share} of the conversations got no summary, mostly “{reason}”. The figures leave them out.",
    ),
    "found_negative_up": (
        "负面情绪 {now}，高于前 {days} 天的 {before}。",
        "Negative sentiment is {now}, up from {before} over the {days} days before.",
    ),
    "found_negative_down": (
        "负面情绪 {now}，低于前 {days} 天的 {before}。",
        "Negative sentiment is {now}, down from {before} over the {days} days before.",
    ),
    "found_accepted_up": (
        "接受方案 {now}，高于前 {days} 天的 {before}。",
        "Acceptance is {now}, up from {before} over the {days} days before.",
    ),
    "found_accepted_down": (
        "接受方案 {now}，低于前 {days} 天的 {before}。",
        "Acceptance is {now}, down from {before} over the {days} days before.",
    ),
    "found_volume_up": (
        "对话 {now} 次，明显多于前 {days} 天的日均 {before} 次。",
        "{now} conversations, well above the {days}-day mean of {before}.",
    ),
    "found_volume_down": (
        "对话 {now} 次，明显少于前 {days} 天的日均 {before} 次；日志可能没有到齐。",
        "{now} conversations, well below the {days}-day mean of {before}; logs may be missing.",
    ),
    "found_group_negative": (
        "{group}：负面情绪 {share}，整体为 {overall}。",
        "{group}: negative in {share}, against {overall} overall.",
    ),
    "found_group_not_accepted": (
        "{group}：未接受 {share}，整体为 {overall}。",
        "{group}: not accepted in {share}, against {overall} overall.",
    ),
    "found_unknown": (
        "{share} 的对话看不出是否接受；接受率只能当作下限。",
        "In {share} acceptance can't be told; read the accepted share as a lower bound.",
    ),
    "found_truncated": (
        "{share} 的对话太长，摘要前截去了中间部分。",
        "{share} of the conversations were too long and had their middle cut before summarizing.",
    ),
    "group_word": ("提到“{key}”的对话", "Conversations about “{key}”"),
    "group_channel": ("渠道“{key}”", "Channel “{key}”"),
    "group_hour": ("{key} 时", "The hour {key}:00"),
    "group_turns": ("{key} 轮的对话", "Conversations of {key} turns"),
    # Tables
    "words": ("客户在问什么", "What customers ask"),
    "words_note": (
        "按问题摘要分词后含有该词的对话数排列，同一次对话只算一次；相关的词会落在同样的对话里。",
        "By the number of conversations whose issue, cut into words, holds the word, each counted once; words that go "
        "together share conversations.",
    ),
    "words_sampled": (
        "对话较多，词频在 {sample} 次对话的固定样本中统计（共 {total} 次）。",
        "A large day: words are counted in a fixed sample of {sample} out of {total} conversations.",
    ),
    "no_words": ("没有出现两次以上的问题词。", "No issue word occurs more than once."),
    "word": ("问题词", "Word"),
    "plans": ("客服给了什么方案", "What agents offer"),
    "plans_note": (
        "按方案摘要分词后含有该词的对话数排列；接受率是这些对话中顾客接受了方案的比例。",
        "By the number of conversations whose plan, cut into words, holds the word; accepted is the part of them in "
        "which the customer took the plan.",
    ),
    "no_plans": ("没有出现两次以上的方案词。", "No word of a plan occurs more than once."),
    "plan_word": ("方案词", "Word"),
    "cross": ("接受与情绪", "Acceptance and sentiment"),
    "channels": ("按渠道", "By channel"),
    "no_channels": ("日志没有写明渠道。", "The logs name no channel."),
    "hours": ("按时段", "By hour"),
    "no_hours": ("日志没有写明时间。", "The logs tell no time."),
    "hours_note": ("对话开始的钟点", "The hour a conversation began"),
    "turns": ("按轮数", "By turns"),
    "models": ("按模型", "By model"),
    "prompt_versions": ("按提示词", "By prompt"),
    "days": ("逐日", "Day by day"),
    "day": ("日期", "Day"),
    "channel": ("渠道", "Channel"),
    "hour": ("钟点", "Hour"),
    "turn_count": ("轮数", "Turns"),
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
    "of_these_negative": ("其中负面", "of these negative"),
    # Cases
    "examples": ("先看这些对话", "Read these first"),
    "examples_note": (
        "负面且未接受的在最前，同类中轮数多的在前。共 {total} 次值得看，这里列出 {shown} 次。"
        "只有摘要，没有原文；凭编号到日志里查。",
        "Negative and not accepted first, long ones before short ones: {shown} of {total}. Summaries only; "
        "look a conversation up in the logs by its id.",
    ),
    "no_examples": ("没有负面或未接受的对话。", "No conversation was negative or not accepted."),
    "more_examples": ("再看 {count} 次", "{count} more"),
    "turns_of": ("{count} 轮", "{count} turns"),
    "issue": ("问题", "Issue"),
    "plan": ("方案", "Plan"),
    "not_given": ("未说明", "not told"),
    "model_said": ("模型原话", "The model said"),
    "rules_said": ("规则所得", "The rules gave"),
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
    "quota_refusals": ("被限流", "Refused by quota"),
    "reused": ("复用旧答案", "Answers reused"),
    "prompt_tokens": ("输入 token", "Prompt tokens"),
    "completion_tokens": ("输出 token", "Completion tokens"),
    "seconds": ("用时", "Time"),
    "quota_use": ("配额利用", "Quota used"),
    "cost": ("费用", "Cost"),
    "log_objects": ("日志文件", "Log files"),
    "version": ("程序版本", "Version"),
    "runs": ("运行编号", "Run"),
    "not_recorded": ("没有记录", "not recorded"),
    # How to read
    "reading": ("怎么读这些数字", "How to read the figures"),
    "reading_shares": (
        "占比后面总是“件数/总数”。未知单列，从不并入“否”；因此接受与未接受加起来可以不到 100%。",
        "A share always stands with its counts. Unknown is a part of its own and never counted as “no”, so "
        "accepted and not accepted may add up to less than 100%.",
    ),
    "reading_small": (
        "总数不到 {limit} 时，方括号里是 Wilson 95% 区间：样本少，真实比例可能在区间里的任何位置。",
        "Below {limit} conversations the Wilson 95% interval stands in brackets: with so few, the true "
        "ratio may lie anywhere in it.",
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
        Bilingual("只有一方说话", "One-sided"),
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
        Bilingual("同上：多为提示词或模型的问题", "See raw_output in rejects; mostly the prompt or the model"),
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


def reason_todo(reason: str) -> Bilingual:
    """What to do about a reject's reason; nothing for one this version does not know."""
    return REASONS[Reason(reason)][1] if reason in list(Reason) else Bilingual("", "")


def _in(language: int, values: dict[str, str | int | Bilingual]) -> dict[str, str]:
    return {
        name: value[language] if isinstance(value, Bilingual) else f"{value:,}" if isinstance(value, int) else value
        for name, value in values.items()
    }
