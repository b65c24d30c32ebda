"""Links below a source: whoever lays files there leads nobody elsewhere; what the setting names is followed."""

from datetime import date
from pathlib import Path

import pytest

from flows.wiring.services import open_source
from flows.wiring.settings import load_settings
from tasks.domain.errors import StoreRefused
from tasks.reading.log_objects import list_logs

DAY = date(2026, 11, 22)


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "a.jsonl").write_bytes(b"{}")
    return folder


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    (tmp_path / "lo{gs").mkdir()
    return tmp_path / "lo{gs"


def objects(source: object) -> list[str]:
    store, name = open_source(load_settings({"source": str(source)}), DAY)
    return [found.key for found in list_logs(store, name)]


@pytest.mark.parametrize("slot", ["{day}", "{day:%Y}/11", "{day}.jsonl", "x-{day}"])
@pytest.mark.parametrize("scheme", ["", "file://"])
def test_a_day_that_is_a_link_to_elsewhere_is_refused(logs: Path, elsewhere: Path, slot: str, scheme: str):
    target = elsewhere / "a.jsonl" if slot.endswith("jsonl") else elsewhere
    (elsewhere / "11").mkdir()
    (elsewhere / "11" / "a.jsonl").write_bytes(b"{}")
    (logs / slot.format(day=DAY).split("/", maxsplit=1)[0]).symlink_to(target)
    with pytest.raises(StoreRefused, match="symbolic link"):
        objects(f"{scheme}{str(logs).replace('{', '{{')}/{slot}")


def test_a_day_that_is_a_link_to_another_day_is_read(logs: Path):
    (logs / "first").mkdir()
    (logs / "first" / "a.jsonl").write_bytes(b"{}")
    (logs / str(DAY)).symlink_to("first")
    assert objects(f"{str(logs).replace('{', '{{')}/{{day}}") == [f"{DAY}/a.jsonl"]


def test_a_link_that_the_setting_names_is_followed(tmp_path: Path, elsewhere: Path):
    (tmp_path / "named").symlink_to(elsewhere)
    assert objects(tmp_path / "named") == ["named/a.jsonl"]
    assert objects(tmp_path / "named" / "a.jsonl") == ["a.jsonl"]
    (tmp_path / "one.jsonl").symlink_to(elsewhere / "a.jsonl")
    assert objects(tmp_path / "one.jsonl") == ["one.jsonl"]
