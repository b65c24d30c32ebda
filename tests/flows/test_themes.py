"""New themes: proposed from the tables, decided in a sheet, and given to the days before without a model call."""

import asyncio
import csv
from datetime import date, timedelta

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from openpyxl import load_workbook

from flows.accept_themes import accept_themes
from flows.propose_themes import propose_themes
from flows.wiring.services import open_warehouse
from flows.wiring.settings import load_settings
from flows.wiring.themes import open_themes
from tasks.domain.errors import NoTables
from tasks.domain.layout import partition_key
from tasks.reviewing.rules.theme_sheet import ACCEPT, FORM, ID, KEYWORDS, NAME, NUMBER, REFUSE, VERDICT
from tasks.themes.rules.taxonomy import OTHER
from tasks.warehouse.parquet import parquet_bytes
from tasks.warehouse.rules.tables import REJECTS, RUNS, SUMMARIES
from tests.builders.summary_days import rejects, run, summaries
from tests.tasks.themes.rules.test_discovery import NEW

pytestmark = pytest.mark.usefixtures("prefect_server")

DAY = date(2026, 11, 22)
COLUMNS = FORM.columns


@pytest.fixture
def settings(tmp_path, request):
    """A warehouse of eight days without themes; on the last one, a fiftieth of the issues are of a new matter.

    Or of another column, which a test may name.
    """
    field = getattr(request, "param", "issue")
    warehouse = tmp_path / "w"
    for number in range(8):
        day = DAY - timedelta(days=number)
        rows = [row | {"theme": None, "plan_theme": None} for row in summaries(1000, number + 1, day=day).to_pylist()]
        if number == 0:
            for place in range(0, 1000, 50):
                rows[place][field] = NEW[place // 50]
        tables = {
            "summaries": pa.Table.from_pylist(rows, schema=SUMMARIES),
            "rejects": pa.Table.from_batches([rejects(3)], schema=REJECTS),
            "runs": pa.Table.from_pylist([run()], schema=RUNS),
        }
        for name, table in tables.items():
            path = warehouse / partition_key(name, day)
            path.parent.mkdir(parents=True)
            path.write_bytes(parquet_bytes(table))
    return {"warehouse": str(warehouse)}


def proposed(settings, output, start=DAY, end=DAY):
    return asyncio.run(propose_themes(start, end, str(output), settings))


def themes_of(settings, day=DAY):
    return pq.ParquetFile(f"{settings['warehouse']}/{partition_key('summaries', day)}").read()


def fill_in(path, cells):
    book = load_workbook(path)
    sheet = book.worksheets[0]
    for column, text in cells.items():
        for row in range(2, sheet.max_row + 1):
            sheet.cell(row, COLUMNS.index(column) + 1).value = text
    book.save(path)


@pytest.mark.parametrize(
    ("settings", "field", "column"),
    [("issue", "issue", "theme"), ("plan", "plan", "plan_theme")],
    indirect=["settings"],
)
def test_a_new_theme_is_proposed_accepted_and_given_to_the_days_before(settings, field, column, tmp_path):
    sheet = tmp_path / "themes.xlsx"
    made = proposed(settings, sheet)
    assert [(proposal["field"], proposal["size"]) for proposal in made["proposals"]] == [(field, 20)]
    before = themes_of(settings)
    assert before["theme"].null_count == before.num_rows  # nothing is added silently

    fill_in(sheet, {VERDICT: ACCEPT, ID: "live_promise", NAME: "直播承诺"})
    done = asyncio.run(accept_themes(str(sheet), DAY - timedelta(days=1), DAY, settings))
    assert (done["accepted"], done["errors"]) == (["live_promise"], [])
    assert done["restated"] == ["2026-11-21", "2026-11-22"]
    (row,) = pq.ParquetFile(f"{settings['warehouse']}/{partition_key('runs', DAY)}").read().to_pylist()
    assert row["published_at"] > row["finished_at"]  # an incremental load takes the day again

    after = themes_of(settings)
    assert after.drop_columns(["theme", "plan_theme"]).equals(before.drop_columns(["theme", "plan_theme"]))
    taken = after.filter(pc.equal(after[column], "live_promise"))
    assert sorted(taken[field].to_pylist()) == sorted(NEW[:20])
    assert after.filter(pc.is_null(after[field]))[column].null_count == pc.sum(pc.is_null(after[field])).as_py()
    metrics = pq.ParquetFile(f"{settings['warehouse']}/{partition_key('metrics', DAY)}").read().to_pylist()
    counted = {
        row["value_key"]: row["value"] for row in metrics if (row["metric"], row["dimension"]) == ("summaries", column)
    }
    assert counted["live_promise"] == 20
    named = pq.ParquetFile(f"{settings['warehouse']}/{partition_key('themes', DAY)}").read().to_pylist()
    assert {row["theme"]: row["name_zh"] for row in named}["live_promise"] == "直播承诺"
    assert themes_of(settings, DAY - timedelta(days=2))["theme"].null_count == 1000  # only what was asked for

    assert proposed(settings, tmp_path / "again.xlsx")["proposals"] == []
    config = load_settings(settings)
    assert open_themes(config, open_warehouse(config)).taxonomy.ids[-2:] == ("live_promise", OTHER)


def test_a_refused_theme_is_not_proposed_again_and_takes_no_text(settings, tmp_path):
    sheet = tmp_path / "themes.csv"
    proposed(settings, sheet)
    header, *rows = csv.reader(sheet.read_text(encoding="utf-8-sig").splitlines(keepends=True))
    for row in rows:
        row[header.index(VERDICT)] = REFUSE
    with sheet.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    done = asyncio.run(accept_themes(str(sheet), None, None, settings))
    assert (done["accepted"], done["refused"]) == ([], 1)
    assert proposed(settings, tmp_path / "again.xlsx")["proposals"] == []


@pytest.mark.parametrize(
    ("cells", "column"),
    [
        ({ID: "gift"}, ID),
        ({ID: "Nicht gut"}, ID),
        ({KEYWORDS: "、"}, KEYWORDS),
        ({VERDICT: "maybe"}, VERDICT),
        ({NUMBER: "../../decisions"}, NUMBER),
    ],
)
def test_a_row_that_does_not_fit_is_refused_with_its_reason(settings, tmp_path, cells, column):
    sheet = tmp_path / "themes.xlsx"
    proposed(settings, sheet)
    fill_in(sheet, {VERDICT: ACCEPT} | cells)
    done = asyncio.run(accept_themes(str(sheet), None, None, settings))
    assert done["accepted"] == []
    assert [f"“{column}”" in error for error in done["errors"]] == [True]


def test_a_span_without_tables_says_so(settings, tmp_path):
    with pytest.raises(NoTables, match="summarize those days first"):
        proposed(settings, tmp_path / "a.xlsx", date(2020, 1, 1), date(2020, 1, 7))


def test_a_warehouse_that_is_not_there_yet_has_no_accepted_themes(tmp_path):
    config = load_settings({"warehouse": str(tmp_path / "none")})
    assert open_themes(config, open_warehouse(config)).taxonomy.ids[-1] == OTHER
