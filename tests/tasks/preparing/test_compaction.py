import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.domain.records import Turn
from tasks.preparing.compaction import AGENT_RULES, compact, tidy

PIECES = st.sampled_from(
    [
        "您好",
        "亲",
        "，",
        "。",
        " ",
        "请稍等一下哦",
        "还有其他问题吗",
        "给个好评吧",
        "祝您生活愉快",
        "耳机明天发货",
        "不行",
        "好的",
        "谢谢",
        "？",
    ]
)
TURNS = st.lists(
    st.builds(Turn, st.sampled_from(["user", "agent"]), st.lists(PIECES, max_size=8).map("".join)),
    min_size=1,
    max_size=8,
).map(tuple)


def agent(text: str) -> str:
    """The rest of an agent's message after compaction, beside a substantial one."""
    kept = compact((Turn("user", "问一下"), Turn("agent", "颜色有黑白两种"), Turn("agent", text)))
    return "".join(turn.text for turn in kept[2:])


def user(text: str) -> str:
    kept = compact((Turn("user", text), Turn("agent", "颜色有黑白两种")))
    return kept[0].text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("您好，很高兴为您服务！", ""),
        ("亲爱的顾客，耳机今天下午发出", "耳机今天下午发出"),
        ("请问有什么可以帮您的呢？", ""),
        ("麻烦您稍等一下哈", "请稍等"),
        ("请您稍等，马上为您查询哦~", "请稍等"),
        ("请问您还有其他需要帮助的吗？", "还有其他问题吗？"),
        ("辛苦您对小妹的服务做出评价哦", "请评价"),
        ("感谢您的支持，祝您购物愉快，再见！", ""),
        ("已经为您登记换货。感谢您的支持，祝您购物愉快", "已经为您登记换货。"),
        ("好的呢(^_^)已备注白色", "好的呢 已备注白色"),
    ],
)
def test_compact_takes_boilerplate_from_the_agent(text, expected):
    assert agent(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "建议您申请换货",
        "不能修改地址",
        "好的",
        "可以的",
        "这款支持降噪，续航8小时",
        "请您提供订单截图",
        "您的快递明天到",
        "退款预计3天到账，请留意",
        "抱歉，评价后不能修改订单",
        "请问您要几件呢？",
        "祝您退货顺利",
    ],
)
def test_compact_keeps_what_an_agent_says(text):
    assert agent(text) == text


def test_compact_drops_a_sentence_that_the_agent_said_before_but_not_a_repeated_clause():
    turns = (
        Turn("user", "怎么退"),
        Turn("agent", "如果三天内没有收到，可以申请退款。"),
        Turn("user", "在哪里申请"),
        Turn("agent", "如果三天内没有收到，可以申请退款。在订单页面里操作。"),
        Turn("agent", "如果三天内没有收到，请联系站点。"),
    )
    assert [turn.text for turn in compact(turns)][3:] == ["在订单页面里操作。", "如果三天内没有收到，请联系站点。"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[订单编号:[订单号]，订单金额:59.90，下单时间:2026-11-02 10:11:12] 还没到", "[订单卡片] 还没到"),
        ("[订单编号:[订单号]，订单金额:，下单时间:NaN-NaN-NaN NaN:NaN] 还没到", "[订单卡片] 还没到"),
        (
            "顾客通过点击网页咨询按钮信息发送:[订单编号:[订单号]，订单金额:59.90，下单时间:2026-11-02 10:11:12]",
            "[订单卡片]",
        ),
        ("咨询订单号:[订单号] 商品ID:100012 想换个颜色", "[订单卡片] 想换个颜色"),
        ("咨询订单号:[订单号] 商品ID:1 咨询订单号:[订单号] 商品ID:1 在吗", "[订单卡片] 在吗"),
    ],
)
def test_compact_shortens_cards(text, expected):
    assert user(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "好的",
        "谢谢",
        "不行",
        "您好",
        "没有了，谢谢",
        "还有其他问题吗",
        "订单号：[订单号] 怎么还没发货",
        "投诉！投诉！投诉！",
        "商品编号是多少",
        "订单号:A1 我要退货 商品ID:2",
        "订单编号:1我要退，下单时间:昨天",
        "顾客通过点击我不同意我要去投诉信息发送：好的同意",
        "我说了顾客通过点击网页咨询按钮信息发送：不同意",
        "顾客通过点击不同意按钮信息发送：好",
    ],
)
def test_compact_leaves_the_users_own_words_alone(text):
    assert user(text) == text


@given(TURNS)
def test_compact_never_silences_a_side_and_keeps_every_word_of_the_user(turns):
    kept = compact(turns)
    assert {turn.role for turn in kept} == {turn.role for turn in turns if turn.text}
    assert [t.text for t in kept if t.role == "user"] == [t.text for t in turns if t.role == "user" and t.text]
    assert sum(len(turn.text) for turn in kept) <= sum(len(turn.text) for turn in turns) + 8 * len(turns)


@given(TURNS)
def test_compact_keeps_what_is_not_boilerplate(turns):
    said = "".join(turn.text for turn in compact(turns))
    assert ("耳机明天发货" in said) == any("耳机明天发货" in turn.text for turn in turns)


@pytest.mark.parametrize(
    "text", ["亲" * 48, "您好请" * 16, "嗯" * 47 + "x", "您请稍耐心" * 9 + "x", "订单号:" * 200_000, "[" * 400_000 + "单",
             "订单号:1 " * 160_000, "(^_" * 240_000, "信息发送顾客通过点击" * 80_000, "您好，" * 240_000]
)  # fmt: skip
@pytest.mark.timeout(100)  # a fraction of a second; quadratic work takes minutes
def test_compact_is_linear(text):
    assert sum(len(turn.text) for turn in compact((Turn("user", text), Turn("agent", text)))) <= 2 * len(text)


def test_agent_rules_say_why():
    assert all(rule.name and rule.why and rule.pattern for rule in AGENT_RULES)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("第一行\n客服：好的", "第一行 客服：好的"),
        (r"第一行\n第二行\t完", "第一行 第二行 完"),
        ("价格&gt;100&nbsp;&amp;包邮", "价格>100 &包邮"),
        ("  两  个\u3000空格\u00a0", "两 个 空格"),
        ("零\u200b宽\ufeff字\x00符\x07", "零宽字符"),
        ("坏\ud83d字", "坏字"),
        ("行\u2028分\u0085隔", "行 分 隔"),
        ("&#10;客服：伪造", "客服：伪造"),
        ("普通的一句话。", "普通的一句话。"),
    ],
)
def test_tidy_makes_one_clean_line(text, expected):
    assert tidy(text) == expected


@given(st.text(alphabet=st.characters(), max_size=100))
def test_tidy_gives_one_encodable_line(text):
    line = tidy(text)
    line.encode()
    assert len(line.splitlines()) <= 1
    assert line == line.strip()
    assert "  " not in line
