"""Mappings are tried in order, and one that reads nearly all is better than an earlier one that reads half."""

from tasks.reading.rules.suggestions.trial import Trial, first_right
from tests.builders.logs import Read

ROWS = "".join(f"c{talk},{'AB'[turn]},话{turn},{turn if talk % 3 else 0}\n" for talk in range(9) for turn in range(2))
HALF = """
[mine]
columns = ["conversation_id", "other", "text", "role"]
delimiter = ","
roles = { "0" = "user", "1" = "agent" }
"""
WHOLE = """
[mine]
columns = ["conversation_id", "role", "text", "other"]
delimiter = ","
roles = { "A" = "user", "B" = "agent" }
"""


def trial():
    head = Read(ROWS.encode()).detected[0].head
    assert head is not None
    return Trial(head)


def test_a_mapping_that_reads_nearly_all_is_taken_before_an_earlier_one_that_reads_half():
    assert [round(trial().of(mapping).whole / 9, 2) for mapping in (HALF, WHOLE)] == [0.67, 1.0]
    assert first_right([HALF, WHOLE], trial()) == WHOLE
    assert first_right([HALF], trial()) == HALF
