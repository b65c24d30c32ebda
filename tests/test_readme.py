"""README and the documents it leads to are true: their commands, flags, examples, pictures, trees, columns and links."""

import re
import subprocess
import sys
from datetime import UTC, date, datetime
from inspect import signature
from itertools import pairwise

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flows.__main__ import commands
from tasks.domain import layout
from tasks.domain.records import Reason
from tasks.warehouse.publish import write_parquet
from tasks.warehouse.rules.dictionary import ABOUT, columns_markdown
from tasks.warehouse.rules.places import PLACES
from tasks.warehouse.rules.tables import RUNS, SUMMARIES
from tasks.warehouse.rules.views import TABLES
from tests.builders.day_statistics import statistics_of
from tests.builders.summary_days import rejects, summaries
from tests.conftest import ROOT
from tests.test_layering import LAYERS

DOCUMENTS = ("README.md", ".github/README.zh.md", "tasks/warehouse/README.md", "tasks/tuning/README.md")
README, CHINESE, WAREHOUSE, TUNING = ((ROOT / name).read_text(encoding="utf-8") for name in DOCUMENTS)
EXAMPLES = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def section(text: str, heading: str) -> str:
    """Return what stands below a heading, up to the next one."""
    return re.split(r"\n#+ ", text.partition(f"# {heading}\n")[2])[0]


@pytest.fixture
def warehouse(tmp_path):
    for day in (date(2026, 11, 21), date(2026, 11, 22)):
        folder = tmp_path / "warehouse" / "summaries" / f"day={day}"
        folder.mkdir(parents=True)
        row = {
            "conversation_id": "c1",
            "issue": "退货",
            "plan": "上门取件",
            "accepted": True,
            "negative_sentiment": True,
            "summarized_at": datetime(2026, 11, 23, tzinfo=UTC),
            "attributes": [("sku", "1")],
        }
        unsaid = row | {"conversation_id": "c2", "accepted": None}
        batch = pa.RecordBatch.from_pylist([row, unsaid], schema=SUMMARIES)
        write_parquet(folder / "summaries.parquet", SUMMARIES, [batch])
    return tmp_path


def run_example(example, folder):
    done = subprocess.run([sys.executable, "-c", example], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda text: text.split()[1])
def test_readme_examples_read_the_tables(example, warehouse):
    assert "2026-11-22" in run_example(example, warehouse)


def test_readme_example_shares_are_the_report_s(warehouse):
    (example,) = (example for example in EXAMPLES if "duckdb" in example)
    line = next(line for line in run_example(example, warehouse).splitlines() if "2026-11-22" in line)
    assert [float(cell) for cell in line.strip("│ ").split("│")[1:]] == [2, 0.5, 0.5]


def test_readme_has_an_example_for_each_reader():
    assert {"duckdb", "pandas", "polars"} <= set(re.findall(r"import (\w+)", "\n".join(EXAMPLES)))


def paths_of(tree: str) -> list[str]:
    """Return the paths of a tree that is drawn by indents of two."""
    paths: list[str] = []
    above: dict[int, str] = {}
    for indent, name in re.findall(r"^( *)(\S+/)(?= |$)", tree, re.MULTILINE):
        depth = len(indent) // 2
        above[depth] = (above[depth - 1] if depth else "") + name
        paths.append(above[depth])
    return paths


def packages(folder: str) -> set[str]:
    return {path.name for path in (ROOT / folder).iterdir() if path.is_dir() and (path / "__init__.py").exists()}


@pytest.mark.parametrize("text", [README, CHINESE], ids=["english", "chinese"])
def test_the_map_of_the_house_has_every_folder_and_no_other(text):
    (tree,) = re.findall(r"```text\n(flows/.*?)```", text, re.DOTALL)
    paths = paths_of(tree)
    assert [path for path in paths if not (ROOT / path).is_dir()] == []
    assert {path.split("/")[1] for path in paths if path.count("/") == 2 and path.startswith("tasks/")} >= packages(
        "tasks"
    )
    assert {path for path in paths if path.count("/") == 1} >= {f"{name}/" for name in packages(".")}


@pytest.mark.parametrize("text", [README, CHINESE], ids=["english", "chinese"])
def test_the_picture_of_the_architecture_is_the_layers(text):
    (picture,) = re.findall(r"```mermaid\n(.*?)```", text, re.DOTALL)
    rooms = dict(re.findall(r"subgraph (\w+)\[.*?\]\n +(.*?)\n +end", picture))
    drawn = [set(names.split("; ")) for names in rooms.values()]
    assert drawn == [set(layer) for layer in reversed(LAYERS)]
    assert {name for layer in drawn for name in layer} == packages("tasks")
    arrows = re.findall(r"^ +(\w+)(?:\[.*?\])? --> (\w+)", picture, re.MULTILINE)
    chain = ["deployments", "flows", "wiring", *rooms]
    assert arrows == list(pairwise(chain))


@pytest.mark.parametrize("text", [README, CHINESE, TUNING], ids=["english", "chinese", "tuning"])
def test_paths_that_are_named_exist(text):
    named = set(re.findall(r"`((?:tasks|flows|tests|deployments|\.github)/[\w./-]+)`", text))
    assert named
    assert [path for path in sorted(named) if not (ROOT / path).exists()] == []


def test_the_table_of_commands_is_that_of_the_flows():
    listed = re.findall(r"^\| `flows\.(\w+)", section(README, "Commands"), re.MULTILINE)
    assert len(listed) == len(set(listed))
    assert set(listed) == set(commands())


@pytest.mark.parametrize("text", [README, WAREHOUSE, TUNING], ids=["readme", "warehouse", "tuning"])
def test_flags_that_are_named_exist(text):
    source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "flows").rglob("*.py"))
    flags = set(re.findall(r"(?<![\w-])--([a-z][a-z-]+)", text)) - {"help"}
    named = r'"(?:--)?{}"|\b{}: '  # a command's own flags by name, settings and forms by field
    known = {flag for flag in flags if re.search(named.format(flag, flag.replace("-", "_")), source)}
    assert flags - known == set()


def test_readme_counts_the_themes():
    taxonomy = (ROOT / "tasks/themes/data/taxonomy.toml").read_text(encoding="utf-8")
    themes, groups = taxonomy.count("[[themes]]") - 1, len(re.findall(r"^  \{ id = ", taxonomy, re.MULTILINE)) - 1
    assert f"{themes} themes in {groups} groups" in README


@pytest.mark.parametrize("table", TABLES)
def test_the_document_has_the_dictionary_s_columns_of(table):
    written = section(WAREHOUSE, f"`{table}`")
    assert " ".join(written.split()).startswith(ABOUT[table])
    assert f"\n{columns_markdown(table)}\n" in f"{written}\n"


def test_the_document_names_every_metric_with_its_dimensions():
    usage = dict.fromkeys((field.name for field in RUNS if field.type in (pa.int64(), pa.float64())), 1)
    made = statistics_of(summaries(20), rejects=[rejects(1)], runs=[usage]).metrics
    pairs = set(zip(made["metric"].to_pylist(), made["dimension"].to_pylist(), strict=True))
    listed = {
        (metric, dimension)
        for metrics, dimensions in re.findall(r"^\| (`.+`) \| (`.+`) \| .+ \|$", WAREHOUSE, re.MULTILINE)
        for metric in re.findall("`([a-z_]+)`", metrics)
        for dimension in re.findall("`([a-z_]+)`", dimensions)
    }
    assert listed == pairs
    shown = re.findall(r"^\| `(\w+)` \| `(\w+)` \| `.+` \| [\d.]+ \| (\d+) \| (\d+) \|$", README, re.MULTILINE)
    assert len(shown) == 3
    assert {(metric, dimension) for metric, dimension, *_ in shown} <= pairs


def test_shares_of_the_example_rows_are_right():
    rows = re.findall(r"\| ([\d.]+) \| (\d+) \| (\d+) \|$", section(README, "Tables"), re.MULTILINE)
    assert [float(value) for value, _, _ in rows] == [round(int(part) / int(of), 3) for _, part, of in rows]


def test_the_document_names_every_reason():
    assert re.findall(r"^\| `(\w+)` \| [^|]+ \|$", section(WAREHOUSE, "`rejects`"), re.MULTILINE) == list(Reason)


def keys_of_the_layout() -> set[str]:
    """Return every key of tasks/domain/layout.py, its functions called with stand-ins."""
    stand_ins = {"day": date(2026, 11, 22), "table": "summaries", "name": "2026-11"}
    keys = {value for value in vars(layout).values() if isinstance(value, str) and re.fullmatch(r"_?[a-z]+/.*", value)}
    for name, function in vars(layout).items():
        if callable(function) and getattr(function, "__module__", "") == layout.__name__ and name != "partition_key":
            needed = [key for key, it in signature(function).parameters.items() if it.default is it.empty]
            keys.add(function(*(stand_ins.get(key, "x") for key in needed)))
    prefixes = {prefix for group in (layout.TABLES, layout.TEXTS, layout.PREFIXES) for prefix in group}
    return keys | prefixes


def test_the_warehouse_s_tree_is_the_layout_s():
    (tree,) = re.findall(r"```text\n(.*?)```", WAREHOUSE, re.DOTALL)
    listed = {line.partition("/")[0] for line in tree.splitlines()}
    keys = keys_of_the_layout()
    assert len(keys) > 15
    assert {key.partition("/")[0] for key in keys} - listed == set()
    known = {folder for place in PLACES for folder in re.findall(r"`(\w+)/", place.shown)}
    assert known - listed == set()
    assert {name for name in listed if not re.match("_catalog", name)} - known == set()


@pytest.mark.parametrize("text", [README, CHINESE, TUNING], ids=["readme", "chinese", "tuning"])
def test_targets_that_are_named_exist(text):
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"(?<=`)make ([a-z-]+)|^make ([a-z-]+)", text, re.MULTILINE))
    assert [
        target
        for pair in targets
        for target in pair
        if target and not re.search(rf"^{target}:", makefile, re.MULTILINE)
    ] == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_lead_somewhere(name):
    links = re.findall(r"\]\(([^)#:]+)\)", (ROOT / name).read_text(encoding="utf-8"))
    assert [link for link in links if not ((ROOT / name).parent / link).exists()] == []


def test_tables_carry_their_schema_version(warehouse):
    metadata = pq.read_schema(warehouse / "warehouse/summaries/day=2026-11-22/summaries.parquet").metadata
    assert metadata[b"kefu.schema_version"] == b"1"
