"""The metrics against their oracles (NLTK, rouge-chinese, sacrebleu), and what they do at the edges."""

import tracemalloc
from itertools import islice, repeat

import jieba
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rouge_chinese import Rouge

from tasks.evaluating.rules.scoring import (
    MAX_CHARACTERS,
    METRICS,
    RowScores,
    TextScores,
    cut_characters,
    cut_words,
    is_plain,
    score_row,
    score_rows,
    score_text,
)

REFERENCE = '{"用户问题": "包裹三天没有动静", "客服方案": "催促站点，今晚送到", "是否接受": "是", "是否负面情绪": "否"}'
PREDICTION = '{"用户问题": "包裹没有动静，催送货", "客服方案": "已催促站点", "是否接受": "是", "是否负面情绪": "是"}'
PROSE = (
    '```json\n{"用户问题": "包裹没有动静", "客服方案": "催促", "是否接受": "用户没有接受", "是否负面情绪": "否"}\n```'
)

ORACLE = jieba.Tokenizer()

texts = st.text(st.sampled_from('用户问题客服方案退款发票没有收到，。：{}" \n\tabc12.5元%😀 '), min_size=1, max_size=60)
pairs = st.one_of(
    st.tuples(texts, texts),
    st.tuples(texts, texts).map(lambda two: (two[0] + two[1], two[1] + two[0])),
    texts.map(lambda text: (text, text)),
)


# What takes seconds to import is imported by the one process that runs these tests.
def bleu_of_nltk(guess: list[str], truth: list[str]) -> float:
    from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu

    return 100 * float(sentence_bleu([truth], guess, smoothing_function=SmoothingFunction().method3))


def bleu_of_sacrebleu(guess: str, truth: str) -> float:
    from sacrebleu import sentence_bleu

    bleu = sentence_bleu(guess, [truth], smooth_method="exp", tokenize="none", use_effective_order=False)
    return float(bleu.score)


def as_opaque_words(*word_lists: list[str]) -> list[str]:
    """Each list as a line of words without any meaning, which no oracle splits, strips or normalizes."""
    numbers: dict[str, int] = {}
    return [" ".join(f"w{numbers.setdefault(word, len(numbers))}" for word in words) for words in word_lists]


@pytest.fixture(autouse=True, scope="module")
def dictionaries():
    """Load them once, not within the first test's deadline."""
    ORACLE.initialize()
    cut_words("预热")


@given(st.text(max_size=80) | texts)
def test_cut_words_is_what_jieba_cuts(text):
    assert cut_words(text) == list(ORACLE.cut(text))


def test_cut_words_ignores_what_others_taught_jieba(monkeypatch):
    taught = "小麦催单"
    monkeypatch.setattr(jieba.dt, "FREQ", {})
    monkeypatch.setattr(jieba.dt, "total", 0)
    monkeypatch.setattr(jieba.dt, "initialized", False)
    jieba.add_word(taught, freq=10**9)
    assert list(jieba.cut(taught)) == [taught]
    assert cut_words(taught) == list(ORACLE.cut(taught)) != [taught]


@given(pairs)
def test_score_text_gives_the_bleu_of_nltk(pair):
    guess, truth = (list(ORACLE.cut(text)) for text in pair)
    expected = bleu_of_nltk(guess, truth)
    assert score_text(*pair).bleu_4 == pytest.approx(expected, abs=1e-9)


@given(pairs)
def test_score_text_gives_the_bleu_of_sacrebleu(pair):
    guess, truth = as_opaque_words(*(list(ORACLE.cut(text)) for text in pair))
    if len(guess.split()) < 4:
        return  # sacrebleu counts no orders above the length; the recipe does
    assert score_text(*pair).bleu_4 == pytest.approx(bleu_of_sacrebleu(guess, truth), abs=1e-9)


@given(pairs)
def test_score_text_gives_the_rouge_of_rouge_chinese(pair):
    guess, truth = as_opaque_words(*([word for word in ORACLE.cut(text) if not word.isspace()] for text in pair))
    if not (guess and truth):
        return  # the oracle raises on empty texts
    expected = Rouge().get_scores([guess], [truth])[0]
    scores = score_text(*pair)
    for metric, value in (("rouge-1", scores.rouge_1), ("rouge-2", scores.rouge_2), ("rouge-l", scores.rouge_l)):
        # The oracle adds 1e-8 to a denominator against division by zero.
        assert value == pytest.approx(100 * expected[metric]["f"], abs=2e-6)


@given(texts, texts)
def test_score_text_counts_edits_as_the_textbook_does(prediction, reference):
    previous = list(range(len(reference) + 1))
    for row, left in enumerate(prediction, 1):
        current = [row]
        for column, right in enumerate(reference, 1):
            current.append(min(previous[column] + 1, current[-1] + 1, previous[column - 1] + (left != right)))
        previous = current
    assert score_text(prediction, reference).edit_distance == previous[-1]


def test_score_text_counts_blanks_as_words_for_bleu_alone():
    spaced, plain = "退款 没有 到账\n请 查询", "退款没有到账请查询"
    scores = score_text(spaced, plain)
    assert (scores.rouge_1, scores.rouge_2, scores.rouge_l) == (100, 100, 100)
    assert scores.bleu_4 < 100


@given(texts, texts)
def test_score_text_by_characters_is_that_of_characters_as_words(prediction, reference):
    scores = score_text(prediction, reference, cut_characters)
    guess, truth = (list("".join(text.split())) for text in (prediction, reference))
    expected = bleu_of_nltk(guess, truth)
    assert scores.bleu_4 == pytest.approx(expected, abs=1e-9)
    shared = len(set(guess) & set(truth))
    assert scores.rouge_1 == pytest.approx(200 * shared / (len(set(guess)) + len(set(truth))) if shared else 0)


def test_score_text_counts_ngrams_as_sets_for_rouge_and_as_bags_for_bleu():
    scores = score_text("退款退款退款退款", "退款")
    assert scores.rouge_1 == 100
    assert scores.bleu_4 < 50


@pytest.mark.parametrize(("prediction", "reference", "distance"), [("", "", 0), ("", "退款", 2), ("退款", "", 2)])
def test_score_text_of_an_empty_side_is_zero(prediction, reference, distance):
    assert score_text(prediction, reference) == (0, 0, 0, 0, distance)


def test_score_text_is_exact_up_to_the_bound():
    text = "退款没有到账，" * (MAX_CHARACTERS // 7)
    scores = score_text(text, text)
    assert scores == pytest.approx((100, 100, 100, 100, 0))
    assert score_text(text, text[:-3]).edit_distance == 3


def test_score_text_adds_what_it_cuts_off_to_the_distance():
    long = "好" * (MAX_CHARACTERS + 50)
    assert score_text(long, "好").edit_distance == len(long) - 1
    assert score_row(long, "好").cut


@pytest.mark.parametrize("filler", ["好", "退款没有到账，", '{"用户问题": [', " ", "😀"])
def test_score_row_takes_a_runaway_answer_in_its_stride(filler):
    runaway = filler * (1_000_000 // len(filler))
    row = score_row(runaway, REFERENCE)  # of the whole, quadratic work would take hours
    assert row.cut
    assert row.text.bleu_4 < 1
    tracemalloc.start()
    score_text(runaway, REFERENCE)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 30_000_000


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        (PREDICTION, True),
        (f"\n {PREDICTION} \n", True),
        (PROSE, False),
        (PREDICTION + "。", False),
        (PREDICTION.replace('"是"', "true"), False),
        (PREDICTION.replace("用户问题", "问题"), False),
        (f"[{PREDICTION}]", False),
        ("", False),
        ("[" * 5000, False),
        ("\ud800", False),
    ],
)
def test_is_plain_takes_nothing_but_the_object_that_was_asked_for(text, plain):
    assert is_plain(text) is plain


def test_score_row_holds_field_against_field():
    row = score_row(PREDICTION, REFERENCE)
    assert row.issue == score_text("包裹没有动静，催送货", "包裹三天没有动静")
    assert row.plan == score_text("已催促站点", "催促站点，今晚送到")
    figures = row.figures()
    assert figures["ROUGE-L"] == row.text.rouge_l
    assert figures["issue/ROUGE-L"] == row.issue.rouge_l
    assert figures["ROUGE-L"] > figures["issue/ROUGE-L"]
    assert (figures["accepted/accuracy"], figures["negative_sentiment/accuracy"]) == (100, 0)
    assert (figures["format/plain"], figures["format/parseable"]) == (100, 100)


def test_score_row_takes_fields_as_said_not_as_spelled():
    row = score_row(PROSE, REFERENCE.replace('"是否接受": "是"', '"是否接受": "不接受"'))
    assert row.figures()["accepted/accuracy"] == 100
    assert not row.plain


def test_score_row_of_an_unusable_prediction_is_wrong_in_every_field():
    row = score_row("抱歉，我无法回答这个问题。", REFERENCE.replace('"是否接受": "是"', '"是否接受": "未明确"'))
    assert row.prediction is None
    assert row.issue == TextScores(0, 0, 0, 0, len("包裹三天没有动静"))
    assert row.figures()["accepted/accuracy"] == 0  # an unknown is right only when the model said so


def test_score_row_asks_nothing_of_fields_that_the_reference_lacks():
    row = score_row(PREDICTION, "")
    assert row.issue is None
    assert row.figures()["accepted/accuracy"] is None
    assert set(row.figures()) == set(score_row(PREDICTION, REFERENCE).figures())


def test_score_rows_averages_the_rows():
    rows: list[RowScores] = []
    pairs = [(PREDICTION, REFERENCE), (REFERENCE, REFERENCE), ("", REFERENCE), (PREDICTION, "")]
    scores = score_rows(pairs, rows.append)
    assert (scores.rows, scores.references, scores.rows_cut) == (4, 3, 0)
    for metric in METRICS:
        for name, held in ((metric, rows), (f"issue/{metric}", rows[:3])):
            values = [row.figures()[name] or 0.0 for row in held]
            assert scores.means[name] == pytest.approx(sum(values) / len(values))
    assert scores.accepted.accuracy is not None
    assert scores.accepted.accuracy.value == pytest.approx(2 / 3)
    assert scores.means["accepted/accuracy"] == pytest.approx(200 / 3)
    assert scores.negative_sentiment.accuracy is not None
    assert scores.negative_sentiment.accuracy.value == pytest.approx(1 / 3)
    assert scores.means["format/parseable"] == 75


def test_score_rows_of_nothing_has_no_figures():
    scores = score_rows([])
    assert scores.rows == 0
    assert scores.accepted.accuracy is None
    assert scores.figures()["accepted/kappa"] is None


def test_score_rows_gives_one_flat_json_object():
    figures = score_rows([(PREDICTION, REFERENCE), (PROSE, REFERENCE)]).figures()
    assert list(figures)[:6] == ["rows", *METRICS]
    assert orjson.loads(orjson.dumps(figures)) == figures
    interval = figures["accepted/accuracy 95%"]
    assert isinstance(interval, list)
    assert 0 <= interval[0] <= figures["accepted/accuracy"] <= interval[1] <= 100


def test_score_rows_holds_no_rows():
    score_rows(islice(repeat((PREDICTION, REFERENCE)), 20))
    peaks = []
    for count in (30, 200):
        tracemalloc.start()
        score_rows((f"{PREDICTION}{n}", f"{REFERENCE}{n % 7}") for n in range(count))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] - peaks[0] < 400_000


def test_score_rows_does_not_take_an_unusable_prediction_for_unknown():
    unknown = REFERENCE.replace('"是否接受": "是"', '"是否接受": "未明确"')
    scores = score_rows([("抱歉，我无法回答这个问题。", unknown), (unknown, unknown)])
    assert scores.accepted.accuracy is not None
    assert scores.accepted.accuracy.value == 0.5
    assert scores.means["accepted/accuracy"] == 50
