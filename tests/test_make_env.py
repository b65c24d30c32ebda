"""`make env` installs a lock by several pips at once: every entry by its hash, or it fails and says why."""

import hashlib
import os
import subprocess
import sys
import venv
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pip
import pytest

from tests.conftest import ROOT

PACKAGES = tuple(f"kefu-part-{number}" for number in range(5))


@pytest.fixture(scope="module")
def wheels(tmp_path_factory) -> dict[str, Path]:
    """A wheel of each package, with one module; all of them share a folder."""
    folder = tmp_path_factory.mktemp("wheels")
    return {name: _wheel(folder, name.replace("-", "_")) for name in PACKAGES}


def _wheel(folder: Path, name: str) -> Path:
    info = f"{name}-1.0.dist-info"
    files = {
        f"kefu_shared/{name}.py": f"NAME = {name!r}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/RECORD": "",
    }
    path = folder / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for file, text in files.items():
            wheel.writestr(file, text)
    return path


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A folder with the Makefile and an environment that holds pip alone."""
    (tmp_path / "Makefile").write_bytes((ROOT / "Makefile").read_bytes())
    venv.create(tmp_path / ".venv", symlinks=True)
    installed = Path(pip.__file__).parent
    _site(tmp_path).joinpath("pip").symlink_to(installed)
    return tmp_path


def _site(clone: Path) -> Path:
    return next(clone.glob(".venv/lib/python*/site-packages"))


def _lock(wheels: Mapping[str, Path], **markers: str) -> str:
    return "".join(
        f"{name}==1.0{markers.get(name[-1:], '')} \\\n    --hash=sha256:{'0' * 64} \\\n"
        f"    --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"
        for name, path in wheels.items()
    )


def _install(clone: Path, lock: str, wheels: Mapping[str, Path]) -> subprocess.CompletedProcess[str]:
    (clone / "requirements.lock").write_text(lock, encoding="utf-8")
    local = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels[PACKAGES[0]].parent)}
    environment = {name: value for name, value in os.environ.items() if name not in {"MAKEFLAGS", "MFLAGS"}} | local
    command = ["make", "--old-file", ".venv/.runs", ".venv/.complete"]
    return subprocess.run(command, cwd=clone, env=environment, check=False, capture_output=True, text=True)


def _installed(clone: Path) -> list[str]:
    return sorted(path.stem.replace("_", "-") for path in _site(clone).glob("kefu_shared/*.py"))


def test_every_entry_of_a_lock_is_installed(clone, wheels):
    done = _install(clone, _lock(wheels), wheels)
    assert (done.returncode, done.stderr) == (0, "")
    assert _installed(clone) == [*PACKAGES]
    assert (clone / ".venv/.complete").exists()


def test_an_entry_for_other_machines_is_left_out(clone, wheels):
    lock = _lock(wheels, **{"1": " ; sys_platform == 'win32'", "3": " ; python_full_version >= '3.11'"})
    assert _install(clone, lock, wheels).returncode == 0
    assert _installed(clone) == [name for name in PACKAGES if name != PACKAGES[1]]


@pytest.mark.parametrize("broken", [PACKAGES[0], PACKAGES[-1]])
def test_make_fails_where_one_pip_does_and_goes_on_from_there(broken, clone, wheels):
    right = hashlib.sha256(wheels[broken].read_bytes()).hexdigest()
    failed = _install(clone, _lock(wheels).replace(right, "1" * 64), wheels)
    assert failed.returncode != 0
    assert "THESE PACKAGES DO NOT MATCH THE HASHES" in failed.stderr
    assert broken in failed.stderr
    assert broken not in _installed(clone)
    assert not (clone / ".venv/.complete").exists()

    assert _install(clone, _lock(wheels), wheels).returncode == 0
    assert _installed(clone) == [*PACKAGES]


def test_a_package_without_a_hash_is_refused(clone, wheels):
    refused = _install(clone, _lock({PACKAGES[0]: wheels[PACKAGES[0]]}) + f"{PACKAGES[1]}==1.0\n", wheels)
    assert refused.returncode != 0
    assert "--require-hashes" in refused.stderr
    assert _installed(clone) == [PACKAGES[0]]


def test_the_lock_lacks_nothing_that_its_packages_need():
    """No pip of `make env` looks for more than the lock has."""
    check = subprocess.run([sys.executable, "-m", "pip", "check"], check=False, capture_output=True, text=True)
    assert check.returncode == 0, check.stdout
