"""Stories found in invented months, through the same tables and questions as the reports'."""

from datetime import date, timedelta
from functools import cache
from pathlib import Path

import pytest

from tasks.clients.folder_store import FolderStore
from tasks.reporting.rules.stories.story import Stories, Story
from tasks.reporting.rules.stories.texts import recovered_line, story_headline, story_json
from tasks.reporting.story_day import read_stories
from tests.benchmarks.months import Month, Planted, simulate_month, write_month

FIRST, LAST = date(2026, 11, 1), date(2026, 11, 30)


@pytest.fixture(scope="module")
def warehouses(tmp_path_factory):
    @cache
    def made(seed: int, planted: bool) -> tuple[Month, Path]:
        folder = tmp_path_factory.mktemp("month")
        month = simulate_month(seed, planted=planted)
        write_month(month, folder)
        return month, folder

    return made


def stories_of(folder: Path, first: date, last: date) -> Stories:
    return read_stories(FolderStore(folder), first, last)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_month_tells_what_was_planted_and_nothing_else(warehouses, seed):
    month, folder = warehouses(seed, True)
    found = stories_of(folder, FIRST, LAST)
    assert len(found.told) == 3
    for planted in month.planted:
        (story,) = (story for story in found.told if all(name in story_headline(story).zh for name in planted.names))
        assert abs((story.first_day - planted.first_day).days) <= 1
        assert abs((story.last_day - planted.last_day).days) <= 1
        assert len(story.examples) == 3
        assert planted.conversations >= set(story.examples)
        assert 0.7 < story.conversations / len(planted.conversations) < 1.5
        assert story.excess_unhappy > 5
        assert set(found.examples) >= set(story.examples)
        assert {"headline", "theme", "first_day", "last_day", "conversations", "examples"} == set(story_json(story))


@pytest.mark.parametrize("seed", [1, 2])
def test_a_quiet_month_tells_nothing(warehouses, seed):
    _, folder = warehouses(seed, False)
    found = stories_of(folder, FIRST, LAST)
    assert found.enough_past
    assert found.told == ()


def test_a_day_remembers_since_when_and_says_when_it_is_over(warehouses):
    month, folder = warehouses(1, True)
    courier = next(planted for planted in month.planted if planted.kind == "courier")
    fifth = courier.first_day + timedelta(days=4)
    (story,) = stories_of(folder, fifth, fifth).told
    assert courier.names[0] in story_headline(story).zh
    assert story.first_day == courier.first_day
    assert "第 5 天" in story_headline(story).zh
    assert not story.recovered
    after = courier.last_day + timedelta(days=1)
    found = stories_of(folder, after, after)
    assert not any(courier.names[0] in story_headline(story).zh for story in found.told)
    (over,) = found.over
    assert courier.names[0] in recovered_line(over).zh


def test_weekends_of_a_quiet_month_raise_no_alarm(warehouses):
    _, folder = warehouses(4, False)
    weekend = [FIRST + timedelta(days=number) for number in range(20, 30)]
    for day in (day for day in weekend if day.weekday() >= 5):
        assert stories_of(folder, day, day).told == ()


def test_without_a_past_there_is_no_story(warehouses):
    _, folder = warehouses(1, True)
    found = stories_of(folder, FIRST, FIRST)
    assert not found.enough_past
    assert found.told == ()


def test_numbers_of_a_sample_are_those_of_all_conversations_and_said_to_be_about(warehouses, monkeypatch):
    month, folder = warehouses(1, True)
    (courier,) = (planted for planted in month.planted if planted.kind == "courier")
    whole = told_of(folder, courier)
    monkeypatch.setattr("tasks.reporting.story_day._MOST_CONVERSATIONS", 0)
    monkeypatch.setattr("tasks.reporting.story_day._FEWEST_OF_A_DAY", 150)
    sampled = told_of(folder, courier)
    assert sampled.estimated
    assert not whole.estimated
    assert sampled.conversations == pytest.approx(whole.conversations, rel=0.25)
    assert sampled.aspects[0].usual == pytest.approx(whole.aspects[0].usual, rel=0.4)
    assert max(value or 0 for _, value in sampled.daily) == pytest.approx(
        max(value or 0 for _, value in whole.daily), rel=0.3
    )
    assert "共约 " in story_headline(sampled).zh
    assert "共约 " not in story_headline(whole).zh


def told_of(folder: Path, planted: Planted) -> Story:
    return next(
        story
        for story in stories_of(folder, FIRST, LAST).told
        if all(name in story_headline(story).zh for name in planted.names)
    )
