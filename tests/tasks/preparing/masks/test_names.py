import pytest

from tasks.preparing.masking import mask
from tasks.preparing.masks.tables import TITLES

WORDS = """
收件人 收货人 收货方 收方 寄件人 寄人 发件人 寄方 联系人 联络人 签收人 取件人 提货人 持卡人 开户人 户主 户名 购买人 购货人 订购人 订货人 下单人 付款人
收款人 投保人 被保人 申请人 经办人 负责人 使用人 旅客 乘客 客人 入住人 预订人 报修人 委托人 真实姓名 抬头 收货姓名 客户名称 会员姓名 姓名 大名 全名 本名
"""


@pytest.mark.parametrize("word", WORDS.split())
def test_each_word_in_front_of_a_name_is_looked_at(word):
    assert mask(f"{word}：王建国，谢谢") == f"{word}：[姓名]，谢谢"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("改名字，改成王建国", "改名字，改成[姓名]"),
        ("快递写王建国收", "快递写[姓名]收"),
        ("帮忙改成王建国收", "帮忙改成[姓名]收"),
        ("学生证名字是魏银优", "学生证名字是[姓名]"),
        ("曾经理在吗", "[姓名]经理在吗"),
        ("派件员吴大宝 13912345678", "派件员[姓名] [手机号]"),
        ("寄给何益，13912345678", "寄给[姓名]，[手机号]"),
        ("收货人：夏天", "收货人：[姓名]"),
        ("由宁国富（13912345678）派送", "由[姓名]（[手机号]）派送"),
        ("夏天到了", "夏天到了"),
        ("曾经买过", "曾经买过"),
        ("名字写错了", "名字写错了"),
        ("改名字", "改名字"),
    ],
)
def test_a_name_that_is_changed_or_written_on_a_parcel(text, masked):
    assert mask(text) == masked


@pytest.mark.parametrize("title", TITLES)
def test_each_title_is_looked_at_behind_a_surname(title):
    assert mask(f"麻烦转告魏{title}") == f"麻烦转告[姓名]{title}"


@pytest.mark.parametrize("title", ["总", "工", "姐", "叔"])
def test_a_short_title_is_weighed_with_its_neighbors(title):
    assert mask(f"请联系魏{title}，今天在") == f"请联系[姓名]{title}，今天在"
