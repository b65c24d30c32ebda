"""The project installs as a package: `pip install .` gives the command `kefu-digest` and all that it reads."""

import ast
import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.conftest import ROOT

PACKAGES = ("flows", "tasks", "deployments")


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """The files of a wheel, built without an index, as an installer lays them out."""
    source: Path = tmp_path_factory.mktemp("source")
    site: Path = tmp_path_factory.mktemp("site")
    for folder in PACKAGES:
        shutil.copytree(ROOT / folder, source / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-index", "--no-build-isolation"]
    subprocess.run([*build, "--wheel-dir", "wheels", "."], cwd=source, check=True, capture_output=True)
    (wheel,) = (source / "wheels").glob("kefu_digest-*.whl")
    zipfile.ZipFile(wheel).extractall(site)
    return site


def kefu_digest(installed: Path, where: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command as its script does, in some folder that holds nothing of the project."""
    (entry,) = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"].items()
    module, _, function = entry[1].partition(":")
    script = f"import sys; from {module} import {function}; sys.argv[0] = {entry[0]!r}; sys.exit({function}())"
    environment = os.environ | {"PYTHONPATH": str(installed), "PYTHONSAFEPATH": "1"}
    command = [sys.executable, "-c", script, *arguments]
    return subprocess.run(command, cwd=where, env=environment, check=False, capture_output=True, text=True)


def _canonical(requirement: str) -> str:
    return str(canonicalize_name(Requirement(requirement).name))


def test_every_package_that_is_imported_is_a_dependency_with_a_reason():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    runtime = set(map(_canonical, project["project"]["dependencies"]))
    trainers = runtime | set(map(_canonical, project["dependency-groups"]["dev"]))
    distributions = packages_distributions()
    for path in (path for folder in PACKAGES for path in (ROOT / folder).rglob("*.py")):
        # A developer trains what ships as data; no flow imports that.
        declared = trainers if path.name == "__main__.py" and "tasks" in path.parts else runtime
        for name in _imported(path) - sys.stdlib_module_names - {*PACKAGES}:
            brought_by = set(map(canonicalize_name, distributions[name]))
            assert brought_by & declared, f"{path.relative_to(ROOT)} imports {name}, which pyproject.toml does not name"


def _imported(path: Path) -> set[str]:
    """The top-level packages that a module imports, wherever it does."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found


def test_a_wheel_holds_every_file_of_the_packages(installed):
    for folder in PACKAGES:
        ours = {path for path in (ROOT / folder).rglob("*") if path.is_file() and "__pycache__" not in path.parts}
        theirs = {path for path in (installed / folder).rglob("*") if path.is_file()}
        assert {path.relative_to(installed) for path in theirs} == {path.relative_to(ROOT) for path in ours}


def test_the_installed_command_lists_all_commands(installed, tmp_path):
    said = kefu_digest(installed, tmp_path)
    assert said.returncode == 0
    assert said.stdout.startswith("kefu-digest COMMAND --help explains its flags.\n")
    listed = {line.split()[0] for line in said.stdout.splitlines()[2:]}
    commands = {path.stem for path in (ROOT / "flows").glob("[!_]*.py")} - {"summarize_shard"}
    assert listed == commands


def test_the_installed_command_reads_logs_where_one_stands(installed, tmp_path):
    log = "会话ID,角色,内容\nc1,用户,快递什么时候到\nc1,客服,明天送到\n"
    (tmp_path / "logs.csv").write_text(log, encoding="utf-8")
    said = kefu_digest(installed, tmp_path, "try_logs", "logs.csv")
    assert (said.returncode, said.stderr) == (0, "")
    assert "快递什么时候到" in said.stdout


def test_the_installed_command_is_called_by_its_own_name(installed, tmp_path):
    script = tmp_path / "kefu-digest"
    script.write_text("import sys\nfrom flows.__main__ import main\nsys.exit(main())\n", encoding="utf-8")
    environment = os.environ | {"PYTHONPATH": str(installed), "PYTHONSAFEPATH": "1"}
    command = [sys.executable, str(script), "summarize_day", "--help"]
    said = subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True, text=True)
    assert said.stdout.startswith("usage: kefu-digest summarize_day [flags]")
    sample = "".join(said.stdout.split()).partition("isthe" + "day(default:")[2].partition(")")[0]
    assert Path(sample.format(day="2026-11-22")) == installed / "deployments/demo/logs/2026-11-22"
    assert any(Path(sample.format(day="2026-11-22")).iterdir())
