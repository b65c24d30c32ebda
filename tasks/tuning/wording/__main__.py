"""Learn what an order to the reader of a conversation sounds like, by `python -m tasks.tuning.wording`.

Orders are `forged.txt`, `kinds.tsv` (with the kind of each) and `orders.txt`. What customers say are `honest.txt` (in
the words that orders use), `customers.txt`, `english.txt` (in its alternatives), `small_talk.txt` (joined at random)
and the sentences by which themes are learned. Needs scikit-learn, which only development installs. The same texts give
the same file.
"""

import hashlib
import random
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from tasks.preparing.wording import SCALE, WEIGHTS, runs, sentences
from tasks.themes.training.corpus import training_set
from tasks.themes.training.templates import every_form

_FOLDER: Final = Path(__file__).parent

_STRENGTH: Final = 1.0

_LEAST: Final = 0.04  # a run of less weight is left out

_FEWEST: Final = 3  # sentences that a run is in

_TWICE_SAID: Final = 5  # what is near to orders weighs more than any sentence about a parcel

_FORMS: Final = 60  # of a line of alternatives at most

_SMALL_TALKS: Final = 3000


def lines(name: str) -> list[str]:
    """The lines of a file of texts; a line break in one is written as in Python."""
    written = (_FOLDER / name).read_text(encoding="utf-8").splitlines()
    return [line.replace("\\n", "\n") for line in written]


def orders() -> list[str]:
    """Sentences that are meant for nobody but a reader."""
    kinds = [line.split("\t")[-1].replace(" ⏎ ", " ") for line in lines("kinds.tsv")]
    return [sentence for text in [*lines("forged.txt"), *kinds, *lines("orders.txt")] for sentence in sentences(text)]


def honest() -> list[str]:
    """Sentences of customers."""
    near = [*lines("honest.txt"), *lines("customers.txt")] * _TWICE_SAID
    themes = sorted({text for text, *_ in training_set()})
    return [sentence for text in [*near, *themes, *[*_english()] * 2, *_small_talk()] for sentence in sentences(text)]


def _english() -> Iterator[str]:
    rng = random.Random(2)
    for line in lines("english.txt"):
        yield from every_form(line.replace("?", ""), {}, _FORMS, rng)


def _small_talk() -> Iterator[str]:
    rng = random.Random(1)
    known = lines("small_talk.txt")
    for _ in range(_SMALL_TALKS):
        words = [rng.choice(known) for _ in range(rng.choice((1, 1, 2, 2, 3)))]
        yield rng.choice("， 。~,！").join(words) + rng.choice(("", "", "。", "！", "~", "？", "。。。"))


def digest() -> str:
    """A name for the texts of this folder, which the weights bear that were learned from them."""
    texts = (path.read_bytes() for path in sorted(_FOLDER.iterdir()) if path.suffix in (".txt", ".tsv"))
    return hashlib.sha256(b"".join(texts)).hexdigest()[:16]


def main() -> None:
    """Learn, round the weights and write the file."""
    from scipy.sparse import csr_matrix  # noqa: PLC0415  only training needs these, and takes a second to load them
    from sklearn.svm import LinearSVC  # noqa: PLC0415

    texts = [orders(), honest()]
    found = [runs(text) for part in texts for text in part]
    often = Counter(run for runs in found for run in runs)
    columns = {
        run: number for number, run in enumerate(sorted(run for run, count in often.items() if count >= _FEWEST))
    }
    places = [
        (row, columns[run], len(runs) ** -0.5) for row, runs in enumerate(found) for run in runs if run in columns
    ]
    rows, kept, values = zip(*places, strict=True)
    features = csr_matrix((values, (rows, kept)), shape=(len(found), len(columns)))
    model = LinearSVC(C=_STRENGTH, random_state=0, tol=1e-3)
    model.fit(features, np.repeat([1, 0], [len(part) for part in texts]))
    weights = {run: model.coef_[0][column] for run, column in columns.items()}
    written = [f"{round(weight * SCALE)}\t{run}" for run, weight in weights.items() if abs(weight) >= _LEAST]
    WEIGHTS.write_text(
        "\n".join([f"{round(model.intercept_[0] * SCALE)}\t{digest()}", *written]) + "\n", encoding="utf-8"
    )
    sys.stdout.write(f"{len(texts[0])} orders, {len(texts[1])} others, {len(written)} weights: {WEIGHTS}\n")


if __name__ == "__main__":
    main()
