"""A version that tells which code made a table, with git and without."""

from pathlib import Path

import pytest

from flows.wiring import version


@pytest.fixture
def version_of(monkeypatch):
    def find(root: Path) -> str:
        monkeypatch.setattr(version, "_ROOT", root)
        version.code_version.cache_clear()
        return version.code_version()

    yield find
    version.code_version.cache_clear()


def write_code(root: Path, **files: str) -> Path:
    for folder, text in files.items():
        (root / folder).mkdir(parents=True)
        (root / folder / "code.py").write_text(text)
    return root


def test_version_is_that_of_the_code_wherever_it_lies(version_of, tmp_path):
    here, there, other = (
        write_code(tmp_path / name, tasks=text, flows="") for name, text in (("a", "1"), ("b", "1"), ("c", "2"))
    )
    (there / "tasks" / "__pycache__").mkdir()
    (there / "tasks" / "__pycache__" / "code.pyc").write_bytes(b"compiled")
    (there / "README.md").write_text("beside the code")
    assert version_of(here) == version_of(there)
    assert version_of(here) != version_of(other)
    assert version_of(here).startswith(f"{version.RELEASE}+")
