from tasks.preparing.wording import WEIGHTS
from tasks.tuning.wording.__main__ import digest


def test_the_weights_were_learned_from_the_texts_beside_the_trainer():
    first = WEIGHTS.read_text(encoding="utf-8").partition("\n")[0]
    assert first.partition("\t")[2] == digest(), "run python -m tasks.tuning.wording"
