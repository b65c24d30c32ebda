import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tasks.reading.rules.formats import load_mappings
from tasks.reading.rules.names_page import names_page
from tests.builders.logs import Read, said

EXAMPLES = re.findall(r"```text\n(.*?)```\n\n```toml\n(.*?)```", names_page(), re.S)


def test_names_page_is_the_page_in_the_docs():
    page = Path(__file__).parents[4] / "tasks" / "reading" / "README.md"
    assert page.read_text(encoding="utf-8") == names_page(), (
        "python -m tasks.reading.rules.names_page > tasks/reading/README.md"
    )


@pytest.mark.parametrize("example", range(len(EXAMPLES)))
def test_the_mappings_that_the_page_shows_read_the_logs_above_them(example, tmp_path):
    log, mapping = EXAMPLES[example]
    mine = tmp_path / "mine.toml"
    mine.write_text(mapping, encoding="utf-8")
    found = Read(log.encode(), mappings=load_mappings(mine), log_format="shop").conversation
    assert said(found) == [("user", "杯子收到就碎了"), ("agent", "给您补发一只")]
    assert [turn.time for turn in found.turns] == [datetime(2026, 11, 22, 2, at, tzinfo=UTC) for at in (0, 2)]
    ids = ("71", "71", "log-0:1", "蓝河-07 & 雨", "log-0")
    assert (found.conversation_id, found.channel) == (ids[example], ("", "App", "", "", "")[example])
