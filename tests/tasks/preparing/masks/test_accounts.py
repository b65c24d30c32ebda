"""Names of accounts in apps, behind a word for them."""

import pytest

from tasks.preparing.masking import mask


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("抖音号mm_2288x下的单", "抖音号[账号]下的单"),
        ("我的用户名是mmlin88", "我的用户名是[账号]"),
        ("旺旺ID 小海豚2266", "旺旺ID [账号]"),
        ("淘宝账号mia爱喝茶88", "淘宝账号[账号]"),
        ("line id: mia_77", "line id: [账号]"),
        ("ig mia.lin", "ig [账号]"),
        ("my account is mia_77", "my account is [账号]"),
        ("B站uid 330912877", "B站uid [账号]"),
        ("微博 @mia_lin", "微博 @[账号]"),
        ("抖音：mia2288", "抖音：[账号]"),
        ("闲鱼号mia2288", "闲鱼号[账号]"),
        ("网名：一朵云", "网名：[姓名]"),
        ("账号13800138000登不上", "账号[手机号]登不上"),
    ],
)
def test_what_a_word_for_an_account_announces(text, masked):
    assert mask(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "京东plus会员",
        "账号是iPhone15登录的",
        "昵称叫什么好",
        "用户名怎么改",
        "88vip账号",
        "ins风窗帘",
        "小红书看到的",
        "your account is overdue",
        "the line is busy",
    ],
)
def test_what_only_speaks_of_accounts_stays(text):
    assert mask(text) == text
