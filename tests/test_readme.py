"""The README is true: its commands exist, its examples run, its picture is the demo's."""

import re
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tasks.domain.records import Reason
from tasks.reporting.rules.aggregation import Aggregator
from tasks.reporting.rules.metrics import metrics_table
from tasks.warehouse.publish import write_parquet
from tasks.warehouse.rules.tables import METRICS, REJECTS, RUNS, SUMMARIES
from tests.builders.summary_days import rejects, summaries

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


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


@pytest.mark.parametrize("schema", [SUMMARIES, REJECTS, METRICS, RUNS], ids=["summaries", "rejects", "metrics", "runs"])
def test_readme_names_every_column_of(schema):
    assert [name for name in schema.names if f"`{name}`" not in README] == []


def test_readme_names_the_types_of_summaries():
    listed: dict[str, str] = {}
    dictionary = README.partition("\n`summaries`\n")[2].partition("\n`rejects`")[0]
    for names, kinds in re.findall(r"^\| (`.+?`) \| (.+?) \|", dictionary, re.MULTILINE):
        columns, types = re.findall("[a-z_]+", names), re.findall(r"\w+(?:\[[^]]*\]|<[^>]*>)?", kinds)
        listed.update(zip(columns, types * len(columns) if len(types) == 1 else types, strict=True))
    real = {field.name: str(field.type).replace("tz=", "") for field in SUMMARIES}
    assert listed == real


def test_readme_names_every_metric_with_its_dimensions():
    aggregator = Aggregator(date(2026, 11, 22), date(2026, 11, 22), ZoneInfo("Asia/Shanghai"))
    aggregator.add_summaries(summaries(20))
    aggregator.add_rejects(rejects(1))
    usage = dict.fromkeys((field.name for field in RUNS if field.type in (pa.int64(), pa.float64())), 1)
    made = metrics_table(aggregator.result(usage))
    pairs = set(zip(made["metric"].to_pylist(), made["dimension"].to_pylist(), strict=True))
    listed = {
        (metric, dimension)
        for metrics, dimensions in re.findall(r"^\| (`.+`) \| (`.+`) \| .+ \|$", README, re.MULTILINE)
        for metric in re.findall("`([a-z_]+)`", metrics)
        for dimension in re.findall("`([a-z_]+)`", dimensions)
    }
    assert listed == pairs


def test_readme_names_every_reason():
    assert [reason.value for reason in Reason if f"`{reason.value}`" not in README] == []


@pytest.mark.parametrize("target", re.findall(r"\bmake ([a-z-]+)", README))
def test_readme_names_targets_that_exist(target):
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("link", re.findall(r"\]\(([^)#:]+)\)", README))
def test_readme_links_lead_somewhere(link):
    assert (ROOT / link).exists()


def test_tables_carry_their_schema_version(warehouse):
    metadata = pq.read_schema(warehouse / "warehouse/summaries/day=2026-11-22/summaries.parquet").metadata
    assert metadata[b"kefu.schema_version"] == b"1"
