import orjson
import pytest

from tasks.domain.errors import UsageError
from tasks.questions.rules.judged import judge_answers, read_labels
from tasks.questions.rules.typed_answers import typed_answers
from tests.tasks.questions.test_typed_answers import QUESTIONS


def judged(*pairs):
    """Judge the second of each pair by the first."""
    lines = [orjson.dumps({"conversation_id": f"c{number}"} | label) for number, (label, _) in enumerate(pairs)]
    answers = {
        f"c{number}": typed_answers(orjson.dumps(said).decode(), QUESTIONS) or []
        for number, (_, said) in enumerate(pairs)
    }
    return judge_answers(QUESTIONS, read_labels(lines, "labels.jsonl", QUESTIONS), answers)


def test_yes_and_no_are_judged_as_the_verdicts_of_summaries_are():
    found = judged(
        *[({"promised": "是"}, {"promised": True})] * 6,
        *[({"promised": "否"}, {"promised": "是"})] * 2,
        *[({"promised": "否"}, {"promised": "没有"})] * 2,
    )["promised"]
    assert (found["labeled"], found["accuracy"], found["unanswered"]) == (10, 0.8, 0)
    assert found["positive_f1"] == round(2 * 6 / (6 + 8), 4)
    assert found["accuracy_interval"][0] < 0.8 < found["accuracy_interval"][1]


def test_a_scale_has_the_distance_and_a_choice_the_share_that_is_right():
    found = judged(
        ({"politeness": 5, "channel_wanted": "电话"}, {"politeness": 3, "channel_wanted": "短信"}),
        ({"politeness": 4, "channel_wanted": "电话"}, {"politeness": 4, "channel_wanted": "电话"}),
    )
    assert (found["politeness"]["accuracy"], found["politeness"]["mean_distance"]) == (0.5, 1.0)
    assert found["channel_wanted"]["accuracy"] == 0.5


def test_what_the_model_did_not_answer_is_wrong_and_counted():
    found = judged(({"promised": "是"}, {}), ({"promised": "是"}, {"promised": None}))["promised"]
    assert (found["accuracy"], found["unanswered"]) == (0.0, 2)


def test_only_what_people_answered_about_conversations_that_were_asked_is_judged():
    labels = read_labels([b'{"conversation_id": "x", "promised": "\xe6\x98\xaf"}'], "l", QUESTIONS)
    assert judge_answers(QUESTIONS, labels, {}) == {}
    assert set(judged(({"politeness": 5, "promised": None}, {"promised": True}))) == {"politeness"}


@pytest.mark.parametrize("line", [b"no", b'{"promised": true}', b'{"conversation_id": "a"}', b'["a"]'])
def test_a_line_that_is_no_label_is_named(line):
    with pytest.raises(UsageError, match=r"labels\.jsonl, line 1"):
        read_labels([line], "labels.jsonl", QUESTIONS)
