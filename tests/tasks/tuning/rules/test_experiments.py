import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.domain.errors import UsageError
from tasks.domain.model_platform import Checkpoint, Limit
from tasks.tuning.rules.experiments import Experiment, check_limits, load_matrix, pick_best, score

GOOD = {"BLEU-4": 62.2, "ROUGE-1": 77.2, "ROUGE-2": 64.09, "ROUGE-L": 77.97}
HEAD = 'base_model = "ERNIE-Speed-8K"\n'
ROW = '[[experiment]]\nmethod = "LoRA"\nepoch = 3\nlearning_rate = 3e-4\n'


def result(number, metrics, loss=0.5, epoch=3):
    return Experiment(number, "LoRA", epoch, 3e-4), metrics, (Checkpoint(16, 2.0), Checkpoint(32, loss))


def test_load_matrix_ships_the_six():
    matrix = load_matrix()
    assert (matrix.base_model, matrix.split_ratio) == ("ERNIE-Speed-8K", 20)
    assert [(one.number, one.method, one.epoch, one.learning_rate) for one in matrix.experiments] == [
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
        (HEAD + ROW.replace("LoRA", "QLoRA"), "experiment 1: method"),
        (HEAD + ROW.replace("3\n", "0\n", 1), "experiment 1: epoch"),
        (HEAD + ROW + ROW.replace("3e-4", "3"), "experiment 2: learning_rate"),
        ("base_model = ", "not TOML"),
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
    (one,) = load_matrix(path).experiments
    assert one.hyperparameters == {"epoch": 3, "learningRate": 3e-4, "maxSeqLen": 4096}
    check_limits(
        load_matrix(path),
        {
            "LoRA": {
                "epoch": Limit("range", (1, 50)),
                "learningRate": Limit("range", (1e-6, 1e-3)),
                "maxSeqLen": Limit("choice", (2048, 4096)),
            }
        },
    )


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
