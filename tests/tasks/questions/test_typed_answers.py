import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.domain.errors import UsageError
from tasks.preparing.masking import mask
from tasks.questions.rules.questions import parse_questions
from tasks.questions.rules.typed_answers import typed_answers

FILE = """
[[questions]]
id = "promised"
text = "客服是否承诺了时间？"
kind = "yes_no"
[[questions]]
id = "channel_wanted"
text = "客户希望怎么联系？"
kind = "one_of"
options = ["电话", "短信", "在线"]
[[questions]]
id = "politeness"
text = "客服有多礼貌？"
kind = "scale"
[[questions]]
id = "lesson"
text = "可以改进什么？"
kind = "text"
"""
QUESTIONS = parse_questions(FILE, "q.toml")


def answers(record):
    found = typed_answers(orjson.dumps(record).decode(), QUESTIONS)
    return [(answer.yes, answer.choice, answer.score, answer.text) for answer in found or []]


def test_typed_answers_have_the_type_of_their_question():
    record = {"promised": "是", "channel_wanted": "电话", "politeness": 4, "lesson": "早点回电话"}
    assert answers(record) == [
        (True, None, None, None),
        (None, "电话", None, None),
        (None, None, 4, None),
        (None, None, None, "早点回电话"),
    ]


@pytest.mark.parametrize(
    ("said", "yes"),
    [
        ("是。", True),
        (True, True),
        ("否", False),
        (False, False),
        ("没有", False),
        (None, None),
        ("也许", None),
        ("", None),
    ],
)
def test_typed_answers_read_yes_and_no_and_guess_nothing(said, yes):
    assert answers({"promised": said})[0][0] is yes


@pytest.mark.parametrize(("said", "score"), [("5分", 5), ("3", 3), (2.0, 2), (0, None), (6, None), ("很高", None)])
def test_typed_answers_read_scores_of_one_to_five_only(said, score):
    assert answers({"politeness": said})[2][2] == score


@pytest.mark.parametrize(("said", "choice"), [("希望电话联系", "电话"), ("电话或短信", None), ("微信", None)])
def test_typed_answers_choose_only_one_of_the_options(said, choice):
    assert answers({"channel_wanted": said})[1][1] == choice


def test_typed_answers_are_found_in_a_fence_and_masked():
    found = typed_answers('好的：\n```json\n{"lesson": "回电 13812345678"}\n```', QUESTIONS)
    assert found is not None
    assert found[3].text is not None
    assert "13812345678" not in found[3].text


@given(st.text(max_size=80))
def test_typed_answers_survive_any_output(output):
    found = typed_answers(output, QUESTIONS)
    assert found is None or len(found) == 4


@pytest.mark.parametrize("output", ["", "不能回答", "{}", '{"用户问题": "催单"}', "{broken"])
def test_typed_answers_are_none_where_no_question_is_answered(output):
    assert typed_answers(output, QUESTIONS) is None


def test_a_changed_question_is_a_new_version():
    assert parse_questions(FILE, "other.toml").version == QUESTIONS.version
    assert parse_questions(FILE.replace("多礼貌", "多耐心"), "q.toml").version != QUESTIONS.version


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("questions = 3", "needs"),
        ("[[questions]", "no TOML"),
        ('[[questions]]\nid = "X"\ntext = "a"\nkind = "text"', "lower-case"),
        ('[[questions]]\nid = "aa"\ntext = " "\nkind = "text"', "no text"),
        ('[[questions]]\nid = "aa"\ntext = "a"\nkind = "maybe"', "of kind 'maybe'"),
        ('[[questions]]\nid = "aa"\ntext = "a"\nkind = "one_of"\noptions = ["x"]', "two or more"),
        ('[[questions]]\nid = "aa"\ntext = "a"\nkind = "text"\noptions = ["x", "y"]', "belong to one_of"),
        ('[[questions]]\nid = "aa"\ntext = "a"\nkind = "one_of"\noptions = ["x", "x"]', "different texts"),
        (FILE + FILE, "is there twice"),
        ('[[questions]]\nid = "aa"\ntext = "a {conversation}"\nkind = "text"', "exactly once"),
    ],
)
def test_parse_questions_names_what_is_wrong(content, message):
    with pytest.raises(UsageError, match=message):
        parse_questions(content, "q.toml")


def test_a_way_of_contact_takes_no_key_behind_it_for_an_account():
    output = '{"channel_wanted": "在线，微信", "politeness": 4, "lesson": "加微信politeness_8"}'
    found = {answered.question.id: answered for answered in typed_answers(mask(output), QUESTIONS) or ()}
    assert found["politeness"].score == 4
    assert found["lesson"].text == "加微信[微信号]"
