import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.domain.errors import UsageError
from tasks.domain.model_platform import Checkpoint, Limit
from tasks.tuning.rules.experiments import Experiment, Matrix, check_limits, exact, load_matrix, pick_best, score

GOOD = {"BLEU-4": 62.2, "ROUGE-1": 77.2, "ROUGE-2": 64.09, "ROUGE-L": 77.97}
LORA = {
    "epoch": Limit("range", (1, 50)),
    "learningRate": Limit("range", (1e-6, 1e-3)),
    "maxSeqLen": Limit("choice", (2048, 4096)),
}
TUNABLE = {
    "ERNIE-Speed-8K": {"SFT": {"LoRA": LORA}},
    "ERNIE-Lite-8K-0308": {"DPO": {"LoRA-GA": {**LORA, "earlyStopping": Limit("any")}}},
}
HEAD = 'base_model = "ERNIE-Speed-8K"\n'
ROW = '[[experiment]]\nmethod = "LoRA"\nepoch = 3\nlearning_rate = 3e-4\n'


def result(number, metrics, loss=0.5, epoch=3):
    return Experiment(number, "LoRA", epoch, 3e-4), metrics, (Checkpoint(16, 2.0), Checkpoint(32, loss))


def test_load_matrix_ships_the_six():
    matrix = load_matrix()
    assert (matrix.base_model, matrix.split_ratio) == ("ERNIE-Speed-8K", 20)
    assert [
        (experiment.number, experiment.method, experiment.epoch, experiment.learning_rate)
        for experiment in matrix.experiments
    ] == [
        (1, "LoRA", 6, 3e-4),
        (2, "LoRA", 3, 3e-4),
        (3, "LoRA", 3, 6e-4),
        (4, "full", 3, 3e-5),
        (5, "full", 6, 3e-5),
        (6, "full", 3, 4e-5),
    ]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (ROW, "base_model"),
        (HEAD, "no \\[\\[experiment\\]\\]"),
        (HEAD + "split_ratio = 0\n" + ROW, "split_ratio"),
        (HEAD + "split_ratio = 21\n" + ROW, "split_ratio"),
        (HEAD + ROW.replace('"LoRA"', "3"), "experiment 1: method"),
        (HEAD + ROW + 'mode = ""\n', "experiment 1: mode"),
        (HEAD + ROW + "base_step = 64\n", "experiment 1: base_step"),
        (HEAD + 'validation = "mine"\n' + ROW, "validation is a dataset"),
        (HEAD + ROW.replace("3\n", "0\n", 1), "experiment 1: epoch"),
        (HEAD + ROW + ROW.replace("3e-4", "3"), "experiment 2: learning_rate"),
        ("base_model = ", "no TOML"),
    ],
)
def test_load_matrix_says_what_is_wrong_with_a_file(content, words, tmp_path):
    path = tmp_path / "matrix.toml"
    path.write_text(content)
    with pytest.raises(UsageError, match=words):
        load_matrix(path)


def test_load_matrix_hands_on_further_hyperparameters(tmp_path):
    path = tmp_path / "matrix.toml"
    path.write_text(HEAD + ROW + "maxSeqLen = 4096\n")
    (experiment,) = load_matrix(path).experiments
    assert experiment.hyperparameters == {"epoch": 3, "learningRate": 3e-4, "maxSeqLen": 4096}
    check_limits(load_matrix(path), TUNABLE)


def test_load_matrix_takes_what_today_s_platform_has(tmp_path):
    path = tmp_path / "matrix.toml"
    path.write_text(
        'base_model = "ERNIE-Speed-8K"\nvalidation = "ds-1"\n'
        + ROW.replace("LoRA", "LoRA-GA")
        + 'base_model = "ERNIE-Lite-8K-0308"\nmode = "DPO"\nbase_task = "task-1"\nbase_step = 64\n'
        'earlyStopping = "True"\n'
    )
    matrix = load_matrix(path)
    (experiment,) = matrix.experiments
    assert matrix.validation == "ds-1"
    assert (experiment.base_model, experiment.mode, experiment.method) == ("ERNIE-Lite-8K-0308", "DPO", "LoRA-GA")
    assert (experiment.base_task, experiment.base_step, experiment.others) == ("task-1", 64, {"earlyStopping": "True"})
    assert experiment.describe() == ("DPO LoRA-GA, epoch 3, learningRate 3e-4, earlyStopping True, on task-1 step 64")
    check_limits(matrix, TUNABLE)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"base_model": "ERNIE-9"}, "can't tune ERNIE-9, but ERNIE-Speed-8K, ERNIE-Lite-8K-0308"),
        ({"mode": "KTO"}, "can't tune ERNIE-Speed-8K by KTO, but by SFT"),
        ({"method": "LoRA-GA"}, "no method LoRA-GA for ERNIE-Speed-8K and SFT, but LoRA"),
        ({"others": {"warmth": 1}}, "no warmth for LoRA, but epoch, learningRate, maxSeqLen"),
        ({"others": {"maxSeqLen": 1000}}, r"maxSeqLen 1000 \(2048, 4096\)"),
        ({"learning_rate": 2.5e-3}, r"learningRate 0\.0025|2\.5e-3 \(1e-6 to 1e-3\)"),
    ],
)
def test_check_limits_names_what_the_platform_takes_instead(change, words):
    values = {"number": 1, "method": "LoRA", "epoch": 3, "learning_rate": 3e-4, "base_model": "ERNIE-Speed-8K"}
    with pytest.raises(UsageError, match=words):
        check_limits(Matrix("", 20, (Experiment(**{**values, **change}),)), TUNABLE)


@given(st.floats(1e-7, 1e6))
def test_exact_loses_nothing(value):
    assert float(exact(value)) == value


@pytest.mark.parametrize(
    ("value", "shown"), [(2.5e-4, "2.5e-4"), (3.4e-4, "3.4e-4"), (3e-5, "3e-5"), (0.5, "0.5"), (6, "6")]
)
def test_exact_shows_values_that_one_digit_would_confuse(value, shown):
    assert exact(value) == shown


def test_check_limits_refuses_a_model_that_can_not_be_tuned():
    with pytest.raises(UsageError, match="can't tune ERNIE-Speed-8K"):
        check_limits(load_matrix(), {})


@given(st.lists(st.floats(1, 99), min_size=1, max_size=8))
def test_pick_best_takes_the_highest_mean(means):
    results = [result(n, dict.fromkeys(GOOD, mean)) for n, mean in enumerate(means, 1)]
    best = pick_best(results)
    assert best is not None
    assert round(means[best - 1], 2) == max(round(mean, 2) for mean in means)


def test_pick_best_breaks_a_tie_by_the_last_loss_and_then_by_fewer_epochs():
    assert pick_best([result(1, GOOD, 0.5), result(2, GOOD, 0.4)]) == 2
    assert pick_best([result(1, GOOD, 0.5, epoch=6), result(2, GOOD, 0.5, epoch=3)]) == 2


def test_pick_best_leaves_out_what_has_no_figures():
    assert pick_best([result(1, None), result(2, {"BLEU-4": 99.0})]) is None
    assert pick_best([result(1, None), result(2, GOOD)]) == 2
    assert score(GOOD) == pytest.approx(70.365)
