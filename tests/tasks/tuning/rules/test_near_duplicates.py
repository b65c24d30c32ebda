import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.tuning.rules.near_duplicates import SIMILAR, near_duplicates

CHARACTERS = "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说产种面而方后多定行学法所民得经"


def dialogue(seed, length=300):
    drawn = random.Random(seed)
    return "".join(drawn.choice(CHARACTERS) for _ in range(length))


def edited(text, changes, seed=0):
    drawn = random.Random(seed)
    letters = list(text)
    for place in drawn.sample(range(len(letters)), changes):
        letters[place] = "改"
    return "".join(letters)


def jaccard(one, other):
    a, b = ({text[i : i + 5] for i in range(len(text) - 4)} for text in (one, other))
    return len(a & b) / len(a | b)


def test_near_duplicates_finds_copies_with_a_few_changes_among_strangers():
    originals = [dialogue(seed) for seed in range(200)]
    copies = [edited(text, 4, seed) for seed, text in enumerate(originals)]
    assert all(jaccard(a, b) >= SIMILAR for a, b in zip(originals, copies, strict=True))
    found = near_duplicates([*originals, *copies])
    assert found == {200 + place: place for place in range(200)}


def test_near_duplicates_leaves_alone_what_is_less_alike():
    text = dialogue(1)
    other = edited(text, 20)
    assert jaccard(text, other) < SIMILAR
    assert near_duplicates([text, other]) == {}


def test_near_duplicates_does_not_see_blanks():
    text = dialogue(2)
    assert near_duplicates([text, " ".join(text[i : i + 10] for i in range(0, 300, 10))]) == {1: 0}


@given(st.lists(st.text(alphabet="退换货我要包裹 \n", max_size=12), max_size=12))
def test_near_duplicates_calls_equal_texts_copies_of_the_first(texts):
    found = near_duplicates(texts)
    assert all(original < copy and original not in found for copy, original in found.items())
    for place, text in enumerate(texts):
        if text in texts[:place]:
            assert place in found


@pytest.mark.parametrize("text", ["", "好", "我要退货"])
def test_near_duplicates_takes_short_texts_as_they_are(text):
    assert near_duplicates([text, "完全不同的另一句话"]) == {}
    assert near_duplicates([text, text]) == {1: 0}
