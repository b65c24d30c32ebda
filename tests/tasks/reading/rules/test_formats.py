"""A log format can be a few lines of configuration, and wrong ones say what is wrong."""

import pytest

from tasks.domain.errors import UsageError
from tasks.reading.rules.formats import BUILT_IN, load_mappings, log_formats
from tests.builders.logs import Read, said

SHOP = """
[shop]
columns = ["time", "", "conversation_id", "text", "role", "score"]
delimiter = "|"
roles = { C = "user", S = "agent", X = "system" }

[desk]
columns = { sid = "conversation_id", wer = "role", was = "text", geheim = "" }
roles = { kunde = "user", mitarbeiter = "agent" }
"""
SHOP_ROWS = "2026-11-22 08:01:02|z|s1|在吗|C|5\n2026-11-22 08:01:03|z|s1|排队|X|\n2026-11-22 08:01:04|z|s1|在的|S|\n"


@pytest.fixture
def written(tmp_path):
    def write(text):
        path = tmp_path / "formats.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_load_mappings_gives_the_built_in_ones_without_a_file():
    assert load_mappings(None) == BUILT_IN
    built_in = [
        "auto",
        "jsonl-conversations",
        "jsonl-messages",
        "jsonl-transcripts",
        "jsonl-sft",
        "csv",
        "tsv",
        "transcript",
    ]
    assert log_formats() == [*built_in, *sorted(BUILT_IN)]
    assert {"jddc", "zendesk", "qiyu"} < set(BUILT_IN)


@pytest.mark.parametrize("log_format", ["auto", "shop"])
def test_load_mappings_adds_a_table_without_a_header(written, log_format):
    mappings = load_mappings(written(SHOP))
    assert {"desk", "jddc", "shop"} < set(log_formats(mappings))
    read = Read(SHOP_ROWS.encode(), mappings=mappings, log_format=log_format)
    assert read.detected[0].format == "shop"
    assert said(read.conversation) == [("user", "在吗"), ("agent", "在的")]
    assert dict(read.conversation.attributes) == {"score": "5"}


@pytest.mark.parametrize(
    "content",
    ["sid,wer,was,geheim\ns1,kunde,在吗,x\ns1,mitarbeiter,在的,y\n",
     '{"sid": "s1", "wer": "kunde", "was": "在吗", "geheim": 1}\n{"sid": "s1", "wer": "mitarbeiter", "was": "在的"}\n',
     '{"sid": "s1", "geheim": 2, "messages": [{"wer": "kunde", "was": "在吗"}, {"wer": "mitarbeiter", "was": "在的"}]}\n'],
)  # fmt: skip
def test_load_mappings_gives_unusual_names_their_meaning(written, content):
    found = Read(content.encode(), mappings=load_mappings(written(SHOP)), log_format="desk").conversation
    assert (found.conversation_id, said(found)) == ("s1", [("user", "在吗"), ("agent", "在的")])
    assert found.attributes == {}


@pytest.mark.parametrize(
    ("text", "wrong"),
    [("[a]\ncolumns = 3", "'a': columns must be a list"), ("[a]\ncolumns = ['role', 'text']", "lacks 'conversation_id'"),
     ("[a]\ncolumns = ['conversation_id', 'role', 'text', 'text']", "'text' twice"), ("a = 1", "it must be a table"),
     ("[a]\ncolumns = {x = 'speaker'}", "one of conversation_id, role"), ("[csv]\ncolumns = []", "built-in format"),
     ("[a]\ncolumns = ['conversation_id', 'role', 'text']\nroles = {1 = 'boss'}", "user, agent or system"),
     ("[a]\ncolumns = ['conversation_id', 'role', 'text']\ndelimiter = '::'", "one character"),
     ("[a]\ncolumns = ['conversation_id', 'role', 'text']\nquoted = 'no'", "true or false"),
     ("[a]\ncolumns = ['conversation_id', 'role', 'text']\nseparator = ','", "unknown setting 'separator'"),
     ("[a\n", "is no TOML"), ("[a]\n", "columns must be")],
)  # fmt: skip
def test_load_mappings_says_in_one_line_what_is_wrong(written, text, wrong):
    with pytest.raises(UsageError, match=wrong) as raised:
        load_mappings(written(text))
    assert "\n" not in str(raised.value)


def test_load_mappings_says_that_a_file_is_missing(tmp_path):
    with pytest.raises(UsageError, match=r"none\.toml can't be read: No such file"):
        load_mappings(tmp_path / "none.toml")
