"""A report's card at receivers that speak each service's shape, and the stories that are told once."""

from dataclasses import replace
from datetime import timedelta

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from tasks.clients.notifications import NotificationWire
from tasks.delivering.deliver import read_addresses
from tasks.golden.rules.drift import FIELDS, Change, GoldenCheck
from tasks.reporting.deliver_report import deliver_report, fire_alerts
from tasks.reporting.rules.card import report_card, story_id
from tasks.reporting.rules.context import Context
from tasks.reporting.rules.pages.calendar import Entry
from tasks.reporting.rules.statistics import RunUsage
from tasks.reporting.rules.stories.alerts import Alert, Fired
from tasks.reporting.rules.stories.story import Stories
from tests.builders.day_statistics import DAY, statistics_of
from tests.builders.stories import STORY
from tests.builders.summary_days import summaries
from tests.servers.receiver import receiver

QUIET = Context(stories=Stories(enough_past=True))


def statistics(count: int = 300):
    return statistics_of(summaries(count))


def test_card_has_headline_and_stories_in_ten_lines():
    many = Stories(told=tuple(replace(STORY, key=f"商家{number}") for number in range(8)), enough_past=True)
    card = report_card(
        statistics(), Context(stories=many), "https://kefu.example.com/reports/day=2026-11-22/report.html"
    )
    assert "8 件值得关注的事" in card.title
    assert len(card.text.split("\n")) <= 10
    assert "商家0" in card.text
    assert "另有 3 件" in card.text
    assert len(card.text.encode()) < 4096, "what WeCom takes"
    week = report_card(replace(statistics(), start=DAY - timedelta(days=6)), QUIET, "")
    assert week.title == "客服对话周报 2026-11-16 – 2026-11-22：没有异常"
    quiet = report_card(statistics(), QUIET, "")
    assert quiet.level == "good"
    assert "没有异常" in quiet.title
    unread = replace(statistics(), usage=RunUsage(unread_files=1, unread_conversations=400))
    loud = report_card(unread, QUIET, "")
    assert loud.level == "warning"
    assert "没有异常" not in loud.title
    assert "约 400 次对话" in loud.text.split("\n")[0]


def test_card_of_a_calm_day_says_that_the_model_answers_otherwise():
    asked = dict.fromkeys(FIELDS, 20)
    changed = GoldenCheck(20, asked | {"accepted": 0}, 3, (Change("accepted", "right", 1, (60, 60), (0, 20), 1e-12),))
    card = report_card(statistics(), replace(QUIET, golden=changed), "")
    assert (card.level, "模型的回答变了" in card.title) == ("warning", True)
    assert "由 100% (60/60) 变为当夜 0% (0/20)" in card.text.split("\n")[0]
    steady = report_card(statistics(), replace(QUIET, golden=GoldenCheck(20, asked, 3)), "")
    assert steady == report_card(statistics(), QUIET, "")


@pytest.mark.parametrize(
    ("form", "place"),
    [
        ("feishu", ("card", "header", "title", "content")),
        ("dingtalk", ("markdown", "title")),
        ("wecom", ("markdown", "content")),
        ("plain", ("what",)),
    ],
)
def test_card_arrives_in_the_service_s_shape(form, place, monkeypatch):
    replies = {"feishu": b'{"code": 0}', "dingtalk": b'{"errcode": 0}', "wecom": b'{"errcode": 0}', "plain": b"{}"}
    with receiver() as there:
        there.replies.append((200, replies[form]))
        addresses = read_addresses(there.url if form == "plain" else f"{form}+{there.url}")
        deliver_report(
            statistics(),
            Context(stories=Stories(told=(STORY,), enough_past=True)),
            addresses,
            NotificationWire(),
            "https://k.example/r/",
        )
        posted = there.posted.get(timeout=120)
    assert "云雀物流" in str(posted)
    assert "https://k.example/r/day=2026-11-22/report.html" in str(posted)
    for key in place:
        posted = posted[key]
    assert "客服对话日报 2026-11-22" in str(posted)


# What Prefect's client leaves open when its loop ends.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore:unclosed:ResourceWarning")
def test_an_alert_is_fired_once_a_story(prefect_api):
    stories = Stories(told=(STORY,), enough_past=True)
    fired = Fired("不满意", "云雀物流")
    quiet = Entry(
        "2026-11-21", "2026-11-21", "day=2026-11-21/report.html", 300, 0.7, 0.1, (("“云雀物流”的问题激增", "…"),)
    )
    before, week = replace(quiet, alerts=(fired,)), replace(quiet, first="2026-11-15", alerts=(fired,))
    older = replace(before, first="2026-11-10", last="2026-11-10")
    again = replace(before, first="2026-11-22", last="2026-11-22")
    alert = Alert("不满意", unhappy=10)
    with temporary_settings({PREFECT_API_URL: prefect_api.url}):
        assert fire_alerts(stories, DAY, [older, quiet, week], [alert]) == [fired]
        assert fire_alerts(stories, DAY, [older, before], [alert]) == []
        assert fire_alerts(stories, DAY, [again], [alert]) == []
        assert fire_alerts(stories, DAY, [before], [Alert("另一条", unhappy=10)]) == [Fired("另一条", "云雀物流")]
        assert fire_alerts(stories, DAY, [], [replace(alert, unhappy=25)]) == []
    assert story_id(STORY) == "2026-11-20.issue_phrase.云雀物流"


def test_card_names_a_new_alert_before_its_story():
    other = replace(STORY, key="别的")
    context = Context(stories=Stories(told=(other, STORY), enough_past=True))
    _, first, second = report_card(statistics(), context, "", [Fired("不满意", "云雀物流")]).text.split("\n")
    assert "【" not in first
    assert second.startswith("2. 【不满意】")
