import tomllib
from collections import Counter
from pathlib import Path

import pytest

from tasks.parsing import lexicon
from tasks.parsing.lexicon import Kind, read_lexicon

FIELDS = ["acceptance", "sentiment"]
OF_THEIR_OWN = ["不对", "没用", "无用", "未来", "无问题", "无故"]  # whatever follows
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


@pytest.mark.parametrize("name", FIELDS)
@pytest.mark.parametrize("negation", ["不", "没", "未", "无", "没有"])
def test_no_listed_word_hides_a_negated_verdict(name, negation):
    lexicon = read_lexicon(name)
    verdicts = {Kind.YES, Kind.NO, Kind.REFUSAL, Kind.MILD_YES, Kind.MILD_NO}
    hidden = []
    for word, kind in lexicon.kinds.items():
        text = negation + word
        if kind not in verdicts or word.isascii() or lexicon.kinds.get(text) is not None:
            continue
        [[(first, found), *_], *_] = lexicon.clauses(text)
        if found is Kind.OTHER and first not in OF_THEIR_OWN and len(negation) < len(first) < len(text):  # 不同|意
            hidden.append((first, text))
    assert hidden == []


@pytest.mark.parametrize("text", ["极强硬", "太大闹", "很高兴", "过激烈"])
def test_a_verdict_goes_before_a_longer_word_that_runs_into_it(text):
    [words] = read_lexicon("sentiment").clauses(text)
    assert [word for word, _ in words] == [text[0], text[1:]]


@pytest.mark.parametrize("text", ["不解决", "不安装", "不服务", "无语音"])
def test_a_negation_goes_before_a_verdict_that_a_longer_word_runs_into(text):
    lexicon = read_lexicon("sentiment")
    kinds = {**lexicon.kinds, "服务": Kind.OTHER, "语音": Kind.OTHER}
    lengths = {**lexicon.lengths, "服": (2, 1), "语": (2, 1)}
    [words] = lexicon._replace(kinds=kinds, lengths=lengths).clauses(text)
    assert [word for word, _ in words] == [text[0], text[1:]]
