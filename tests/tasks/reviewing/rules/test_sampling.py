"""The draw: the same in any order, a fair picture at random, and constant in memory."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.domain.errors import UsageError
from tasks.domain.records import Fields
from tasks.reviewing.rules.sampling import DISAGREEING, RANDOM, UNCERTAIN, Candidate, Draw

DAY = date(2026, 11, 22)


def row(number: int, **said):
    known = {"issue": "a", "plan": "b", "accepted": True, "negative_sentiment": False, "truncated": False}
    return {"conversation_id": f"c{number}", "content_hash": f"h{number:04}", **known, **said}


def drawn(rows, size=30, seed=0, known=(), opposed=lambda row: False):
    draw = Draw(size, seed, known)
    for row in rows:
        draw.offer(DAY, row)
    there = [candidate.row["content_hash"] for candidate in draw.candidates()]
    disagreeing = [candidate.row["content_hash"] for candidate in draw.candidates() if opposed(candidate.row)]
    return [(stratum, candidate.row["content_hash"]) for stratum, candidate in draw.sample(there, disagreeing)]


ROWS = [row(n, accepted=None if n % 5 == 0 else n % 2 == 0) for n in range(2000)]


def opposed(row):
    return int(row["content_hash"][1:]) % 7 == 1


def test_draw_takes_a_third_of_each_kind():
    sample = drawn(ROWS, opposed=opposed)
    kinds = [stratum for stratum, _ in sample]
    assert [kinds.count(stratum) for stratum in (RANDOM, UNCERTAIN, DISAGREEING)] == [10, 10, 10]
    assert len({name for _, name in sample}) == 30
    for stratum, name in sample:
        number = int(name[1:])
        assert {RANDOM: True, UNCERTAIN: number % 5 == 0, DISAGREEING: number % 7 == 1}[stratum]


@given(st.permutations(range(60)), st.integers(1, 80))
def test_draw_does_not_depend_on_the_order(order, size):
    assert drawn([ROWS[n] for n in order], size, opposed=opposed) == drawn(ROWS[:60], size, opposed=opposed)


@given(st.integers(1, 200), st.integers(0, 100))
def test_draw_gives_as_many_as_there_are(size, rows):
    assert len(drawn(ROWS[:rows], size, opposed=opposed)) == min(size, rows)


@pytest.mark.parametrize("size", [0, -3])
def test_draw_refuses_a_sample_of_none(size):
    with pytest.raises(UsageError, match=f"A sample of {size} conversations is none"):
        drawn(ROWS, size)


def test_draw_leaves_out_what_is_known_and_differs_by_seed():
    names = {name for _, name in drawn(ROWS)}
    assert not names & {name for _, name in drawn(ROWS, known=names)}
    assert names != {name for _, name in drawn(ROWS, seed=1)}


def test_draw_at_random_is_a_fair_picture():
    uncertain = [int(name[1:]) % 5 == 0 for stratum, name in drawn(ROWS, size=900) if stratum == RANDOM]
    assert 0.15 <= sum(uncertain) / len(uncertain) <= 0.25


@given(st.integers(1, 400), st.integers(0, 3))
def test_draw_at_random_leaves_nothing_to_the_other_kinds(size, seed):
    # Whatever the others find too few of is made up for at random, and what is at random is the head of one ranking.
    draw = Draw(size, seed)
    for row in ROWS[:400]:
        draw.offer(DAY, row)
    there = sorted(draw.candidates(), key=lambda candidate: candidate.rank)
    names = [candidate.row["content_hash"] for candidate in there]
    sample = draw.sample(names, [candidate.row["content_hash"] for candidate in there if opposed(candidate.row)])
    at_random = {candidate.row["content_hash"] for stratum, candidate in sample if stratum == RANDOM}
    assert len(sample) == size
    assert at_random == set(names[: len(at_random)])


def test_draw_keeps_few_of_many():
    draw = Draw(30, 0)
    for number in range(20_000):
        draw.offer(DAY, row(number))
    assert len(draw.candidates()) <= 30 * 2 + 10 * 50


def test_disagrees_only_where_both_know():
    candidate = Candidate(b"", DAY, row(1, accepted=True, negative_sentiment=None))
    assert candidate.disagrees(Fields(None, None, False, None, None, None))
    assert not candidate.disagrees(Fields(None, None, None, True, None, None))
    assert not candidate.disagrees(Fields(None, None, True, False, None, None))
