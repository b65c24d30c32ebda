from hypothesis import given
from hypothesis import strategies as st

from tasks.calling.rules.key_marks import KeyMarks


@given(st.lists(st.text(max_size=8)))
def test_every_key_that_was_added_is_held(keys):
    marks = KeyMarks()
    for key in keys:
        marks.add(key)
    assert all(key in marks for key in keys)


def test_few_others_are_held():
    marks = KeyMarks()
    for number in range(100_000):
        marks.add(f"added {number}")
    assert sum(f"another {number}" in marks for number in range(100_000)) < 1_000
