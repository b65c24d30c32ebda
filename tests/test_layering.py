"""Who may import whom. The rules stay pure, the SDKs stay in their clients, the environment stays in the settings."""

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PURE = {"pyarrow", "orjson", "jieba", "rapidfuzz", "jinja2", "markupsafe", "numpy", "tasks.domain"}
SDKS = {"qianfan", "baidubce", "aiohttp", "requests", "httpx"}
IMPURE_STANDARD = {"socket", "urllib.request", "http.client", "subprocess", "threading", "asyncio", "logging", "time"}


def imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found |= {f"{node.module}.{alias.name}" for alias in node.names if node.module in {"tasks", "flows"}}
    return found


def is_below(name: str, parents: set[str]) -> bool:
    return any(name == parent or name.startswith(f"{parent}.") for parent in parents)


def modules(folder: str, pattern: str = "**/*.py") -> list[Path]:
    found = sorted((ROOT / folder).glob(pattern))
    assert found
    return found


@pytest.mark.parametrize("path", modules("tasks/domain"), ids=lambda path: path.name)
def test_domain_imports_only_pure_things(path):
    for name in imports(path):
        standard = name.partition(".")[0] in sys.stdlib_module_names and not is_below(name, IMPURE_STANDARD)
        assert standard or is_below(name, PURE), f"{path.name} imports {name}"


@pytest.mark.parametrize("path", modules("tasks/domain"), ids=lambda path: path.name)
def test_domain_asks_no_clock_and_no_environment(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    called = {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert not called & {"datetime.now", "date.today", "datetime.utcnow", "os.environ", "os.getenv", "time.time"}


@pytest.mark.parametrize("path", modules("tasks/clients"), ids=lambda path: path.name)
def test_clients_know_neither_prefect_nor_tasks(path):
    for name in imports(path):
        assert not is_below(name, {"prefect", "flows"}), f"{path.name} imports {name}"
        if name.startswith("tasks."):
            assert is_below(name, {"tasks.domain", "tasks.clients"}), f"{path.name} imports {name}"


@pytest.mark.parametrize("path", modules("tasks", "*.py"), ids=lambda path: path.name)
def test_tasks_reach_the_outside_through_ports_only(path):
    for name in imports(path):
        if path.name in {"shared_quota.py", "shards.py"} and name == "httpx":
            continue  # what Prefect's own client raises
        assert not is_below(name, SDKS | {"flows", "tasks.clients"}), f"{path.name} imports {name}"


@pytest.mark.parametrize("path", modules("flows"), ids=lambda path: path.name)
def test_flows_import_clients_in_settings_and_blocks_only(path):
    for name in imports(path):
        assert not is_below(name, SDKS), f"{path.name} imports {name}"
        if path.name not in {"settings.py", "blocks.py"}:
            assert not is_below(name, {"tasks.clients"}), f"{path.name} imports {name}"


@pytest.mark.parametrize(
    "path", [*modules("flows"), *modules("tasks"), *modules("deployments")], ids=lambda path: path.name
)
def test_only_settings_read_the_environment(path):
    hands_it_on = ROOT / "deployments" / "serve.py"  # to the processes it starts
    if path in {ROOT / "flows" / "settings.py", hands_it_on}:
        return
    text = path.read_text(encoding="utf-8")
    assert "os.environ" not in text
    assert "getenv" not in text
