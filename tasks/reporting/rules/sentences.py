"""Sentences of the reports' first screen, in Chinese and English: frame, headline, stories, findings."""

SENTENCES: dict[str, tuple[str, str]] = {
    # Frame
    "title_day": ("客服对话日报", "Customer service, daily report"),
    "title_week": ("客服对话周报", "Customer service, weekly report"),
    "title_month": ("客服对话月报", "Customer service, monthly report"),
    "title_span": ("客服对话报告", "Customer service report"),
    "made_by_model": ("由 {model} 生成摘要，提示词 {prompt}", "Summaries by {model}, prompt {prompt}"),
    "made_by_rules": ("由固定规则摘取（{model}）", "Picked out by fixed rules ({model})"),
    "made_by_many": (
        "本报告的摘要来自多个模型或提示词：{models}（提示词 {prompts}）",
        "Summaries come from several models or prompts: {models} (prompts {prompts})",
    ),
    "made_by_nobody": ("没有摘要", "No summaries"),
    "finished_at": ("{time} 完成", "finished {time}"),
    "times_in": ("时间均为 {timezone}", "times are {timezone}"),
    "offline_all": (
        "规则摘要，非模型：问题、方案、接受与情绪是用固定规则从对话里摘出来的，没有语言模型参与。"
        "抱怨只听得出一部分（没见过的行业里约三分之一），听出来的九成属实。它能跑通流程、看个大概，不能当作结论。",
        "Rule-based summaries, not a model: issue, plan, acceptance and sentiment were picked from the "
        "dialogue by fixed rules. They hear some of the complaints (about a third in a new field), and nine in ten of "
        "those are real. Good for trying things out and for a rough look, not for conclusions.",
    ),
    "offline_some": (
        "其中 {share} 为规则摘要，非模型（offline-rules）：这部分只能看个大概。",
        "{share} of the summaries are rule-based, not a model's (offline-rules): only a rough look.",
    ),
    "unread": (
        "有 {files} 个日志文件无法读取，约 {lost} 次对话在其中；下面的数字不含它们。"
        "修复文件（见 rejects 表）后重跑这一天。",
        "Log files that can’t be read: {files}, with about {lost} conversations in them. The figures leave them out. "
        "Repair the files (the rejects table names them) and run the day again.",
    ),
    "all_reports": ("全部报告", "All reports"),
    "switch_language": ("English", "中文"),
    "switch_theme": ("深色 / 浅色", "Dark / light"),
    # The first screen
    "lede_themes": (
        "当天共 {read} 次对话，最常见的来意是{themes}。",
        "{read} conversations. What customers came for most: {themes}.",
    ),
    "lede_themes_span": (
        "这段时间共 {read} 次对话，最常见的来意是{themes}。",
        "{read} conversations over these days. What customers came for most: {themes}.",
    ),
    "lede_topics": (
        "当天共 {read} 次对话，客户说得最多的是{words}。",
        "{read} conversations. Customers spoke most of {words}.",
    ),
    "lede_topics_span": (
        "这段时间共 {read} 次对话，客户说得最多的是{words}。",
        "{read} conversations over these days. Customers spoke most of {words}.",
    ),
    "lede_no_topics": ("共 {read} 次对话。", "Conversations read: {read}."),
    "lede_accepted": (
        "{accepted} 接受了方案，{unknown} 无法判断。",
        "{accepted} accepted the plan; in {unknown} it can’t be told.",
    ),
    "lede_negative": (
        "出现负面情绪的占 {negative}，其中 {left} 次明确不接受方案。",
        "{negative} showed negative sentiment; {left} of those refused the plan.",
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
        "读到 {read} 次对话，但没有一次得到摘要。原因见“摘要覆盖率”；下面没有可看的数字。",
        "{read} conversations were read and none could be summarized. See “Coverage” for the reasons; "
        "there are no figures to show.",
    ),
    "conversations": ("对话", "Conversations"),
    "accepted": ("接受方案", "Accepted"),
    "not_accepted": ("未接受", "Not accepted"),
    "negative": ("负面情绪", "Negative"),
    "not_negative": ("非负面", "Not negative"),
    "unknown": ("未知", "Unknown"),
    "complete": ("摘要覆盖率", "Coverage"),
    "unread_about": ("约在无法读取的文件里", "About, in unreadable files"),
    "summarized": ("已摘要", "Summarized"),
    "rejected": ("未能摘要", "Rejected"),
    "reviewed": (
        "随机抽检 {reviews} 条（{days}）：接受判断 {accepted} 正确，情绪判断 {negative} 正确。",
        "{reviews} random reviews ({days}): acceptance right in {accepted}, sentiment in {negative}.",
    ),
    "reviewed_too_few": (
        "不足 {minimum} 条，还不能据此修正占比。",
        "Fewer than {minimum}: too few to correct the shares by.",
    ),
    "corrected": (
        "{days}：模型 {raw}，按 {reviews} 条随机抽检修正为 {value}（{range}）",
        "{days}: {raw} by the model, {value} ({range}) corrected by {reviews} random reviews",
    ),
    "day_before": ("前一天", "Day before"),
    "span_before": ("前 {days} 天", "{days} days before"),
    "daily_mean": ("前 {days} 天日均", "mean of {days} days"),
    "weekday_mean": ("前 {weeks} 周同一天平均", "mean of this weekday, {weeks} weeks"),
    "unchanged": ("持平", "unchanged"),
    "points": ("{delta} 个百分点", "{delta} points"),
    "interval": ("可能在 {range}", "plausibly {range}"),
    "figure": ("数值", "Figure"),
    "parts": ("构成", "Parts"),
    "earlier": ("往日", "Earlier days"),
    # Golden conversations
    "golden": (
        "当夜混入 {count} 段有标准答案的会话，与人工一致：{right}。",
        "{count} conversations that people labeled were hidden in the night; the model agrees with them: {right}.",
    ),
    "golden_first": ("还没有往夜可比。", "There is no earlier night to compare with."),
    "golden_steady": ("与此前 {nights} 夜相比没有变化。", "Nothing has changed since the {nights} nights before."),
    "golden_changed": (
        "与此前 {nights} 夜相比有变化，见“整体情况”。",
        "That is a change from the {nights} nights before.",
    ),
    "golden_drift": (
        "模型的回答变了（同一批标准会话，与此前 {nights} 夜相比）：{changes}。当天的变化可能来自模型而不是顾客。",
        "The model answers otherwise than in the {nights} nights before, asked about the same labeled conversations: "
        "{changes}. What changed today may be the model, not the customers.",
    ),
    "golden_other_model": ("模型或提示词已从 {before} 换成 {now}。", "Model or prompt went from {before} to {now}."),
    "golden_tonight": ("当夜", "tonight"),
    "golden_week": ("最近七夜", "in the last seven nights"),
    "golden_right": (
        "{field}与人工一致的由 {before} 变为{span} {after}（p={p}）",
        "{field} agrees with people in {after} {span}, before in {before} (p={p})",
    ),
    "golden_said": (
        "{field}与往常相同的由 {before} 变为{span} {after}（p={p}）",
        "{field} is the usual one in {after} {span}, before in {before} (p={p})",
    ),
    "golden_usable": ("可用的回答", "a usable answer"),
    "golden_issue": ("问题的主题", "the issue's theme"),
    "golden_plan": ("方案的主题", "the plan's theme"),
    "golden_accepted": ("是否接受", "acceptance"),
    "golden_negative_sentiment": ("是否负面情绪", "sentiment"),
    "golden_calls": ("其中标准会话的调用", "Of these, for golden conversations"),
    "golden_cost": ("其中标准会话的费用", "Of this, for golden conversations"),
    # Findings
    "findings": ("整体情况", "Overall"),
    "nothing_found": ("整体没有明显变化。", "Nothing stands out overall."),
    "found_incomplete": (
        "日志当时仍在写入：以下只是那时已有的会话，之后如有新增，次日夜里会自动重做。",
        "Logs were still arriving: this is what there was then. If more came, the next night makes the day again.",
    ),
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
        "对话 {now} 次，明显多于前 {days} 周同一天的平均 {before} 次。",
        "{now} conversations, well above {before}, the mean of the same weekday in the {days} weeks before.",
    ),
    "found_volume_down": (
        "对话 {now} 次，明显少于前 {days} 周同一天的平均 {before} 次；日志可能没有到齐。",
        "{now} conversations, well below {before}, the mean of the same weekday in the {days} weeks before; "
        "logs may be missing.",
    ),
    "found_span_volume_up": (
        "对话 {now} 次，明显多于前 {days} 天同样天数的 {before} 次。",
        "{now} conversations, well above the {before} that the {days} days before would give.",
    ),
    "found_span_volume_down": (
        "对话 {now} 次，明显少于前 {days} 天同样天数的 {before} 次；日志可能没有到齐。",
        "{now} conversations, well below the {before} that the {days} days before would give; logs may be missing.",
    ),
    "found_unknown": (
        "{share} 的对话看不出是否接受；接受率只能当作下限。",
        "In {share} acceptance can't be told; read the accepted share as a lower bound.",
    ),
    "found_truncated": (
        "{share} 的对话太长，摘要前截去了中间部分。",
        "{share} of the conversations were too long and had their middle cut before summarizing.",
    ),
    # Stories
    "trend": ("走势", "Trend"),
    "trend_note": (
        "{days} 天，灰底为周末；大字为最后一天。",
        "{days} days; weekends are shaded. The large figure is the last day's.",
    ),
    "trend_weeks": (
        "{weeks} 周，每点为一周；大字为最后一周。",
        "{weeks} weeks, a point each. The large figure is the last week's.",
    ),
    "per_day": ("每天对话", "Conversations a day"),
    "range_of": ("{low}–{high}", "{low}–{high}"),
    "themes": ("客户为什么来", "Why customers come"),
    "drivers": ("不满意集中在哪里", "Where customers are unhappy"),
    "drivers_note": (
        "按占全部不满意（负面情绪或未接受方案）的比例排序。",
        "By each theme’s part of all dissatisfaction: negative sentiment, or a plan not accepted.",
    ),
    "plan_themes": ("给出的方案与结果", "Plans and how they ended"),
    "theme": ("主题", "Theme"),
    "plan_theme": ("方案类", "Kind of plan"),
    "unhappy_part": ("占全部不满意", "Part of all unhappy"),
    "usual": ("平时", "usual"),
    "heat": ("主题 × 结果", "Theme by outcome"),
    "heat_note": (
        "按对话数排序；颜色越深，该主题里出现这种结果的比例越高。",
        "By conversations. The darker, the larger the part of a theme that ended so.",
    ),
    "accepted_only": ("接受，无负面", "Accepted, not negative"),
    "accepted_negative": ("接受但有负面情绪", "Accepted, negative"),
    "refused_only": ("未接受，无负面", "Not accepted, not negative"),
    "refused_negative": ("未接受且负面", "Not accepted, negative"),
    "stories": ("值得关注", "Worth attention"),
    "no_stories": (
        "没有异常：各主题、渠道、方案都在各自往常的波动之内。",
        "Nothing unusual: themes, channels and plans all vary as they usually do.",
    ),
    "no_past": (
        "往日数据不足 5 天，还无法判断什么算异常。",
        "Fewer than five earlier days: too few to tell what is unusual.",
    ),
    "story_volume": (
        "{what}的问题激增{where}：{when}{count}，平时约 {usual} 次",
        "Many more about {what}{where}: {count} {when}, usually about {usual}",
    ),
    "story_volume_new": (
        "新出现{what}{where}：{when}{count}，此前几乎没有",
        "New: {what}{where}, {count} {when}, hardly any before",
    ),
    "story_plan_refused": (
        "{what}不再被接受{where}：{when}接受率 {now}，此前 {usual}，{count}",
        "{what} is no longer accepted{where}: {now} {when}, {usual} before, {count} conversations",
    ),
    "story_not_accepted": (
        "{what}未接受的增多{where}：{when}未接受 {now}，此前 {usual}，{count}",
        "{what}: plans refused more often{where}, {now} {when}, {usual} before, {count} conversations",
    ),
    "story_negative": (
        "{what}的负面情绪上升{where}：{when} {now}，此前 {usual}，{count}",
        "{what}: more negative sentiment{where}, {now} {when}, {usual} before, {count} conversations",
    ),
    "examples_of_story": ("例：", "for example"),
    "card_title": (
        "{report} {dates}：{count} 件值得关注的事",
        "{report} {dates}: {count} things worth attention",
    ),
    "card_title_quiet": ("{report} {dates}：没有异常", "{report} {dates}: nothing unusual"),
    "card_title_unread": ("{report} {dates}：有日志无法读取", "{report} {dates}: logs that can’t be read"),
    "card_title_changed": ("{report} {dates}：模型的回答变了", "{report} {dates}: the model answers otherwise"),
    "card_figures": (
        "{count} 次对话，{accepted} 接受方案，{negative} 出现负面情绪。",
        "{count} conversations, {accepted} accepted, {negative} negative.",
    ),
    "card_more": ("另有 {count} 件，见报告。", "{count} more in the report."),
    "chart_note": (
        "{measure}，{first} 至 {last}；红色为这件事的日子",
        "{measure}, {first} to {last}; red days belong to it",
    ),
    "measure_volume": ("每天次数", "Count a day"),
    "measure_negative": ("每天负面情绪占比", "Negative a day"),
    "measure_not_accepted": ("每天未接受占比", "Not accepted a day"),
    "story_phrases": ("多提到{phrases}", "with {phrases}"),
    "story_places": ("集中在{places}", "mostly {places}"),
    "story_count": ("共 {count} 次", "{count}"),
    "story_count_about": ("共约 {count} 次", "about {count}"),
    "story_since": ("{first} 起（第 {number} 天）", "since {first} (day {number})"),
    "story_one_day": ("{first} 当天", "on {first}"),
    "story_from_to": ("{first} 至 {last}（{number} 天）", "from {first} to {last} ({number} days)"),
    "story_over": ("{what}已恢复：{when}{count}。", "{what} is over: {count} {when}."),
    "subject_all": ("全部对话", "all conversations"),
    "subject_plan_phrase": ("方案“{key}”", "The plan “{key}”"),
    "subject_channel": ("渠道“{key}”", "channel “{key}”"),
    "subject_theme": ("主题“{key}”", "theme “{key}”"),
    "subject_plan_theme": ("方案类“{key}”", "plans of the kind “{key}”"),
    "subject_agent": ("客服“{key}”", "agent “{key}”"),
    "subject_shop": ("店铺“{key}”", "shop “{key}”"),
    "detail_negative": ("负面情绪 {now}（平时 {usual}）", "negative {now} (usually {usual})"),
    "detail_not_accepted": ("未接受 {now}（平时 {usual}）", "not accepted {now} (usually {usual})"),
    "detail_cost": (
        "{unhappy} 位客户不满意，比平时多约 {more} 位",
        "{unhappy} unhappy customers, about {more} more than usual",
    ),
    "detail_cost_about": (
        "约 {unhappy} 位客户不满意，比平时多约 {more} 位",
        "about {unhappy} unhappy customers, about {more} more than usual",
    ),
    "detail_recovered": ("{day} 之后恢复", "over after {day}"),
}
