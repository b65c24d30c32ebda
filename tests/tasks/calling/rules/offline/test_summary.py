"""Invented dialogues, labelled by a human reading: `用>` the user, `客>` the agent, turns separated by `|`."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.calling.rules.offline.summary import summarize_offline
from tasks.domain.records import Turn

YES, NO, UNCLEAR = "是", "否", "未明确"

# dialogue, words of the issue, words of the plan ("" where there is none), accepted, negative mood
CLEAR = [
    ("用>你好|客>您好|用>耳机左边没声音怎么办|客>建议您申请换货，三天内寄出新的。|用>好的，谢谢", "耳机左边没声音怎么办", "建议您申请换货", YES, NO),
    ("用>能改收货地址吗|客>订单已经发出，无法修改地址。|用>那算了", "能改收货地址吗", "无法修改地址", NO, UNCLEAR),
    ("用>快递三天没动了|客>已为您联系物流催促，预计明天送达。|用>行吧", "快递三天没动了", "预计明天送达", YES, NO),
    ("用>这个手机壳适合哪个型号|客>适合十五系列的全部型号。|用>知道了", "这个手机壳适合哪个型号", "适合十五系列", YES, NO),
    ("用>我要退货|客>您可以在订单页点击申请售后，我们上门取件。|用>嗯嗯", "我要退货", "申请售后", YES, NO),
    ("用>发票开错了抬头|客>可以帮您重新开具，三个工作日发到邮箱。|用>好，谢谢", "发票开错了抬头", "重新开具", YES, NO),
    ("用>你们太垃圾了，冰箱送来就是坏的|客>非常抱歉，已为您登记换货。|用>我要投诉", "冰箱送来就是坏的", "登记换货", NO, YES),
    ("用>骗子！说好的赠品呢|客>可以为您补发赠品，预计周五到。|用>好吧", "说好的赠品呢", "补发赠品", YES, YES),
    ("用>降价了能补差价吗|客>可以为您申请价格保护，差价退到原支付账户。|用>谢谢", "降价了能补差价吗", "申请价格保护", YES, NO),
    ("用>洗衣机怎么预约安装|客>厂家会在两天内电话联系您预约安装时间。|用>明白了", "洗衣机怎么预约安装", "预约安装时间", YES, NO),
    ("用>客服|用>我的优惠券用不了|客>这张券仅支持自营商品，不能用于第三方。|用>哦 知道了", "我的优惠券用不了", "不能用于第三方", YES, NO),
    ("用>少发了一件衣服|客>给您补发一件可以吗？|用>可以", "少发了一件衣服", "补发一件", YES, NO),
    ("用>少发了一件衣服|客>给您补发一件可以吗？|用>不行，我要退款", "少发了一件衣服", "补发一件", NO, UNCLEAR),
    ("用>怎么取消订单|客>在我的订单里点击取消即可。|用>不用了，我再看看", "怎么取消订单", "点击取消", NO, UNCLEAR),
    ("用>还没收到退款|客>退款预计三个工作日到账。|用>还要等三天啊", "还没收到退款", "预计三个工作日到账", UNCLEAR, YES),
    ("用>电视屏幕有裂痕|客>麻烦您拍照上传，售后会在一天内审核。", "电视屏幕有裂痕", "一天内审核", UNCLEAR, UNCLEAR),
    ("用>转人工|用>会员费怎么退|客>为您申请退还本月会员费。|用>没问题", "会员费怎么退", "退还本月会员费", YES, NO),
    ("用>等了一周还没到，怎么还不发货|客>已帮您催促仓库，今晚发出。|用>哦", "怎么还不发货", "催促仓库", UNCLEAR, YES),
    ("用>态度太差了，你们客服不讲理|客>很抱歉，给您反馈主管核实。|用>我不接受", "态度太差了", "反馈主管核实", NO, YES),
    ("用>不着急，帮我看看什么时候到|客>预计后天下午送达。|用>好的", "帮我看看什么时候到", "预计后天下午送达", YES, NO),
    ("用>我没有生气，只是想问怎么换尺码|客>您可以申请换货，选择新的尺码。|用>好嘞", "怎么换尺码", "申请换货", YES, NO),
    ("用>并非不满意，想换个颜色|客>支持七天内换货，请您提交申请。|用>谢谢您", "想换个颜色", "换货", YES, NO),
    ("用>密码忘了登不上|客>已发送验证链接，请您点击链接重设。|用>弄好了", "密码忘了登不上", "点击链接重设", YES, NO),
    ("用>打印机卡纸怎么修|客>建议您先断电，再取出纸盒。|用>试了没用", "打印机卡纸怎么修", "建议您先断电", NO, UNCLEAR),
    ("用>空调漏水！！！|客>帮您安排师傅明天上门维修。|用>太慢了", "空调漏水", "上门维修", NO, YES),
    ("用>有没有货|客>目前没货，建议您点击到货提醒。|用>嗯", "有没有货", "到货提醒", YES, NO),
    ("用>保修多久|客>整机保修一年，主要部件三年。|用>收到", "保修多久", "保修一年", YES, NO),
    ("用>买贵了|客>这款不支持价格保护。|用>凭什么不支持", "买贵了", "不支持价格保护", NO, YES),
    ("用>订单号：[订单号]，为什么被取消|客>因缺货取消，款项原路退回，预计明天到账。|用>行", "为什么被取消", "预计明天到账", YES, NO),
    ("用>[订单卡片] 这个能开专票吗|客>可以开具，请您上传资质。|用>ok", "这个能开专票吗", "上传资质", YES, NO),
    ("用>牛奶过期了你们怎么回事？？？|客>全额退款并赔偿您十元。|用>好的", "牛奶过期了", "全额退款并赔偿", YES, YES),
    ("用>快递员扔门口丢了，气死我了|客>我们会联系站点核实，一天内回复。|用>那就麻烦你了", "快递员扔门口丢了", "联系站点核实", YES, YES),
    ("用>鞋子开胶|客>可以退货退款，运费由我们承担。|用>同意", "鞋子开胶", "退货退款", YES, NO),
    ("用>怎么充值|客>点击我的钱包选择充值。|用>好的 谢谢|客>还有其他问题吗？|用>没有了", "怎么充值", "选择充值", YES, NO),
    ("用>在吗|客>在的|用>洗发水漏了半瓶|客>给您补偿五元可以吗|用>太少了，不接受", "洗发水漏了半瓶", "补偿五元", NO, UNCLEAR),
    ("用>能便宜点吗|客>活动价已是最低，不能再优惠。|用>那不要了", "能便宜点吗", "不能再优惠", NO, UNCLEAR),
    ("用>手表进水|客>人为进水不支持免费保修，可以付费维修。|用>不合理吧，差评", "手表进水", "付费维修", NO, YES),
    ("用>一直没人管我，到底什么时候处理|客>专员会在两小时内给您回电。|用>我等着", "到底什么时候处理", "两小时内给您回电", UNCLEAR, YES),
    ("用>台灯闪|客>建议您更换灯泡|用>谢谢，解决了", "台灯闪", "更换灯泡", YES, NO),
    ("用>水果烂了一半，恶心|客>为您办理全额退款。|用>可以的", "水果烂了一半", "全额退款", YES, YES),
    ("用>书脊破损|客>给您换一本新的，请您申请换货。|用>还是不想换", "书脊破损", "换一本新的", NO, UNCLEAR),
    ("用>今天能到吗今天能到吗|客>预计今晚八点前送达|用>辛苦了", "今天能到吗", "今晚八点前送达", YES, NO),
    ("用>我要找人工|客>您好|用>被多扣了一次款|客>已核实，多扣的钱会在今天退回。|用>太好了，感谢", "被多扣了一次款", "今天退回", YES, NO),
    ("用>你们是不是傻，寄错三次了|客>这次给您发顺丰，预计明天到。|用>最好是", "寄错三次了", "预计明天到", UNCLEAR, YES),
]  # fmt: skip

# What a human would say otherwise; here so that nobody takes the rules for more than they are.
MISREAD = [
    ("用>你们效率真高，半个月才走了二十公里|客>给您催促。|用>好的好的，你们慢慢来", YES, NO),  # irony
    ("用>能退吗|客>可以退货。|用>谢谢|用>还是留着吧", YES, NO),  # thanks for something not taken
]


def turns_of(dialogue: str) -> tuple[Turn, ...]:
    return tuple(
        Turn("user" if part.startswith("用>") else "agent", part.split(">", 1)[1]) for part in dialogue.split("|")
    )


def summary(dialogue: str) -> dict[str, str]:
    found: dict[str, str] = orjson.loads(summarize_offline(turns_of(dialogue)))
    return found


@pytest.mark.parametrize(("dialogue", "issue", "plan", "accepted", "negative"), CLEAR)
def test_summarize_offline_reads_clear_dialogues(dialogue, issue, plan, accepted, negative):
    found = summary(dialogue)
    assert issue in found["用户问题"]
    assert plan in found["客服方案"]
    assert (found["是否接受"], found["是否负面情绪"]) == (accepted, negative)


@pytest.mark.parametrize(("dialogue", "accepted", "negative"), MISREAD)
def test_summarize_offline_misreads_what_lies_between_the_lines(dialogue, accepted, negative):
    found = summary(dialogue)
    assert (found["是否接受"], found["是否负面情绪"]) == (accepted, negative)


def test_summarize_offline_gives_the_exact_text_of_an_answer():
    assert summarize_offline(turns_of(CLEAR[0][0])) == (
        '{"用户问题":"耳机左边没声音怎么办","客服方案":"建议您申请换货，三天内寄出新的","是否接受":"是","是否负面情绪":"否"}'
    )


def test_summarize_offline_takes_a_statement_for_the_plan_before_a_question():
    asked = "客>请问您联系安装师傅重新操作点击登记了吗？"
    assert summary(f"用>台灯不亮|{asked}|用>没有|客>给您换货|用>好")["客服方案"] == "给您换货"


@pytest.mark.parametrize(
    ("dialogue", "issue"),
    [
        ("用>催单|客>您好，已为您催促仓库。", "催单"),
        ("用>你好 退货|客>请您在订单里申请售后。", "退货"),
        (
            "用>鞋码买小了，怎么换货|客>可以换货。|用>好的。发票什么时候开？|客>三个工作日内开具。",
            "鞋码买小了，怎么换货；发票什么时候开?",
        ),
        ("用>灯罩碎了，怎么办|客>给您补发。|用>好的，那就补发吧", "灯罩碎了，怎么办"),
        ("用>你好|客>在的|用>[链接] 这款有白色吗|客>有的。", "这款有白色吗"),
        ("用>[订单编号:123，订单金额:5，下单时间:[日期]] 怎么还没发货|客>今天发出。", "怎么还没发货"),
    ],
)
def test_summarize_offline_tells_short_issues_and_several(dialogue, issue):
    assert summary(dialogue)["用户问题"].replace("？", "?") == issue


def test_an_issue_told_in_halves_is_told_whole():
    assert summary("用>发票 能开专票吗|客>能开")["用户问题"] == "发票，能开专票吗"
    assert summary("用>花盆怎么才两天|客>您好|用>今天降价了")["用户问题"] == "花盆怎么才两天，今天降价了"


@pytest.mark.parametrize(
    "filler",
    [
        "咨询个问题",
        "我的问题你们知道吧",
        "还得麻烦一下",
        "我去看一下",
        "真扯淡",
        "之前的亲",
        "急着用呢",
        "查到了没",
        "帮我查一查",
        "服务单号：A1023",
    ],
)
def test_summarize_offline_takes_no_filler_for_an_issue(filler):
    assert summary(f"用>{filler}|客>您请讲|用>台灯的灯罩碎了|客>给您补发。")["用户问题"] == "台灯的灯罩碎了"


@pytest.mark.parametrize(
    "talk",
    [
        "请您稍等，正在为您查询哦",
        "还请您消消气",
        "祝您生活愉快，麻烦您给个评价",
        "请您提供一下订单号",
        "哪里不明白就随时找小店",
        "非常理解您的心情",
        "您真是客气，我该做的",
        "请问还有别的能帮到您的吗",
        "如果方便的话",
        "您是不是已经退货了",
        "店家为什么不给您换货呢亲",
        "亮堂(BRIGHT)落地灯",
        "灯座x1、灯罩x1、螺丝x4",
        "[姓名](Anna)",
        "陶瓷底座小台灯",
        "能不能请您在聊天框里替小店点个赞",
        "如果您对款式已经了解，推荐您自己先拍下",
        "此单是提交的退货",
        "后续有问题可以直接邮件联系我",
    ],
)
def test_summarize_offline_takes_no_small_talk_for_a_plan(talk):
    assert "客服方案" not in summary(f"用>耳机没声音|客>{talk}|用>嗯")
    assert summary(f"用>耳机没声音|客>{talk}。已为您申请换货。|用>嗯")["客服方案"] == "已为您申请换货"


@pytest.mark.parametrize(
    ("dialogue", "accepted"),
    [
        ("用>耳机没声音|客>已为您申请换货。|用>谢谢|客>还有其他问题吗？|用>不用了，谢谢", YES),
        ("用>能改地址吗|客>不能修改，建议您重新下单。|用>那算了|客>还有其他问题吗？|用>没有了，谢谢", UNCLEAR),
        ("用>能改地址吗|客>可以修改，预计晚一天到。|用>那算了|客>也可以联系快递员改。|用>那还是改吧，麻烦了", YES),
        ("用>怎么还没发货|客>预计明天发出。|用>九点下的单，什么速度", NO),
        ("用>怎么还没发货|客>预计明天发出。|客>请稍等|用>你们是机器人吗", UNCLEAR),
    ],
)
def test_summarize_offline_reads_acceptance_by_what_was_asked(dialogue, accepted):
    assert summary(dialogue)["是否接受"] == accepted


@pytest.mark.parametrize(
    "said",
    [
        "这不扯淡嘛",
        "你们态度真的差",
        "整得我头大",
        "这会员有啥用",
        "没一个人管，影响很不好",
        "那我去换别的品牌了",
        "到现在还没寄，上次就说今天寄",
        "连单号都没有，赶紧处理",
    ],
)
def test_summarize_offline_hears_a_complaint(said):
    assert summary(f"用>电风扇不转|客>已为您登记换新，三天内寄出。|用>{said}|用>好的")["是否负面情绪"] == YES


@pytest.mark.parametrize("said", ["我头疼，想买个枕头", "挺有用啊", "当我收到会确认", "第一次见这么耐心的客服"])
def test_summarize_offline_hears_no_complaint_in_everyday_words(said):
    assert summary(f"用>枕头怎么选|客>建议您选乳胶枕。|用>{said}|用>好的，谢谢")["是否负面情绪"] == NO


@pytest.mark.parametrize("said", ["👌", "哦了", "要得", "阔以", "嗯呢", "haode"])
def test_summarize_offline_knows_the_words_of_consent(said):
    assert summary(f"用>电风扇不转|客>已为您登记换新，三天内寄出。|用>{said}")["是否接受"] == YES


@pytest.mark.parametrize(("said", "accepted"), [("那帮我加两个", YES), ("不补了，退钱", NO), ("我找街道去", NO)])
def test_summarize_offline_knows_what_users_do_about_a_plan(said, accepted):
    assert summary(f"用>电风扇不转|客>为您补寄一个零件，三天内到。|用>{said}")["是否接受"] == accepted


def test_summarize_offline_hears_consent_to_a_plan_that_came_with_a_wait():
    assert summary("用>发票寄到哪里|客>好的，稍等，我看一下。请将发票寄到总部大楼。|用>好的")["是否接受"] == YES


def test_summarize_offline_takes_no_product_title_for_a_plan():
    assert "客服方案" not in summary("用>定金能退吗|客>双卡4G手机|用>嗯")
    assert "客服方案" not in summary("用>定金能退吗|客>适用于厨房的垃圾桶 请问是这个商品吗|用>是的")


@pytest.mark.parametrize(
    ("said", "plan"),
    [
        ("这盏灯缺货呢", "这盏灯缺货呢"),  # courteous, no question
        ("您什么时候方便呢", None),
        ("已登记", "已登记"),
        ("真的很抱歉，我们可以为您补发灯罩", "我们可以为您补发灯罩"),
        ("把照片提供给我就可以呢", None),
        ("这边给您换个灯罩吗", "这边给您换个灯罩吗"),  # an offer
    ],
)
def test_summarize_offline_knows_an_answer_by_what_it_says(said, plan):
    assert summary(f"用>台灯什么时候修好|客>在的|用>嗯|客>{said}").get("客服方案") == plan


@pytest.mark.parametrize("talk", ["建议您保持手机畅通哦", "订单上的号码是否可以联系到您"])
def test_summarize_offline_takes_no_request_for_a_plan(talk):
    assert summary(f"用>电风扇不转|客>{talk}|用>好")["是否接受"] == UNCLEAR
    assert summary(f"用>电风扇不转|客>为您登记换新是否可以呢|客>{talk}|用>好")["客服方案"] == "为您登记换新是否可以呢"


def test_summarize_offline_leaves_out_what_was_not_said():
    assert summary("用>你好|客>您好，请问有什么可以帮您？") == {"是否接受": UNCLEAR, "是否负面情绪": UNCLEAR}


@pytest.mark.parametrize(
    ("dialogue", "negative"),
    [
        ("用>吸尘器送修五个月了", YES),  # how long
        ("用>同一张表让我填第四次", YES),  # how often
        ("用>花盆裂了|客>已为您登记|用>登记登记，就知道登记", YES),  # in scorn of the agent's word
        ("用>花盆裂了|客>为您补偿三元|用>当我是要饭的，我去找消保委", YES),  # a threat
        ("用>花盆裂了|客>为您补偿三元|用>我买花盆花了两百", UNCLEAR),  # neither taken nor asked about
        ("用>花盆能放室外吗|客>可以的", UNCLEAR),
        ("用>您好，吸尘器送修五个月了，能帮忙问问吗|客>已为您催促", UNCLEAR),  # how long, politely
        ("用>都几天了|客>您消消气|用>就是花盆的事|客>在催了|用>嗯嗯|客>好的|用>哦", YES),  # the agent hears it
        ("用>请问花盆能放室外吗|客>可以的", NO),
        ("用>来表扬一下，客服昨天给我解决得很好|客>您过奖|用>哪天有活动", NO),
        ("用>你们今天就给我解决|客>在查|用>行不行", YES),
    ],
)
def test_summarize_offline_hears_a_complaint_by_its_parts_and_calm_by_words(dialogue, negative):
    assert summary(dialogue)["是否负面情绪"] == negative


def test_an_unhappy_answer_to_the_plan_is_no_acceptance():
    assert summary("用>花盆裂了|客>为您补偿三元|用>寄来的时候就是裂的")["是否接受"] == UNCLEAR
    assert summary("用>花盆裂了，退钱|客>为您补偿三元|用>三元也好意思说出口")["是否接受"] == NO


@given(st.lists(st.builds(Turn, st.sampled_from(["user", "agent"]), st.text(max_size=40)), max_size=8))
def test_summarize_offline_answers_anything(turns):
    found = orjson.loads(summarize_offline(turns))
    assert found["是否接受"] in (YES, NO, UNCLEAR)
    assert found["是否负面情绪"] in (YES, NO, UNCLEAR)


@pytest.mark.parametrize("piece", ["你好", "请问 ", "好", "不", "建议。", "[", "退", "怎么？", "1", " 一直没"])
@pytest.mark.timeout(100)  # a fraction of a second; quadratic work takes minutes
def test_summarize_offline_is_linear(piece):
    text = piece * (800_000 // len(piece))
    found = orjson.loads(summarize_offline((Turn("user", text), Turn("agent", text), Turn("user", text))))
    assert found["是否负面情绪"] in (YES, NO, UNCLEAR)
