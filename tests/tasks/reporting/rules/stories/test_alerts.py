"""Alerts as data: conditions, the default file, and files that are wrong."""

from dataclasses import replace

import pytest

from tasks.domain.errors import UsageError
from tasks.reporting.alerts import load_alerts
from tasks.reporting.rules.stories.alerts import Fired, fired_by, parse_alerts
from tasks.reporting.rules.stories.story import Story
from tests.builders.stories import STORY


def is_fired(conditions: str, story: Story = STORY) -> bool:
    alerts = parse_alerts(f'[[alerts]]\nname = "有事"\n{conditions}', "alerts.toml")
    assert len(alerts) == 1
    return fired_by([story], alerts) == [Fired("有事", story.key)]


@pytest.mark.parametrize(
    ("met", "missed"),
    [
        ("unhappy = 24", "unhappy = 24.5"),
        ("conversations = 43", "conversations = 44"),
        ('measures = ["not_accepted", "negative"]', 'measures = ["not_accepted"]'),
        ('themes = ["quality", "logistics_progress"]', 'themes = ["quality"]'),
        ('words = ["爆仓"]', 'words = ["爆仓了"]'),
        ('words = ["云雀"]', 'words = ["百灵"]'),
        ('where = {channel = ["web", "app"]}', 'where = {channel = ["web"]}'),
        ('where = {issue_phrase = ["云雀物流"]}', 'where = {issue_phrase = ["云雀"]}'),
    ],
)
def test_a_story_meets_a_condition_or_not(met, missed):
    assert is_fired(met)
    assert not is_fired(missed)


def test_all_conditions_of_an_alert_have_to_be_met():
    assert is_fired('unhappy = 5\nthemes = ["logistics_progress"]')
    assert not is_fired('unhappy = 5\nthemes = ["quality"]')
    assert not is_fired('unhappy = 500\nthemes = ["logistics_progress"]')


def test_every_alert_that_is_met_is_named_in_the_files_order():
    alerts = parse_alerts('[[alerts]]\nname = "乙"\nunhappy = 1\n[[alerts]]\nname = "甲"\nconversations = 1', "a")
    assert [fired.alert for fired in fired_by([STORY], alerts)] == ["乙", "甲"]


def test_without_a_file_ten_more_unhappy_customers_are_an_alert():
    (alert,) = load_alerts()
    assert alert.is_met(replace(STORY, excess_unhappy=10))
    assert not alert.is_met(replace(STORY, excess_unhappy=9.9))


def test_a_file_without_alerts_fires_none(tmp_path):
    path = tmp_path / "none.toml"
    path.write_text("# none wanted\n")
    assert load_alerts(str(path)) == ()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[[alert]]\nname = '甲'", "holds [[alerts]] and nothing else"),
        ("alerts = 3", "holds [[alerts]] and nothing else"),
        ("[[alerts]]\nunhappy = 3", "a name of 1 to 40 characters, not None"),
        ("[[alerts]]\nname = '甲'", "'甲' has no condition"),
        ("[[alerts]]\nname = '甲'\nunhapy = 3", "'甲' has unhapy; there are unhappy, conversations, measures"),
        ("[[alerts]]\nname = '甲'\nunhappy = 0", "unhappy is a number above 0, not 0"),
        ("[[alerts]]\nname = '甲'\nunhappy = true", "unhappy is a number above 0, not True"),
        ("[[alerts]]\nname = '甲'\nunhappy = nan", "unhappy is a number above 0, not nan"),
        ("[[alerts]]\nname = '甲'\nthemes = 'quality'", "themes is a list of texts"),
        ("[[alerts]]\nname = '甲'\nmeasures = ['accepted']", "accepted is no measure; there are volume, negative"),
        ("[[alerts]]\nname = '甲'\nwhere = {shop = '旗舰店'}", "where is a table of a dimension and its values"),
        ("[[alerts]]\nname = '甲'\nunhappy = 1\n[[alerts]]\nname = '甲'\nunhappy = 2", "'甲' is there twice"),
        ("[[alerts]", "is no TOML file"),
    ],
)
def test_a_file_that_is_wrong_is_refused_in_one_line(text, why):
    with pytest.raises(UsageError) as refused:
        parse_alerts(text, "alerts.toml")
    assert "alerts.toml" in str(refused.value)
    assert why in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_file_that_is_not_there_is_refused_by_its_flag():
    with pytest.raises(UsageError, match=r"--alerts /nowhere/a\.toml can't be read"):
        load_alerts("/nowhere/a.toml")
