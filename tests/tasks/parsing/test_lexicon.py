import tomllib
from collections import Counter
from pathlib import Path

import pytest

from tasks.parsing import lexicon
from tasks.parsing.lexicon import Kind, read_lexicon

FIELDS = ["acceptance", "sentiment"]
TABLES = tomllib.loads(Path(lexicon.__file__).with_name("verdicts.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("table", ["shared", *FIELDS])
def test_a_word_is_listed_once_in_its_table(table):
    listed = Counter(word for words in TABLES[table].values() if isinstance(words, str) for word in words.split())
    assert [word for word, times in listed.items() if times > 1] == []


def test_a_compound_is_each_part_of_one_column_with_each_of_the_next():
    kinds = read_lexicon("acceptance").kinds
    assert {kinds[verb + noun] for verb in ("按照", "遵从") for noun in ("指引", "步骤")} == {Kind.MILD_YES}


@pytest.mark.parametrize("verdict", ["满意", "生气", "接受"])
def test_a_verb_doubled_around_a_negation_is_a_question(verdict):
    for negation in "不没":
        [[question, *_]] = read_lexicon("sentiment").clauses(f"{verdict[0]}{negation}{verdict}")
        assert question == (verdict[0] + negation, Kind.QUESTION)


def test_words_that_are_not_listed_are_one_unknown_word():
    assert read_lexicon("sentiment").clauses("鼯鼠") == [[("鼯鼠", Kind.OTHER)]]
