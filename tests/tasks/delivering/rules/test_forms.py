"""Every form as its service documents it, filled in with texts that try to break out of it."""

import base64
import hashlib
import hmac
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.delivering.deliver import load_forms
from tasks.delivering.rules.forms import fill_in, refusal
from tasks.delivering.rules.message import Message

FORMS = load_forms()
NOW = 1_800_000_000.25
FAILED = Message(
    id="state-1",
    about="run-1",
    level="failure",
    title='摘要 2026-11-22 失败 · "failed"',
    text="3 of 9 <rejected> {title} & more.\nSee **the report**.",
    action="Run it again.",
    link="https://prefect.example.com/runs/1",
    run="summarize-2026-11-22",
    day="2026-11-22",
)


def body(name: str, message: Message = FAILED, secret: str = "") -> dict[str, Any]:
    content: dict[str, Any] = orjson.loads(fill_in(FORMS[name], message, "https://x.example/a", secret, NOW).body)
    return content


def test_plain_says_everything_by_name():
    assert body("plain") == {
        "id": "state-1",
        "about": "run-1",
        "level": "failure",
        "run": FAILED.run,
        "day": FAILED.day,
        "what": FAILED.title,
        "why": FAILED.text,
        "do": FAILED.action,
        "link": FAILED.link,
    }


def test_feishu_is_a_card_that_its_key_signs():
    said = body("feishu", secret="key")
    assert said["msg_type"] == "interactive"
    assert said["card"]["header"] == {"template": "red", "title": {"tag": "plain_text", "content": FAILED.title}}
    assert [element["tag"] for element in said["card"]["elements"]] == ["markdown", "markdown", "action"]
    assert said["card"]["elements"][2]["actions"][0]["url"] == FAILED.link
    assert said["timestamp"] == "1800000000"
    assert said["sign"] == base64.b64encode(hmac.new(b"1800000000\nkey", b"", hashlib.sha256).digest()).decode()
    assert "sign" not in body("feishu")


def test_dingtalk_is_markdown_whose_address_is_signed():
    posting = fill_in(FORMS["dingtalk"], FAILED, "https://x.example/send?access_token=t", "key", NOW)
    asked = parse_qs(urlsplit(posting.url).query)
    assert asked["access_token"] == ["t"]
    assert asked["timestamp"] == ["1800000000250"]
    expected = hmac.new(b"key", b"1800000000250\nkey", hashlib.sha256).digest()
    assert asked["sign"] == [base64.b64encode(expected).decode()]
    said = orjson.loads(posting.body)
    assert said["msgtype"] == "markdown"
    assert set(said["markdown"]) == {"title", "text"}
    assert said["markdown"]["text"] == (
        f"### {FAILED.title}\n\n3 of 9 ＜rejected> {{title}} & more.  \n  See **the report**.\n\n"
        f"> {FAILED.action}\n\n[打开 · Open]({FAILED.link})"
    )


def test_markdown_has_no_paragraph_for_what_a_message_lacks():
    bare = replace(FAILED, action="", link="")
    assert body("wecom", bare)["markdown"]["content"] == f"### {FAILED.title}\n\n{FAILED.text.replace('<', '＜')}"


def test_wecom_stays_below_what_it_takes():
    said = body("wecom", replace(FAILED, text="退" * 9000))
    assert said["msgtype"] == "markdown"
    assert len(said["markdown"]["content"].encode()) <= 4096
    assert "…" in said["markdown"]["content"]


def test_slack_has_blocks_and_no_markup_of_ours():
    said = body("slack")
    assert [block["type"] for block in said["blocks"]] == ["header", "section", "section", "actions"]
    assert "&lt;rejected&gt; {title} &amp; more" in said["blocks"][1]["text"]["text"]
    assert len(said["blocks"][0]["text"]["text"]) <= 150


@pytest.mark.parametrize("name", ["dingtalk", "feishu", "wecom"])
def test_a_strangers_name_makes_no_link_image_or_mention(name):
    hostile = "[here](http://evil.example) ![](http://evil.example/a.png) <at id=all></at> <@all>"
    said = orjson.dumps(body(name, replace(FAILED, title=hostile, text=hostile, action=hostile))).decode()
    shown = said.replace(f"[打开 · Open]({FAILED.link})", "")
    for sign in ("[here]", "![](", "<at", "<@"):
        assert sign not in shown.replace(hostile, "", 1 if name == "feishu" else 0)


@pytest.mark.parametrize("name", sorted(FORMS))
def test_an_address_stays_one(name):
    link = "http://[::1]:4200/runs?a=1&b=2"
    assert link in orjson.dumps(body(name, replace(FAILED, link=link))).decode()


def test_pagerduty_opens_an_incident_that_the_recovery_resolves():
    said = body("pagerduty", secret="routing")
    assert (said["routing_key"], said["event_action"], said["dedup_key"]) == ("routing", "trigger", "run-1")
    assert set(said["payload"]) >= {"summary", "source", "severity"}
    assert said["links"] == [{"href": FAILED.link, "text": "Prefect"}]
    assert body("pagerduty", Message("s", "run-1", "good", "recovered"), "routing")["event_action"] == "resolve"


@pytest.mark.parametrize("name", sorted(FORMS))
def test_nothing_empty_is_shown_where_there_is_no_link(name):
    said = orjson.dumps(body(name, Message("1", "1", "warning", "磁盘将满"))).decode()
    assert '"url":""' not in said
    assert '"href":""' not in said
    assert "{" + "link" not in said


@pytest.mark.parametrize("name", sorted(FORMS))
@given(title=st.text(max_size=80), text=st.text(max_size=300))
def test_any_text_stays_text(name, title, text):
    filled = orjson.loads(fill_in(FORMS[name], Message("1", "2", "good", title, text), "https://x", "", NOW).body)
    shape = orjson.loads(
        fill_in(FORMS[name], Message("1", "2", "good", "a", "b" if text else ""), "https://x", "", NOW).body
    )
    assert keys(filled) == keys(shape)


def keys(part: Any) -> Any:
    if isinstance(part, dict):
        return {name: keys(value) for name, value in part.items()}
    return [keys(element) for element in part] if isinstance(part, list) else None


@pytest.mark.parametrize(
    ("name", "status", "reply", "why"),
    [
        ("plain", 204, b"", ""),
        ("plain", 500, b"down", "HTTP 500: down"),
        ("plain", 400, b"", "HTTP 400"),
        ("feishu", 200, b'{"code":0,"msg":"success"}', ""),
        ("feishu", 200, b'{"code":19021,"msg":"sign match fail"}', 'it said {"code":19021,"msg":"sign match fail"}'),
        ("dingtalk", 200, b'{"errcode":310000,"errmsg":"keywords not in content"}', "it said"),
        ("wecom", 200, b"<html>", "it said <html>"),
        ("wecom", 200, b"[]", "it said []"),
        ("slack", 200, b"ok", ""),
        ("slack", 404, b"no_service", "HTTP 404: no_service"),
        ("pagerduty", 202, b'{"status":"success"}', ""),
    ],
)
def test_refusal_is_what_the_service_said(name, status, reply, why):
    assert refusal(FORMS[name], status, reply).startswith(why)
    assert bool(refusal(FORMS[name], status, reply)) == bool(why)
