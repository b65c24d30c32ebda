"""Addresses of receivers: which service is meant, and secrets that stay secret."""

import pytest

from tasks.delivering.deliver import read_addresses
from tasks.delivering.rules.addresses import Address
from tasks.domain.errors import UsageError


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("https://open.feishu.cn/open-apis/bot/v2/hook/abc", "feishu"),
        ("https://oapi.dingtalk.com/robot/send?access_token=abc", "dingtalk"),
        ("https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=abc", "wecom"),
        ("https://hooks.slack.com/services/T/B/abc", "slack"),
        ("https://events.pagerduty.com/v2/enqueue#abc", "pagerduty"),
        ("http://127.0.0.1:9/on-call", "plain"),
        ("dingtalk+http://127.0.0.1:9/send", "dingtalk"),
        ("smtps://me:abc@smtp.example.com/?from=a@example.com&to=b@example.com", "mail"),
    ],
)
def test_service_is_known_by_its_host_or_by_name(text, form):
    (found,) = read_addresses(text)
    assert found.form == form
    assert "abc" not in repr(found)
    assert "abc" not in found.place


def test_several_are_separated_by_blanks_and_a_secret_stands_behind_the_mark():
    assert read_addresses(" https://a.example/1 \n feishu+https://b.example/2#key ") == [
        Address("plain", "https://a.example/1"),
        Address("feishu", "https://b.example/2", "key"),
    ]
    assert read_addresses("") == []


@pytest.mark.parametrize(
    "text", ["example.com/abc", "ftp://example.com/abc", "nosuch+https://x/abc", "smtp://me:abc@h/"]
)
def test_what_can_not_be_is_refused_without_being_repeated(text):
    with pytest.raises(UsageError) as refused:
        read_addresses(text)
    assert "abc" not in str(refused.value)


def test_a_receivers_words_are_told_without_the_secrets_of_its_address():
    address = Address(
        "plain", "https://user:pass%2Bword@example.com/hook/aaaabbbbcccc?key=ddddeeeeffff", "gggghhhhiiii"
    )
    told = "HTTP 404: no hook aaaabbbbcccc for ddddeeeeffff, gggghhhhiiii"
    assert address.without_secrets(told) == "HTTP 404: no hook … for …, …"
