import re
import tomllib
from pathlib import Path

import pytest

from tasks.calling.rules.offline import phrases
from tasks.calling.rules.offline.phrases import alternatives

KINDS = tomllib.loads(Path(phrases.__file__).with_name("phrases.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("kind", KINDS)
def test_each_phrase_is_a_pattern_of_its_own_and_listed_once(kind):
    listed = KINDS[kind].split()
    assert len(set(listed)) == len(listed)
    for phrase in listed:
        assert re.compile(phrase).search("") is None, f"{phrase} is found in nothing"
    assert alternatives(kind) == "|".join(listed)
