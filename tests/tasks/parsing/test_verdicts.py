import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.parsing.verdicts import accepted_of, negative_sentiment_of

ACCEPTED = {
    True: """是 是的 Yes true １ Ｙ √ ⭕ A（是） 接受 已接受 同意 认可 用户接受客服提供的方案，表示愿意再等两天 用户表示接受 用户同意换货 用户认可该方案
        用户采纳了客服的建议 基本接受 大致认可 总体上用户是接受的 勉强接受 无奈接受 只好接受 只能接受客服的安排 被迫接受 不得不接受 不情愿地接受了 暂时接受
        并非不接受 不是不接受 没有不接受 用户并非不认可该方案 用户并没有拒绝 用户未拒绝 用户没有反对 没有异议 无异议 用户对方案没有意见 难道不接受吗
        一开始不接受，后来接受了 起初拒绝，最后同意了退差价 开始不同意，经过解释后同意了 用户先是拒绝，之后又接受了补发 多次拒绝后最终接受
        虽然不满意，但是接受了 用户虽然不高兴，但同意等待 用户不接受退款，但接受换货 用户不满意，不过还是同意了
        是，用户表示感谢 是的，用户接受 是。用户同意了退货 是（用户愿意等待） 是，但用户希望尽快发货 是，用户未提出其他要求
        用户感谢客服并接受 用户对方案表示满意 “是” 「接受」 用户接受了客服的道歉和方案 客服提出补发，用户同意 客服解释后，用户接受了
        客服拒绝退款后用户接受了换货 客服的方案被用户接受 经客服解释，同意了换货 用户对客服的安排表示接受 用户没有收到货，接受补发
        用户接受，如果还不行再联系 用户接受方案，并询问是否可以改地址 用户表示感谢 用户愿意再等两天 用户表示会耐心等待 问题已解决，用户道谢
        用户接受了方案，可能明天再来 用户毫不犹豫地接受了 用户最终决定接受 用户没有任何异议 非常认可 用户接受了改期，尽管一开始拒绝 接受：用户愿意换货 是否接受：是 是否接受：√ 【是否接受】是 [已接受]用户很满意
        用户是否接受：用户同意 结果：接受 无论如何用户都接受 用户未说明原因，但接受了方案 用户考虑后同意了 accepted accepts_the_plan
        用户回复“行吧” 用户回复可以 用户说行 用户表示了解 用户表示知道了 由拒绝变为接受 双方达成一致 协商一致 方案得到用户认可 完全接受
        经主管出面后客户才同意 沟通了很久才接受 用户从不接受到接受 用户从拒绝到最终接受 由不同意变为同意 用户从不愿意到愿意 没收到货也接受 用户同意了，没有问题
        是，起初部分接受，最后完全接受 不是不同意 用户并没有不接受 用户从未反对 他说可以理解，同意了 无，用户接受了补发 用户默许了客服的安排 用户只好等待 用户不满，但表示只能等
        没有进一步异议 用户表示知道了，未提出进一步异议 用户未再提出异议 用户接受方案，暂时没有其他问题 用户考虑到时间，接受了
        不确定是否接受，后来同意了 未明确是否接受，但最后接受了""",
    False: """否 不 不是 没有 No false ０ Ｎ × 用户不可能接受 用户绝不可能同意 不接受 未接受 拒绝 不认可 不同意 用户不接受 用户没有接受 用户未接受客服方案 用户拒绝了补发 并不认可
        用户不同意换货 未采纳 用户没有采纳客服的建议 用户不太接受 不太能接受 不能接受 不肯接受 不愿接受 不想接受 用户不打算接受 无法接受 难以接受
        很难接受 接受不了 用户实在接受不了 谈不上接受 用户表示无法接受 用户从未接受 用户绝不接受 怎么可能接受 用户怎么能接受 岂能接受 拒不接受 拒绝接受
        否，用户坚持退款 否，用户不认可 不，用户拒绝了 用户不认可客服的方案 起初同意，后来又拒绝了 一开始接受，最后反悔了 本来同意，之后改变主意 一开始同意，但拒绝了 用户同意了。后来，用户拒绝了
        用户从不接受 用户从接受到拒绝 用户从不同意到货后再付 由同意变为不同意 用户不愿意等待 并没有接受 客服解释后，用户仍不接受 虽然客服道歉，但用户不接受 客服同意补偿，但用户拒绝 客服接受了投诉，用户不同意
        用户对方案不满意 用户对方案不满 用户坚持退款 用户要求投诉 用户不领情 问题未解决 用户不愿意 没有对方案表示认可时就被用户拒绝
        用户没收到货因此不同意 不管怎么解释用户都不同意 同意× 是否接受：否 【是否接受】否 【是否接受】否，用户要求退款 【未接受】用户要退款 用户是否接受：不接受 用户坚决反对 用户提出异议 用户并未同意 未被用户接受
        不接受：用户认为太慢 用户不接受：太慢 未接受：用户要求退款 拒绝方案：太慢 由接受变为拒绝 用户表示不行 用户等不及，要求退款 用户不想等了 用户不愿等待
        方案未获用户接受 未获认可 方案没有得到用户认可 双方未达成一致 协商未果 完全不接受 用户完全没有接受
        rejected not_accepted 用户先同意，后来拒绝 用户非常不认可 用户感谢客服，但不接受 他很客气，不过拒绝了""",
    None: """未明确 未提及 不确定 未知 无 不详 是否接受 用户是否接受 接受与否不明 用户未表态 无法判断 用户未明确表示是否接受 用户没有明确接受 用户未明确拒绝
        可能接受 似乎接受了 好像同意了 或许会接受 用户大概是同意的 未必接受 不一定接受 暂未接受 尚未接受 还没接受 用户还没有接受 暂未回复 用户没有回应
        要先拿到赔偿才同意 先退款才肯和解 补发以后才会接受 部分接受 用户只是部分认可 不完全接受 不置可否 客服接受了投诉 客服同意退款 客服同意退款，用户未回应 客服拒绝了 商家不同意退货 平台同意赔付
        客服建议用户接受换货 客服希望用户同意 客服劝用户接受 客服提供方案，并同意退差价 如果今天能到就接受 若能退运费，用户就同意
        只要补发就接受 用户询问了发票 N/A 未表示接受 没有表示接受 用户未说明是否接受 没有提及用户是否接受 用户考虑一下 用户说再想想 用户有些犹豫
        既没有接受也没有拒绝 未接受也未拒绝 未接受或拒绝 没有明确拒绝，也没有接受 尚未接受，也未拒绝 用户接受退货，但拒绝承担运费 同意换货，但不接受等待
        用户并非完全接受 用户没有全部接受 用户并未明确同意或拒绝 用户只接受退款 用户仅接受部分方案 表面接受 用户有条件地接受 用户倾向于接受 应该接受了 接受：未明确
        是否接受：用户询问物流 用户说好的时间没到
        用户接受了没有 用户接受了没有？ 用户同意没有，不详 用户接受了没 用户接受有没有 接受程度低 接受意愿较低 接受程度不高
        是，部分接受 否，部分接受 是，用户部分接受了方案 是，不完全接受 是，但用户拒绝 是，用户不接受 否，用户接受了 不是不接受，而是想再考虑 用户接受吗 用户接受了吗？ 用户询问能否退货 用户没有感谢 同意书已寄出
        用户询问解决方案 用户不需要其他帮助 用户尝试了仍无法登录 用户询问拒收流程 先接受，后来又犹豫了 ， 。 …… 是否
        用户表示感谢，未明确是否接受 用户表示知道了，但未明确表示是否接受 用户感谢客服，不确定是否接受 无法判断是否接受，用户表示理解
        无，客服未提供方案 无（未提供方案） 用户表示好的，是否接受未知 用户同意换货，但未说明是否接受运费自理""",
}
NEGATIVE = {
    True: """是 有 Yes true １ 不满 不满意 负面 消极 愤怒 用户不满 略有不满 轻微不满 稍有不满 有些着急 有点不耐烦 用户有负面情绪 存在负面情绪
        带有负面情绪 用户表现出明显的不满 用户显得焦急 感到着急 感到失望 感到委屈 用户很生气 用户非常生气 非常不满 十分愤怒 无比愤怒 极其不满 情绪激动
        言辞激烈 语气强硬 态度恶劣 语气不耐烦 语气不友好 情绪不稳定 情绪不太稳定 情绪不佳 情绪不太好 用户不高兴 不太高兴 不是很满意 不怎么满意 不够满意
        并不满意 没有耐心 很不开心 并非没有不满 不是没有不满 不是不生气 不无不满 没有不抱怨的 虽然没有投诉但是很不满 没有投诉，但语气不满 没有不满，只是有些着急
        有，用户抱怨物流慢 是，用户多次催促并抱怨 有，但不严重 是的，用户情绪激动 用户威胁要投诉 用户投诉了商家 用户要投诉 用户讽刺客服 用户阴阳怪气
        对服务感到失望 用户对客服表示不满 用户对客服的态度表示不满 用户抱怨客服不处理 用户指责客服态度恶劣 客服道歉，但用户依然不满 开始很生气，后来平静下来
        开始有些着急，最后表示感谢 起初抱怨，最终满意 没收到货很生气 没使用就坏了很生气 没有收到货，用户很着急 用户没有等到回复所以抱怨 用户不在家很生气 商品不对很生气
        没有发货，用户失望 不停抱怨 不断抱怨 忍不住抱怨 不禁抱怨 不得不投诉 不仅抱怨还威胁 不但生气，还骂人 不止一次投诉 毫不掩饰不满 毫不客气地指责
        无论如何都很不满 用户无缘无故生气 难免不满 不免失望 情绪波动较大 用户闹情绪 怎么会满意 难道不生气吗 怎能不生气 无奈 用户感到无奈 反感 受不了了 崩溃
        有一点 有一些 略有 用户很急 用户比较急 略显急切 语气急促 语气生硬 用户发脾气 情绪低落 体验不佳 用户说再也不买了 用户满意度较低
        不能说没有不满 不满不明显，但后来抱怨 negative angry 用户情绪：愤怒 负面情绪：有 是否负面情绪：是 【负面情绪】是 【情绪激动】用户要求尽快 【负面情绪】用户多次催促 负面：有 负面：物流太慢 用户不满、着急 客服语气平和，用户却很生气 没有得到满意的答复，用户不满 用户感谢客服，但很失望
        用户和家人都很恼火 用户从不满到满意 用户情绪从平静到愤怒 用户投诉低价诱导 用户不满快递没有送到 用户抱怨质量低 用户从没有不满到投诉 用户抱怨一直没到 有不良情绪 用户吐槽物流太慢 用户言语粗俗 用户使用了侮辱性词汇 用户火冒三丈
        用户情绪低沉 用户询问如何投诉，语气强硬
        没有给用户满意的答复 用户对物流不满意 用户有负面的情绪 用户心情不好 用户虽有不满但未发火 情绪由不满转为平静""",
    False: """无/平静 无、平和 没有/满意 不满程度0/10 0次抱怨 愤怒（无） 不满：未体现 B（否）
        否 无 没有 没 No false ０ none 正面 积极 中性 平静 平和 满意 正常 无负面情绪 没有负面情绪 无明显负面情绪 没有明显的负面情绪
        用户没有表现出负面情绪 用户没有表现出任何负面情绪 用户未表现出负面情绪 未流露不满 未表达不满 没有表示不满 未见明显不满 未见负面情绪 看不出不满
        没有任何不满 没有丝毫不满 没有不满 没有什么不满 并没有不满 用户并没有不耐烦 并不生气 不生气 不着急 没有生气 不是不满意 并非不满意 不是不满
        毫无怨言 没有怨言 没有不满或抱怨 没有不满和抱怨 没有生气、不满或投诉 没有抱怨、投诉 没有任何负面或不满的情绪 没有不满，也没有抱怨 没有抱怨也没有投诉
        既没有生气也没有抱怨 从未抱怨 不再生气 没有因为快递慢而生气 用户没有因此不满 没有对客服的态度表示不满 没有对物流延误表现出不满 没有向客服抱怨
        情绪稳定 情绪平稳 情绪平和 情绪较为平静 语气平和 语气友好 语气平静 态度友好 态度良好 全程礼貌 用户礼貌 用户感到满意 用户很满意 用户表示感谢
        用户表示理解 整体积极 没有生气，很满意 否，用户语气友好 否，用户没有不满 无，用户情绪平稳 没有，用户比较平静 否。用户全程客气 无负面
        不存在负面情绪 未发现任何不满 未察觉到不满 没有流露出不满情绪 没有情绪波动 没有情绪激动 没有闹情绪 没有任何情绪 没有情绪
        客服态度恶劣，用户情绪稳定 客服不耐烦，用户语气平和 客服表示抱歉，用户没有负面情绪 用户咨询投诉电话，语气平和 用户询问投诉流程，情绪稳定
        用户情绪平稳，如果没解决会再联系 用户情绪稳定，并询问是否可以投诉 用户耐心等待 用户情绪：平静 负面情绪：无 是否负面情绪：否 【负面情绪】否 负面：无 neutral positive calm
        负面情绪不明显 不满情绪并不明显 负面情绪不存在 不明显 没有表现出来 未表现 未发现 并没有 不存在 无明显 几乎没有 基本没有 没多少 几乎没有不满 用户没有发脾气 用户不急
        负面情绪× 不满情绪没有出现 不满并未流露出来 没有负面情绪：用户只是询问 无负面情绪：仅咨询 不能说不满 用户不明显不满
        用户对商品不太了解，情绪平和 用户没有提供照片，语气友好 没有表达出强烈的不满 没有出现负面情绪 用户未有不满 没有不良情绪 没有进一步的不满 用户没什么情绪，只是询问尺码 用户心平气和 用户没有使用侮辱性词汇
        用户询问如何投诉，语气平和 用户情绪无波动 情绪没有明显波动 情绪波动不大 无不满 无抱怨 无明显不满情绪
        暂无负面情绪 没有使用过激的言辞，语气平和 用户不急，态度友好 缺乏不满的迹象 没有明显情绪 用户没有表达对物流的不满 用户未因延迟而投诉 网络不稳定，用户语气平和""",
    None: """未明确 不确定 未知 未提及 不详 无法判断 是否负面情绪 是否有负面情绪 可能不满 可能有些不满 似乎不满 似有不满 用户问怎么投诉商家 疑似不满 似乎没有不满 好像有点着急
        或许有些失望 用户未明确表示不满 未明确表达负面情绪 无法确定用户是否不满 没有提及负面情绪 看不出是否不满 不清楚用户有没有生气 用户询问了物流
        用户急需商品 用户要求加急 满意不明显 用户咨询发票 用户多次询问进度 客服很耐心 客服态度友好 客服很生气 N/A 是，用户没有不满 否，用户很生气 如果再不发货就投诉 除非退款，否则投诉
        若不处理，用户会投诉 没有感谢 没有正面情绪 商品无法正常使用 用户说衣服不好看 用户说不好意思 网络不稳定 情绪平稳，可能有些不满 用户生气吗 是否
        用户生气了没有 用户生气了没有？ 不满有没有 负面情绪程度低 负面情绪程度较低 不满程度不高，但客服未处理 负面情绪低""",
}
CASES = [
    (verdict_of, text.replace("_", " "), verdict)
    for verdict_of, table in ((accepted_of, ACCEPTED), (negative_sentiment_of, NEGATIVE))
    for verdict, texts in table.items()
    for text in texts.split()
]
SPACED = [
    (accepted_of, "The user did not accept the plan.", False),
    (accepted_of, "Yes, the user agreed.", True),
    (accepted_of, "No, the user refused", False),
    (accepted_of, "The agent accepted the request.", None),
    (accepted_of, "maybe accepted", None),
    (accepted_of, "The user did not actually accept", False),
    (accepted_of, "The user hasn't accepted it", False),
    (accepted_of, "unwilling to accept", False),
    (accepted_of, "The user disagreed", False),
    (accepted_of, "accept: no", False),
    (accepted_of, "not fully accepted", None),
    (accepted_of, "No clear acceptance", None),
    (accepted_of, "The user did not clearly accept or reject", None),
    (accepted_of, "Not accepted at first, but finally agreed", True),
    (negative_sentiment_of, "The user did not show any negative emotion.", False),
    (negative_sentiment_of, "no negative sentiment", False),
    (negative_sentiment_of, "The user was frustrated", True),
    (negative_sentiment_of, "yes: angry about the delay", True),
    (negative_sentiment_of, "a notice was sent", None),
    (negative_sentiment_of, "negative: no", False),
    (negative_sentiment_of, "Not obviously negative", False),
    (negative_sentiment_of, "The customer showed no signs of anger", False),
    (accepted_of, "顾客不接受维修也不接受换货", False),
    (negative_sentiment_of, "anger: no; disappointment: yes", True),
    (negative_sentiment_of, "negative=false", False),
    (accepted_of, "accepted=false", False),
    (accepted_of, "是否接受 = 是", True),
    (negative_sentiment_of, "愤怒：否，失望：是", True),
    (negative_sentiment_of, "焦急：无；抱怨：没有", False),
    (negative_sentiment_of, "情绪：平和；不满：无", False),
    (negative_sentiment_of, "The user was not particularly satisfied", True),
    (negative_sentiment_of, "The user seemed angry", None),
]
YES = ["接受", "同意", "认可", "采纳", "赞同"]
UPSET = ["生气", "不满", "抱怨", "失望", "着急", "愤怒", "投诉", "急躁"]
PREFIXES = ["", "用户", "该用户", "经过沟通，用户", "客服提供了方案，用户", "在本次对话中，用户", "总的来说，用户"]
SUFFIXES = ["", "。", "，对话结束", "，随后结束了会话", "（见上文）", "！"]


@pytest.mark.parametrize(("verdict_of", "text", "verdict"), [*CASES, *SPACED])
def test_verdicts_are_what_a_careful_human_says(verdict_of, text, verdict):
    assert verdict_of(text) is verdict


@pytest.mark.parametrize(("verdict_of", "text", "verdict"), CASES)
def test_verdicts_do_not_depend_on_dress(verdict_of, text, verdict):
    for dressed in (
        f"  「{text}」。 ",
        f"**{text}**",
        f"\ufeff{text}\u200b",
        "\u3000".join(text) if not text.isascii() else text,
        unicodedata.normalize("NFKC", text),
        text.translate({code: code + 0xFEE0 for code in range(0x21, 0x7F)}),
    ):
        assert verdict_of(dressed) is verdict, dressed


@pytest.mark.parametrize("called", ["款式名为“怒海”", "用户咨询《怒海》", "用户咨询“怒海”公仔"])
def test_a_product_or_title_called_after_a_mood_is_none(called):
    assert negative_sentiment_of(f"{called}，语气平和") is False


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_verdicts_do_not_depend_on_neutral_words_around(prefix, suffix):
    for word in YES:
        assert accepted_of(f"{prefix}{word}了方案{suffix}") is True
        assert accepted_of(f"{prefix}没有{word}方案{suffix}") is False
        assert accepted_of(f"{prefix}可能{word}方案{suffix}") is None
    for word in UPSET:
        assert negative_sentiment_of(f"{prefix}有些{word}{suffix}") is True
        assert negative_sentiment_of(f"{prefix}没有表现出{word}{suffix}") is False
        assert negative_sentiment_of(f"{prefix}似乎{word}{suffix}") is None


@pytest.mark.parametrize("chain", [["并非", "没有"], ["没有", "不是"], ["绝非", "并没有"]])
@pytest.mark.parametrize("count", range(6))
def test_verdicts_turn_around_with_every_negation(chain, count):
    negations = "".join((chain * 3)[:count])
    for word in YES:
        assert accepted_of(f"用户{negations}{word}该方案") is (count % 2 == 0)
    for word in UPSET:
        assert negative_sentiment_of(f"用户{negations}{word}") is (count % 2 == 0)


@settings(deadline=None)
@given(st.lists(st.sampled_from(["接受", "拒绝", "不同意", "认可", "并非不接受"]), min_size=1, max_size=5))
def test_accepted_of_is_where_the_user_ends(steps):
    told = "，".join(f"后来用户{step}了" for step in steps)
    assert accepted_of(told) is accepted_of(steps[-1])


@settings(deadline=None)
@given(st.lists(st.sampled_from(["情绪稳定", "没有抱怨", "语气平和", "有些着急", "很生气", "表示感谢"]), min_size=1))
def test_negative_sentiment_of_counts_what_was_ever_shown(moods):
    told = "，".join(f"用户{mood}" for mood in moods)
    assert negative_sentiment_of(told) is any(negative_sentiment_of(mood) for mood in moods)


@pytest.mark.parametrize("lead", ["是", "否", "有", "没有", "Yes", "no"])
def test_verdicts_take_the_lead_and_doubt_what_contradicts_it(lead):
    said = lead in ("是", "有", "Yes")
    for verdict_of, yes, no in (
        (accepted_of, "用户接受", "用户拒绝"),
        (negative_sentiment_of, "用户很生气", "用户很平静"),
    ):
        assert verdict_of(f"{lead}，用户询问了物流") is said
        assert verdict_of(f"{lead}，{yes if said else no}") is said
        assert verdict_of(f"{lead}，{no if said else yes}") is None


@settings(deadline=None)
@given(
    st.text(alphabet="不没未非无接受拒绝满意生气用户客服是否可能后来但，。、？ a（", max_size=60) | st.text(max_size=60)
)
def test_verdicts_of_anything_are_true_false_or_none(text):
    for verdict_of in (accepted_of, negative_sentiment_of):
        assert verdict_of(text) in (True, False, None)
        assert verdict_of(f"\u3000{text}\n") is verdict_of(text)


@pytest.mark.parametrize("verdict_of", [accepted_of, negative_sentiment_of])
@pytest.mark.parametrize("unit", ["不", "接受", "不满", "，", "是", "x", " ", "没有，", "如果", "：", "“"])
def test_verdicts_read_a_page_of_a_megabyte(verdict_of, unit):
    page = unit * (2_000 // len(unit)) + " " * (2_000 % len(unit))
    assert verdict_of(page + "，后来用户不满，拒绝了" * 100_000) is verdict_of(page)
