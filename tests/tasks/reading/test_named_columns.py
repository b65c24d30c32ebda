"""A mapping names the columns of the agent, of the customer's rating and of the channel, whatever a log calls them."""

from pathlib import Path

import orjson
import pytest

from tasks.reading.rules.formats import load_mappings
from tasks.warehouse.rules.measures import measure
from tests.builders.logs import Read

MAPPING = """[own]
columns = { "谁接的" = "agent", "打几星" = "csat", "哪里来" = "channel" }
"""

SAID = [("用户", "伞骨断了一根"), ("客服", "给您补寄一根"), ("用户", "谢谢")]

ABOUT = {"谁接的": "林晓", "打几星": "5", "哪里来": "小程序", "门店": "东街"}


def as_table() -> bytes:
    rows = [",".join(["c1", side, words, *ABOUT.values()]) for side, words in SAID]
    return "\n".join([",".join(["会话ID", "角色", "内容", *ABOUT]), *rows, ""]).encode()


def as_messages() -> bytes:
    rows = [{"会话ID": "c1", "角色": side, "内容": words, **ABOUT} for side, words in SAID]
    return b"".join(orjson.dumps(row) + b"\n" for row in rows)


def as_document() -> bytes:
    messages = [{"role": side, "text": words} for side, words in SAID]
    return orjson.dumps({"conversation_id": "c1", "messages": messages, **ABOUT})


def as_transcript() -> bytes:
    words = "\n".join(f"{side}：{words}" for side, words in SAID)
    return orjson.dumps({"conversation_id": "c1", "transcript": words, **ABOUT})


@pytest.mark.parametrize("written", [as_table, as_messages, as_document, as_transcript])
@pytest.mark.parametrize("log_format", ["own", "auto"])
def test_columns_of_a_mapping_are_the_tables_agent_rating_and_channel(written, log_format, tmp_path: Path):
    path = tmp_path / "own.toml"
    path.write_text(MAPPING, encoding="utf-8")
    found = Read(written(), mappings=load_mappings(path), log_format=log_format).conversation
    assert (measure(found).agent, measure(found).csat, found.channel) == ("林晓", "5", "小程序")
    assert found.attributes == {"门店": "东街", "agent": "林晓", "csat": "5"}


def test_of_several_names_the_mappings_first_that_is_filled_counts_also_a_nested_one(tmp_path: Path):
    path = tmp_path / "own.toml"
    path.write_text('[own]\ncolumns = { "meta.who" = "agent", "second" = "agent" }\n', encoding="utf-8")
    messages = [{"role": side, "text": words} for side, words in SAID]
    records = [
        {"conversation_id": "c1", "messages": messages, "meta": {"who": "林晓"}, "second": "周明"},
        {"conversation_id": "c2", "messages": messages, "meta": {}, "second": "周明"},
    ]
    log = b"".join(orjson.dumps(record) + b"\n" for record in records)
    read = Read(log, mappings=load_mappings(path), log_format="own")
    assert [(found.conversation_id, measure(found).agent) for found in read.conversations] == [
        ("c1", "林晓"),
        ("c2", "周明"),
    ]


def test_without_a_mapping_they_stay_attributes():
    found = Read(as_table()).conversation
    assert (measure(found).agent, measure(found).csat, found.channel) == (None, None, "")
    assert found.attributes == ABOUT
