import pytest

from tasks.domain.verdicts import accepted_of, negative_sentiment_of

ACCEPTED = {
    True: """是 是的 Yes true １ 接受 已接受 同意 用户接受客服提供的方案，表示耐心等待包裹 用户表示接受 用户同意换货 用户认可该方案
        并非不接受 不是不接受 用户并没有拒绝 没有异议 一开始不接受，后来接受了 起初拒绝，最后同意了退差价 勉强接受 无奈接受 是，用户表示感谢
        用户虽然不高兴，但同意等待 用户愿意再等两天 用户感谢客服并接受 基本接受 用户对方案表示满意 “是” 「接受」 用户接受了客服的道歉和方案
        客服提出补发，用户同意 用户没有反对 用户未拒绝""",
    False: """否 不 No false ０ 不接受 未接受 拒绝 用户不接受 用户没有接受 用户未接受客服方案 用户拒绝了补发 并不认可 用户不同意换货
        否，用户坚持退款 用户不认可客服的方案 用户要求投诉 起初同意，后来又拒绝了 用户不愿意等待 并没有接受 用户对方案不满
        用户表示无法接受 用户不太愿意 客服解释后，用户仍不接受 用户从未接受 用户绝不接受 虽然客服道歉，但用户不接受""",
    None: """未明确 未提及 是否接受 不确定 用户未表态 无法判断 用户未明确表示是否接受 可能接受 客服接受了投诉 暂未回复 用户没有回应
        部分接受 N/A 是，但用户拒绝 用户说考虑一下 如果今天能到就接受 用户询问了发票 好像同意了""",
}
NEGATIVE = {
    True: """是 有 Yes true 不满意 用户不满 略有不满 轻微不满 用户有负面情绪 用户表现出明显的不满 感到着急 用户很生气 并非没有不满
        虽然没有投诉但是很不满 有，用户抱怨物流慢 用户威胁要投诉 不耐烦 用户对服务感到失望 开始很生气，后来平静下来 情绪不稳定 用户不高兴
        用户语气不友好 是的，用户情绪激动 用户讽刺客服""",
    False: """否 无 没有 No false 用户没有表现出负面情绪 没有不满 并不生气 情绪稳定 情绪平和 语气平静 毫无怨言 没有不满或抱怨 用户感到满意
        未表现出负面情绪 未见明显不满 不是不满意 用户礼貌 用户无负面情绪 否，用户语气友好 不存在负面情绪 用户没有生气、抱怨
        未发现任何不满 用户表示感谢 用户并没有不耐烦 整体积极""",
    None: """未明确 不确定 无法判断 可能不满 未提及 是否负面情绪 疑似不满 用户询问了物流 客服很耐心 N/A 是，用户没有不满""",
}


def cases(table: dict[bool | None, str]) -> list[tuple[str, bool | None]]:
    return [(text, verdict) for verdict, texts in table.items() for text in texts.split()]


@pytest.mark.parametrize(("text", "verdict"), cases(ACCEPTED))
def test_accepted_of_reads_as_a_careful_human(text, verdict):
    assert accepted_of(text) is verdict


@pytest.mark.parametrize(("text", "verdict"), cases(NEGATIVE))
def test_negative_sentiment_of_reads_as_a_careful_human(text, verdict):
    assert negative_sentiment_of(text) is verdict


@pytest.mark.parametrize(("text", "verdict"), cases(ACCEPTED))
def test_accepted_of_does_not_depend_on_dress(text, verdict):
    assert accepted_of(f"  「{text}」。 ") is verdict
    assert accepted_of(f"**{text}**") is verdict


@pytest.mark.parametrize("word", ["接受", "同意", "认可", "满意"])
@pytest.mark.parametrize("negations", [["并非"], ["不是", "不"], ["并非", "没有", "不"]])
def test_accepted_of_turns_with_every_negation(word, negations):
    assert accepted_of(f"用户{''.join(negations)}{word}") is (len(negations) % 2 == 0)


@pytest.mark.parametrize("word", ["生气", "抱怨", "不满", "失望"])
@pytest.mark.parametrize("negations", [["并没有"], ["并非", "没有"]])
def test_negative_sentiment_of_turns_with_every_negation(word, negations):
    assert negative_sentiment_of(f"用户{''.join(negations)}{word}") is (len(negations) % 2 == 0)


@pytest.mark.parametrize("verdict_of", [accepted_of, negative_sentiment_of])
@pytest.mark.parametrize("unit", ["不", "接受", "不满", "，", "是", "x"])
def test_verdicts_of_a_megabyte_come_at_once(verdict_of, unit):
    verdict_of(unit * 1_000_000)
