"""The lock installs anywhere: it names no index, hashes everything, and holds back what breaks Prefect's server."""

import os
import re
import subprocess
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.conftest import ROOT

LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
RUNTIME = (ROOT / "deployments" / "requirements-runtime.lock").read_text(encoding="utf-8")
PIP = (ROOT / "deployments" / "requirements-pip.lock").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCKS = (
    pytest.param(LOCK, id="everything"),
    pytest.param(RUNTIME, id="runtime"),
    pytest.param(PIP, id="pip"),
)
PYTHONS = ("3.11", "3.12", "3.13")
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")


def entries(lock: str = LOCK) -> dict[str, list[tuple[Requirement, list[str]]]]:
    """Name -> its locked requirements (several where markers choose one), each with its hashes."""
    found: dict[str, list[tuple[Requirement, list[str]]]] = {}
    for line in lock.replace("\\\n", " ").splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        requirement = Requirement(line.partition("--hash")[0].strip())
        found.setdefault(canonicalize_name(requirement.name), []).append((requirement, HASH.findall(line)))
    return found


def pins(lock: str) -> dict[tuple[str, str], tuple[str, ...]]:
    """(name, version) -> the hashes of it."""
    return {
        (name, str(requirement.specifier)): tuple(hashes)
        for name, alternatives in entries(lock).items()
        for requirement, hashes in alternatives
    }


def declared() -> list[Requirement]:
    return [Requirement(text) for text in (*PROJECT["project"]["dependencies"], *PROJECT["dependency-groups"]["dev"])]


def locked_version(name: str, python: str) -> str:
    environment = {"python_version": python, "python_full_version": f"{python}.1", "sys_platform": "linux"}
    versions = [
        next(iter(requirement.specifier)).version
        for requirement, _ in entries()[canonicalize_name(name)]
        if requirement.marker is None or requirement.marker.evaluate(environment)
    ]
    assert len(versions) == 1, f"{name} has {len(versions)} versions for Python {python}"
    return versions[0]


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_names_no_index_and_no_address(lock):
    assert "://" not in lock
    options = set(re.findall(r"(?<!\S)--?[a-z][a-z-]*", lock))
    assert options == {"--hash"}


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_pins_and_hashes_every_entry(lock):
    assert entries(lock)
    for name, alternatives in entries(lock).items():
        for requirement, hashes in alternatives:
            assert [specifier.operator for specifier in requirement.specifier] == ["=="], name
            assert hashes, f"{name} has no hash"


@pytest.mark.parametrize("python", PYTHONS)
def test_lock_covers_every_declared_dependency(python):
    for requirement in declared():
        version = locked_version(requirement.name, python)
        assert requirement.specifier.contains(version), f"{requirement} is locked at {version}"


def test_declared_pythons_are_the_locked_ones():
    supported = Requirement(f"python{PROJECT['project']['requires-python']}").specifier
    assert [f"3.{minor}" for minor in range(9, 16) if supported.contains(f"3.{minor}")] == list(PYTHONS)


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("holding", ["fastapi<0.151", "sqlalchemy<2.1", "prefect<3.9"])
def test_lock_holds_back_what_breaks_the_server(holding, python):
    requirement = Requirement(holding)
    assert requirement.specifier.contains(locked_version(requirement.name, python))
    assert any(canonicalize_name(dependency.name) == requirement.name for dependency in declared())


def test_runtime_lock_has_the_pins_and_hashes_of_the_whole_lock():
    assert pins(RUNTIME).items() < pins(LOCK).items()


def test_setuptools_is_the_same_wherever_it_is_installed():
    assert pins(PIP).items() - pins(LOCK).items() == {pin for pin in pins(PIP).items() if pin[0][0] == "pip"}


def test_runtime_lock_has_what_the_project_depends_on_and_nothing_that_only_tests_need():
    names = set(entries(RUNTIME))
    assert {canonicalize_name(Requirement(text).name) for text in PROJECT["project"]["dependencies"]} <= names
    # Prefect itself needs these four.
    developers = {canonicalize_name(Requirement(text).name) for text in PROJECT["dependency-groups"]["dev"]}
    assert developers & names <= {"asyncpg", "cryptography", "greenlet", "packaging"}


def test_image_and_environment_install_by_hashes_only():
    dockerfile = (ROOT / "deployments" / "Dockerfile").read_text(encoding="utf-8")
    of_image = re.findall(r"pip install (.*?)(?: \\)?\n", dockerfile)
    plan = ["make", "--dry-run", "--always-make", "env"]
    environment = {name: value for name, value in os.environ.items() if name not in {"MAKEFLAGS", "MFLAGS"}}
    planned = subprocess.run(plan, cwd=ROOT, env=environment, check=True, capture_output=True, text=True).stdout
    of_environment = [line for line in planned.splitlines() if "pip install" in line]
    assert [line.split()[-1] for line in of_image] == ["requirements-pip.lock", "requirements-runtime.lock"]
    assert re.findall(r"\S*\.lock|--editable", planned) == [
        "deployments/requirements-pip.lock",
        "deployments/requirements-runtime.lock",
        "--editable",
        "requirements.lock",
    ]
    assert len(of_environment) == 4
    for line in [*of_image, *of_environment]:
        assert "--require-hashes" in line or "--no-index" in line, line
