"""Lines that hold nobody's words."""

import json

import pytest

from tests.builders.logs import Read

ROWS = [{"conversation_id": "c1", "role": side, "text": words} for side, words in (("user", "漏水"), ("agent", "换"))]


@pytest.mark.parametrize("kind", [["LOG"], {"name": "LOG"}, None, 1])
def test_read_names_a_record_of_no_conversation_whatever_its_type_is(kind):
    read = Read("\n".join(map(json.dumps, [*ROWS, {"type": kind, "level": "INFO"}])).encode())
    assert len(read.conversations) == len(read.rejects) == 1
