"""The review loop: a sample becomes a sheet, a person fills it in, the sheet becomes labels; whatever people do to it."""

import asyncio
import csv
import io
import shutil
from datetime import date

import pyarrow.parquet as pq
import pytest
from openpyxl import load_workbook

from flows.evaluate_model import evaluate_model
from flows.import_reviews import import_reviews
from flows.sample_for_review import sample_for_review
from flows.summarize_day import summarize_day
from tasks.domain.errors import NoTables, UsageError
from tasks.reviewing.rules.review_sheet import ACCEPTED, COLUMNS, ISSUE, NEGATIVE, NOTE, NUMBER, PLAN, REVIEWER
from tasks.warehouse.rules.tables import LABELS
from tests.conftest import ROOT
from tests.servers.qianfan import ACCESS_KEY, SECRET_KEY, QianfanServer

pytestmark = [
    pytest.mark.usefixtures("prefect_server"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore:unclosed:ResourceWarning"),
]

DAY = date(2026, 11, 22)
SOURCE = str(ROOT / "deployments" / "demo" / "logs" / "{day}")


@pytest.fixture(scope="module")
def published(prefect_server, tmp_path_factory):
    """A warehouse that holds the demo's last day, summarized by a model that makes mistakes."""
    warehouse = tmp_path_factory.mktemp("published") / "w"
    with QianfanServer(mode="mixed") as qianfan, pytest.MonkeyPatch.context() as environment:
        environment.setenv("QIANFAN_ACCESS_KEY", ACCESS_KEY)
        environment.setenv("QIANFAN_SECRET_KEY", SECRET_KEY)
        environment.setenv("QIANFAN_CONSOLE_API_BASE_URL", qianfan.url)
        environment.setenv("QIANFAN_IAM_BASE_URL", qianfan.url)
        model = {"summarizer": "qianfan", "endpoint": "sft_v1", "max_reject_ratio": 1}
        asyncio.run(summarize_day(DAY, {"source": SOURCE, "warehouse": str(warehouse), **model}))
    return warehouse


@pytest.fixture
def settings(published, tmp_path):
    """Settings for a copy of that warehouse."""
    shutil.copytree(published, tmp_path / "w")
    return {"source": SOURCE, "warehouse": str(tmp_path / "w")}


def sampled(settings, output, size=30, seed=0, day=DAY):
    return asyncio.run(sample_for_review(day, day, size, seed, str(output), settings))


def imported(settings, sheet):
    return asyncio.run(import_reviews(str(sheet), settings))


def labels(settings):
    return pq.ParquetFile(f"{settings['warehouse']}/labels/day={DAY}/labels.parquet").read()


def fill_in(path, rows):
    """Fill in cells of an XLSX: {row: {column: text}}."""
    book = load_workbook(path)
    for row, cells in rows.items():
        for column, text in cells.items():
            book.worksheets[0].cell(row, COLUMNS.index(column) + 1).value = text
    book.save(path)


def test_sample_for_review_draws_each_kind_and_the_same_again(settings, tmp_path):
    made = sampled(settings, tmp_path / "a.xlsx")
    assert made["conversations"] == 30
    assert min(made["random"], made["uncertain"], made["disagreeing"]) >= 5
    again = sampled(settings, tmp_path / "b.csv")
    assert again | {"sheet": ""} == made | {"sheet": ""}
    other = sampled(settings, "", seed=1)
    assert other["sample"] != made["sample"]
    assert other["sheet"].startswith(f"{settings['warehouse']}/reviews/")

    sheet = load_workbook(tmp_path / "a.xlsx").worksheets[0]
    rows = list(csv.reader(io.StringIO((tmp_path / "b.csv").read_text(encoding="utf-8-sig"), newline="")))
    assert [cell.value for cell in sheet[1]] == rows[0] == list(COLUMNS)
    assert [row[0].value for row in sheet.iter_rows(min_row=2)] == [row[0] for row in rows[1:]]
    assert sheet.freeze_panes == "B2"
    assert {str(one.formula1) for one in sheet.data_validations.dataValidation} == {'"是,否,未明确"'}
    assert sheet["E2"].alignment.wrap_text
    assert "用户：" in sheet["E2"].value
    assert "13800" not in "".join(row[4] for row in rows)


def test_import_reviews_keeps_what_fits_and_says_why_the_rest_does_not(settings, tmp_path):
    path = tmp_path / "a.xlsx"
    sampled(settings, path)
    done = {ACCEPTED: "是", NEGATIVE: "否", REVIEWER: "小王"}
    fill_in(
        path,
        {
            2: done,
            3: done | {ACCEPTED: " 未明确 ", ISSUE: "想退货，\n联系 13800138000", PLAN: "无", NOTE: "+语气不好"},
            4: {ACCEPTED: "是"},
            5: done | {NEGATIVE: "不知道"},
            6: done | {ISSUE: "=1+1"},
            7: done | {NUMBER: "S0-0001"},
            8: done | {PLAN: "长" * 600},
            9: {REVIEWER: "小王"},
            10: {PLAN: "退款"},
        },
    )
    book = load_workbook(path)
    book.worksheets[0].move_range("A2:O2", rows=40)  # sorting and gaps harm nothing
    book.worksheets[0]["A43"] = book.worksheets[0]["A42"].value
    book.worksheets[0]["J43"], book.worksheets[0]["K43"] = "否", "否"
    book.save(path)

    made = imported(settings, path)
    assert (made["reviewed"], made["changed"]) == (2, 2)
    assert made["not_reviewed"] == 30 - 8
    assert [message.partition(":")[0] for message in made["refused"]] == [
        f"row 4, column {NEGATIVE}",
        f"row 5, column {NEGATIVE}",
        f"row 6, column {ISSUE}",
        f"row 7, column {NUMBER}",
        f"row 8, column {PLAN}",
        f"row 10, column {ACCEPTED}",
        f"row 43, column {NUMBER}",
    ]
    table = labels(settings)
    assert table.schema.remove_metadata() == LABELS.remove_metadata()
    corrected = next(row for row in table.to_pylist() if row["note"])
    assert (corrected["issue"], corrected["plan"], corrected["accepted"]) == ("想退货， 联系 [手机号]", None, None)
    assert corrected["note"] == "+语气不好"
    assert {row["negative_sentiment"] for row in table.to_pylist()} == {False}
    assert all(row["text"] and row["stratum"] and row["model"] == "sft_v1" for row in table.to_pylist())

    before = table.to_pylist()
    assert imported(settings, path)["changed"] == 0
    assert labels(settings).to_pylist() == before
    fill_in(path, {3: {ACCEPTED: "否"}})
    assert imported(settings, path)["changed"] == 1
    assert len(labels(settings)) == 2


def test_labels_are_not_drawn_again_and_measure_models(settings, tmp_path):
    path = tmp_path / "a.csv"
    sampled(settings, path, size=6)
    header, *rows = csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline=""))
    for row in rows:
        row[COLUMNS.index(ACCEPTED)], row[COLUMNS.index(NEGATIVE)] = "否", "是"
    with path.open("w", encoding="gb18030", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    assert imported(settings, path)["reviewed"] == 6

    labeled = set(labels(settings)["content_hash"].to_pylist())
    again = sampled(settings, tmp_path / "b.csv", size=1000)
    sample = pq.ParquetFile(tmp_path / "w" / "_reviews" / f"{again['sample']}.parquet").read()
    assert not labeled & set(sample["content_hash"].to_pylist())
    figures = asyncio.run(evaluate_model(settings=settings))
    assert (figures["rows"], figures["references"]) == (6, 6)


def test_sample_for_a_file_that_is_no_sheet_is_not_drawn(settings, tmp_path):
    with pytest.raises(UsageError, match=r"an \.xlsx or a \.csv file"):
        sampled(settings, tmp_path / "review.pdf")
    assert not (tmp_path / "w" / "_reviews").exists()


@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "There is no sheet"), ((",".join(COLUMNS) + "\nS0-1" + "," * 14).encode(), "None of the samples")],
)
def test_import_reviews_refuses_what_is_no_sheet_of_ours(content, words, tmp_path):
    if content is not None:
        (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(UsageError, match=words):
        imported({"warehouse": str(tmp_path)}, tmp_path / "a.csv")


def test_sample_for_review_needs_summaries(tmp_path):
    with pytest.raises(NoTables, match="summarize those days first"):
        sampled({"warehouse": str(tmp_path)}, "a.xlsx")
