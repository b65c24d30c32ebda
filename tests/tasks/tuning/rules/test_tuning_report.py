"""The loss curves: all of them on common axes, and numbers that can be told apart."""

from datetime import UTC, datetime
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from tasks.domain.model_platform import Checkpoint, TrainingData
from tasks.tuning.rules.experiments import Experiment
from tasks.tuning.rules.tuning_record import Trial, Tuning
from tasks.tuning.rules.tuning_report import loss_curves

LOSSES = st.lists(st.floats(0, 3), min_size=1, max_size=4)


@given(st.lists(LOSSES, min_size=1, max_size=8))
def test_loss_curves_end_in_numbers_that_do_not_cover_each_other(losses):
    trials = tuple(
        Trial(
            Experiment(number, "LoRA", 3, 3e-4),
            f"job-{number}",
            "done",
            checkpoints=[Checkpoint(16 * step, loss) for step, loss in enumerate(curve, 1)],
        )
        for number, curve in enumerate(losses, 1)
    )
    tuning = Tuning("t", "ERNIE-Speed-8K", 20, TrainingData(), datetime(2026, 11, 22, tzinfo=UTC), trials)
    curves, low, high, last_step = loss_curves(tuning)
    assert [curve.number for curve in curves] == list(range(1, len(losses) + 1))
    assert (low, high) == (min(map(min, losses)), max(map(max, losses)))
    assert last_step == 16 * max(map(len, losses))
    for one, other in combinations(curves, 2):
        (x, y), (other_x, other_y) = one.label, other.label
        assert abs(x - other_x) >= 12 or abs(y - other_y) >= 11.99
