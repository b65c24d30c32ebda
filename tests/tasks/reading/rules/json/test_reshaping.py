"""Other ways to write conversations in JSON: each gives the conversation that the usual way gives."""

import json

import pytest

from tasks.reading.rules.json.reshaping import as_messages, as_records, is_columns, listed_in, text_of_each_side
from tasks.reading.rules.vocabulary import Vocabulary
from tests.builders.logs import Read, said

ASK, TELL, THANK = "灯不亮，能修吗", "可以修，请寄来", "好，这就寄"
TURNS = [("user", ASK), ("agent", TELL), ("user", THANK)]
ROWS = [["c1", side, words] for side, words in TURNS]
NAMES = ["session_id", "role", "content"]

SHAPES = {
    "pairs of a side and a text": {"id": "c1", "turns": [["customer", ASK], ["agent", TELL], ["customer", THANK]]},
    "pairs with a time before": {"id": "c1", "turns": [[1795305662, "用户", ASK], [1795305672, "客服", TELL], [1795305682, "用户", THANK]]},
    "the side as the key": {"id": "c1", "turns": [{"用户": ASK}, {"客服": TELL}, {"用户": THANK}]},
    "questions and answers": {"id": "c1", "qa": [{"question": ASK, "answer": TELL}, {"question": THANK, "answer": ""}]},
    "both sides in an object": {"id": "c1", "dialog": [{"user": ASK, "agent": TELL}, {"user": THANK, "agent": None}]},
    "pairs of a letter and a text": {"id": "c1", "turns": [["U", ASK], ["A", TELL], ["U", THANK]]},
    "pairs without a word for a side": {"id": "c1", "history": [[ASK, TELL], [THANK, ""]]},
    "a transcript under a key for messages": {"id": "c1", "messages": f"用户：{ASK}\n客服：{TELL}\n用户：{THANK}"},
    "a list in a text": {"session_id": "c1", "content": json.dumps([{"role": side, "text": words} for side, words in TURNS])},
    "a record in a text": {"key": "k", "value": json.dumps({"session_id": "c1", "messages": [{"role": side, "text": words} for side, words in TURNS]})},
    "a table with its columns beside": {"columns": NAMES, "index": [0, 1, 2], "data": ROWS},
    "a column a key": {name: {str(at): row[place] for at, row in enumerate(ROWS)} for place, name in enumerate(NAMES)},
    "columns as lists": {name: [row[place] for row in ROWS] for place, name in enumerate(NAMES)},
    "a list of lists under a header": [NAMES, *ROWS],
    "objects of both sides": {"id": "c1", "turns": [{"user": {"text": ASK}, "agent": {"text": TELL}}, {"user": {"text": THANK}}]},
    "GraphQL": {"data": {"conversations": {"edges": [{"node": {"id": "c1", "messages": {"edges": [{"node": {"role": side, "text": words}} for side, words in TURNS]}}}]}}},
    "messages under keys of their own": {"chats": {"c1": {"shop": "A", "messages": {f"-N{at}": {"role": side, "text": words} for at, (side, words) in enumerate(TURNS)}}}},
    "lists under ids in an envelope": {"sessions": {"c1": [{"role": side, "text": words} for side, words in TURNS]}},
    "lists of lists under ids": {"c1": [[f"2026-11-22 10:0{at}", side, words] for at, (side, words) in enumerate(TURNS)]},
    "a container's log": {"log": json.dumps({"session_id": "c1", "messages": [{"role": side, "text": words} for side, words in TURNS]}) + "\n", "stream": "stdout"},
    "a history and the last exchange": {"id": "c1", "instruction": THANK, "input": "", "output": "不客气", "history": [[ASK, TELL]]},
    "ChatGPT's tree": {"id": "c1", "title": "灯", "current_node": "n2", "mapping": {
        "top": {"id": "top", "message": None, "parent": None, "children": ["n0"]},
        **{f"n{at}": {"id": f"n{at}", "parent": f"n{at - 1}" if at else "top", "children": [f"n{at + 1}"],
                      "message": {"author": {"role": side}, "content": {"content_type": "text", "parts": [words]}}}
           for at, (side, words) in enumerate(TURNS)}}},
    "a bot's turns": [{"session": "c1", "queryText": ASK, "fulfillmentText": TELL}, {"session": "c1", "queryText": THANK, "fulfillmentText": ""}],
    "a text for each side": [{"session_id": "c1", "user_msg": ASK, "agent_msg": TELL}, {"session_id": "c1", "user_msg": THANK, "agent_msg": ""}],
}  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("indent", [None, 1])
def test_read_reads_each_shape(shape, indent):
    found = Read(json.dumps(SHAPES[shape], ensure_ascii=False, indent=indent).encode()).conversation
    assert found.conversation_id == "c1"
    assert said(found) == [*TURNS, *([("agent", "不客气")] if shape.startswith("a history") else [])]


@pytest.mark.parametrize("more", [{}, {"history": []}, {"id": "c1", "history": None}])
def test_read_reads_an_exchange_of_data_for_tuning(more):
    record = {"instruction": ASK, "input": "", "output": TELL, **more}
    assert said(Read(json.dumps(record, ensure_ascii=False).encode()).conversation) == TURNS[:2]


def test_read_follows_the_branch_of_a_tree_that_was_written_last():
    def node(role, words, parent):
        return {"message": {"author": {"role": role}, "content": {"parts": [words]}}, "parent": parent}

    tree = {"a": node("user", ASK, None), "b": node("assistant", "旧的", "a"), "c": node("assistant", TELL, "a")}
    record = {"conversation_id": "c1", "mapping": {**tree, "d": node("user", THANK, "c")}}
    assert said(Read(json.dumps(record, ensure_ascii=False).encode()).conversation) == TURNS


def test_a_tree_that_turns_in_a_circle_ends():
    node = {"message": {"author": {"role": "user"}, "content": {"parts": [ASK]}}, "parent": "a"}
    assert len(listed_in({"a": node, "b": {**node, "parent": "b"}}) or []) <= 2


def test_as_messages_leaves_messages_alone_and_what_is_none():
    assert as_messages([{"role": "user", "text": "在"}]) is None
    assert as_messages([{"name": "小美", "age": 3}]) is None
    assert as_messages(["用户：在"]) is None
    assert as_messages([["order", "88"], ["sku", "99", "x"]]) is None
    assert as_messages([]) is None


def test_as_messages_needs_every_element():
    assert as_messages([["customer", ASK], {"price": 3}]) is None


def test_text_of_each_side_takes_names_of_people_for_no_texts():
    assert text_of_each_side(("customer", "agent", "content")) is None
    assert text_of_each_side(("客户消息", "客服回复", "时间")) == ("客户消息", "客服回复")
    assert text_of_each_side(("question", "query", "answer")) is None


def test_as_records_needs_rows_as_long_as_their_header():
    assert as_records({"columns": NAMES, "data": [["c1", "user"]]}, Vocabulary()) == []


def test_is_columns_wants_columns_of_one_length():
    assert is_columns({"a": [1, 2], "b": [3, 4]})
    assert not is_columns({"a": [1, 2], "b": [3]})
    assert not is_columns({"a": [1, 2], "b": "3"})
    assert not is_columns({"a": [1, 2]})


@pytest.mark.parametrize(
    "wrap", [lambda talks: {"sessions": talks}, lambda talks: talks, lambda talks: {"a": {"b": talks}}]
)
@pytest.mark.parametrize("messages", [lambda rows: rows, lambda rows: {"messages": rows}])
def test_read_parts_conversations_under_their_ids_however_deep(wrap, messages):
    rows = [{"role": side, "text": words} for side, words in TURNS]
    value = wrap({f"c{n}": messages(rows) for n in range(3)})
    found = Read(json.dumps(value, ensure_ascii=False).encode())
    assert [(talk.conversation_id, said(talk)) for talk in found.conversations] == [(f"c{n}", TURNS) for n in range(3)]


@pytest.mark.parametrize(
    ("pairs", "roles"),
    [
        ([["小晴", ASK], ["阿雅", TELL], ["小晴", THANK]], ["小晴", "阿雅", "小晴"]),
        ([["顾客", ASK], ["阿雅", TELL]], ["顾客", "阿雅"]),
        ([["退货要多久", "三天"], ["好的", "不客气"]], ["user", "agent", "user", "agent"]),
        ([["在吗", "在的"], ["在吗", "您好"]], ["user", "agent", "user", "agent"]),
    ],
)
def test_pairs_whose_first_words_return_or_are_known_name_who_speaks(pairs, roles):
    assert [message["role"] for message in as_messages(pairs) or []] == roles
