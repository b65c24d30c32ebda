"""Measures that need no model: messages by side, times, the agent and the customer's rating."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.domain.records import Conversation, Turn
from tasks.warehouse.rules.measures import Measures, measure

TEN = datetime(2026, 11, 22, 10, tzinfo=UTC)


def talk(*turns, **attributes):
    return Conversation(
        "c",
        tuple(Turn(side, "话", None if at is None else TEN + timedelta(seconds=at)) for side, at in turns),
        "log",
        1,
        attributes=attributes,
    )


TURNS = st.lists(st.tuples(st.sampled_from(["user", "agent"]), st.none() | st.integers(0, 90_000)), max_size=12)


@given(TURNS)
def test_messages_by_side_are_all_messages_and_no_time_is_negative(turns):
    found = measure(talk(*turns))
    assert found.user_messages + found.agent_messages == len(turns)
    assert found.user_messages == [side for side, _ in turns].count("user")
    assert all(seconds is None or seconds >= 0 for seconds in found[2:4])
    if found.first_response_seconds is not None:
        assert found.first_response_seconds <= (found.resolution_seconds or 0)


@pytest.mark.parametrize(
    ("turns", "seconds"),
    [
        ([("user", 0), ("agent", 40), ("agent", 90)], 40),
        ([("agent", 0), ("user", 5), ("user", 8), ("agent", 65)], 60),  # a greeting before the question is no answer
        ([("user", 0), ("user", 9)], None),
        ([("agent", 0), ("user", 9)], None),
        ([("user", None), ("agent", 40)], None),
        ([("user", 0), ("agent", None), ("agent", 40)], None),
    ],
)
def test_first_response_is_from_the_first_question_to_the_next_answer(turns, seconds):
    assert measure(talk(*turns)).first_response_seconds == seconds


def test_resolution_is_from_the_first_message_to_the_last():
    assert measure(talk(("user", 3), ("agent", None), ("user", 600))).resolution_seconds == 597
    assert measure(talk(("user", 3))).resolution_seconds is None
    assert measure(talk()) == Measures(0, 0, None, None, None, None)


@pytest.mark.parametrize("name", ["agent", "Agent_Name", "接待客服", "assignee-name", "waiter"])
def test_agent_is_found_under_the_names_of_the_trade(name):
    assert measure(talk(**{name: "小林", "shop": "灯"})).agent == "小林"


@pytest.mark.parametrize(
    ("name", "logged", "csat"),
    [
        ("满意度", "非常满意", "非常满意"),
        ("csat", "4", "4"),
        ("satisfaction_rating", '{"score":"good","comment":"很快"}', "good"),
        ("conversation_rating", '{"rating":5,"remark":""}', "5"),
        ("satisfaction_rating", '{"score":null}', None),
        ("rating", "{五星", "{五星"),
    ],
)
def test_rating_is_kept_as_logged_and_taken_out_of_an_object(name, logged, csat):
    assert measure(talk(**{name: logged})).csat == csat


def test_surest_name_counts_where_a_log_has_several():
    found = measure(talk(评分="3", csat="5", agent_id="77", agent_name="小林"))
    assert (found.agent, found.csat) == ("小林", "5")
