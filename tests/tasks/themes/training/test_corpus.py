import re
from collections import defaultdict
from pathlib import Path

import pytest

from tasks.themes.assigner import load_taxonomy
from tasks.themes.training.corpus import training_set

FOLDER = Path(__file__).parents[4] / "tasks" / "themes" / "training"
THEMES = load_taxonomy().ids


@pytest.mark.parametrize("folder", ["written", "sentences"])
def test_every_theme_has_sentences_of_its_own_and_nothing_else_has(folder):
    assert {file.stem for file in (FOLDER / folder).glob("*.txt")} == set(THEMES)


@pytest.mark.parametrize("theme", THEMES)
def test_a_theme_has_at_least_forty_written_sentences(theme):
    assert len((FOLDER / "written" / f"{theme}.txt").read_text(encoding="utf-8").splitlines()) >= 40


def test_no_sentence_was_written_for_two_themes():
    themes = defaultdict(set)
    for file in (FOLDER / "written").glob("*.txt"):
        for line in file.read_text(encoding="utf-8").splitlines():
            themes[re.sub(r"\W", "", line)].add(file.stem)
    assert [text for text, found in themes.items() if len(found) > 1] == []


def test_sentences_have_no_placeholders_of_another_masking():
    assert [sentence.text for sentence in training_set() if re.search(r"\[\w+x\]", sentence.text)] == []
