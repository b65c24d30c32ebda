"""JSON behind a logger's prefix, in a script, among comments, and what Python prints."""

import json

import pytest

from tasks.reading.rules.json.dirt import is_no_value, python_value, without_wrapping
from tests.builders.logs import Read, said

RECORDS = [
    {"session_id": f"c{n}", "messages": [{"role": "user", "text": "杯子碎了"}, {"role": "agent", "text": "给您补发"}]}
    for n in range(3)
]
LINES = [json.dumps(record, ensure_ascii=False) for record in RECORDS]

FILES = {
    "a logger's time": "\n".join(f"2026-11-22 03:00:01,123 INFO export - {line}" for line in LINES),
    "syslog": "\n".join(f"<14>Nov 22 03:00:01 host app[7]: {line}" for line in LINES),
    "a level": "\n".join(f"[INFO] chat {line}" for line in LINES),
    "a variable": f"var chats = [{', '.join(LINES)}];",
    "a variable over lines": "window.chats = [\n" + ",\n".join(LINES) + "\n];\n",
    "a callback": f"callback([{', '.join(LINES)}]);",
    "comments": "// exported\n[\n" + ",\n".join(LINES) + ",\n]\n",
    "an export": f"export default [{', '.join(LINES)}]",
    "a guard": f"for(;;);[{', '.join(LINES)}]",
    "another guard": ")]}',\n[" + ",\n".join(LINES) + "]",
    "a fence": "```json\n[" + ",\n".join(LINES) + "]\n```\n",
    "several comments": "// exported\n/* by a job */\n[" + ",\n".join(LINES) + "]",
    "a key and a tab": "\n".join(f"c{n}\t{line}" for n, line in enumerate(LINES)),
    "a key and a colon": "\n".join(f"c{n}:{line}" for n, line in enumerate(LINES)),
    "a needless backslash": "\n".join(line.replace("碎", "\\碎") for line in LINES),
    "encoded twice": json.dumps(json.dumps(RECORDS)),
    "brackets on lines": "[\n" + ",\n".join(LINES) + "\n]",
    "Python": "\n".join(map(repr, RECORDS)),
    "Python's list": repr(RECORDS),
}


@pytest.mark.parametrize("file", FILES)
def test_read_reads_what_is_nearly_json(file):
    found = Read(FILES[file].encode())
    assert found.rejects == []
    assert [(talk.conversation_id, said(talk)) for talk in found.conversations] == [
        (f"c{n}", [("user", "杯子碎了"), ("agent", "给您补发")]) for n in range(3)
    ]


def test_read_names_a_line_that_is_no_json_among_others():
    found = Read("\n".join([*LINES, "杯子碎了"]).encode())
    assert (len(found.conversations), found.rejects[0].line) == (3, 4)


@pytest.mark.parametrize("text", ["", " ]", "],", "// made by hand", "# 导出", "var a =", "window.b(", ");", "/* x */"])
def test_is_no_value_knows_what_says_nothing(text):
    assert is_no_value(text)


@pytest.mark.parametrize("text", ["杯子碎了", "1", '"a"', "null", "{'a': 1}"])
def test_is_no_value_passes_over_no_value(text):
    assert not is_no_value(text)


@pytest.mark.parametrize("text", ['客户说 {"a": 1}', 'c1,user,{"a": 1}', '{"a": 1}'])
def test_without_wrapping_leaves_alone_what_no_logger_wrote(text):
    assert without_wrapping(text) == text


@pytest.mark.parametrize(
    "text", ["{'a': __import__('os')}", "{'a': {1, 2}}", "{'a': b'x'}", "{1: 'a'}", "['" + "[" * 90, "{'a': " * 90]
)
def test_python_value_reads_nothing_that_json_could_not_hold(text):
    assert python_value(text) is None


@pytest.mark.parametrize("levels", [40, 480, 1000])
@pytest.mark.parametrize(("opened", "closed"), [("[", "]"), ('{"a":', "}"), ('[{"text":', "}]"), ('{"messages":', "}")])
@pytest.mark.parametrize(
    "place", ['{"session_id":"d","messages":%s}', '{"session_id":"d","attributes":%s}', "%s", "x %s"]
)
def test_a_line_that_is_nested_without_end_is_one_reject(place, opened, closed, levels):
    found = Read("\n".join([*LINES, place % (opened * levels + '"x"' + closed * levels)]).encode())
    assert len(found.conversations) == len(LINES)
    assert len(found.rejects) == 1


def test_a_message_that_is_nested_json_is_its_text():
    text = '{"text":' + "[" * 900 + "]" * 900 + "}"
    record = {"session_id": "c9", "messages": [{"role": "user", "text": text}, {"role": "agent", "text": "给您补发"}]}
    found = Read("\n".join([*LINES, json.dumps(record)]).encode())
    assert len(found.conversations) == len(LINES) + 1
