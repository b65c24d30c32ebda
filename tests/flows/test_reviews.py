"""The review loop: a sample becomes a sheet, a person fills it in, the sheet becomes labels; whatever people do to it."""

import asyncio
import csv
import io
import shutil
from datetime import date

import pyarrow.parquet as pq
import pytest
from openpyxl import load_workbook

from flows.build_report import build_report
from flows.evaluate_model import evaluate_model, judge_published
from flows.import_reviews import import_reviews
from flows.import_reviews import main as import_main
from flows.sample_for_review import sample_for_review
from flows.summarize_day import summarize_day
from flows.wiring.settings import load_settings
from tasks.domain.errors import NoTables, UsageError
from tasks.reviewing.rules.review_sheet import (
    ACCEPTED,
    COLUMNS,
    ISSUE,
    NEGATIVE,
    NOTE,
    NUMBER,
    PLAN,
    REVIEWER,
    TO_FILL_IN,
)
from tasks.warehouse.rules.tables import LABELS
from tests.conftest import ROOT
from tests.servers.qianfan import ACCESS_KEY, SECRET_KEY, QianfanServer

pytestmark = pytest.mark.usefixtures("prefect_server")

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


def sampled(settings, output, size=30, seed=0, day=DAY, reviewers=1):
    return asyncio.run(sample_for_review(day, day, size, seed, str(output), reviewers, settings))


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
    assert again | {"sheet": "", "sheets": []} == made | {"sheet": "", "sheets": []}
    other = sampled(settings, "", seed=1)
    assert other["sample"] != made["sample"]
    assert other["sheet"].startswith(f"{settings['warehouse']}/reviews/")

    sheet = load_workbook(tmp_path / "a.xlsx").worksheets[0]
    rows = list(csv.reader(io.StringIO((tmp_path / "b.csv").read_text(encoding="utf-8-sig"), newline="")))
    assert [cell.value for cell in sheet[1]] == rows[0] == list(COLUMNS)
    assert [row[0].value for row in sheet.iter_rows(min_row=2)] == [row[0] for row in rows[1:]]
    assert sheet.freeze_panes == "B2"
    assert {str(validation.formula1) for validation in sheet.data_validations.dataValidation} == {'"是,否,未明确"'}
    dialogue = COLUMNS.index("对话")
    assert sheet.cell(2, dialogue + 1).alignment.wrap_text
    assert "用户：" in str(sheet.cell(2, dialogue + 1).value)
    assert "13800" not in "".join(row[dialogue] for row in rows)
    # Nobody is led by the model's verdicts, nor by why a row was drawn: both stand behind the cells to fill in.
    assert max(map(COLUMNS.index, TO_FILL_IN)) < min(
        at for at, name in enumerate(COLUMNS) if name.startswith("模型：") or name == "抽样原因"
    )


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
            5: done | {NEGATIVE: "三分"},
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
    for column in (ACCEPTED, NEGATIVE):
        book.worksheets[0].cell(43, COLUMNS.index(column) + 1).value = "否"
    book.save(path)

    made = imported(settings, path)
    assert (made["reviewed"], made["changed"]) == (2, 2)
    assert made["not_reviewed"] == 30 - 8
    assert [message.partition("：")[0] for message in made["refused"]] == [
        f"第 4 行，“{NEGATIVE}”",
        f"第 5 行，“{NEGATIVE}”",
        f"第 6 行，“{ISSUE}”",
        f"第 7 行，“{NUMBER}”",
        f"第 8 行，“{PLAN}”",
        f"第 10 行，“{ACCEPTED}”",
        f"第 43 行，“{NUMBER}”",
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
    drawn = labels(settings)["stratum"].to_pylist().count("random")
    assert list(figures)[2:4] == ["random/rows", "random/accepted/accuracy"]
    assert figures["random/rows"] == drawn < 6


def filled_in(path, accepted, negative="否"):
    """A CSV sheet with the same verdicts in every row, or with a row's own from a function of its number."""
    header, *rows = csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline=""))
    for number, row in enumerate(rows):
        row[COLUMNS.index(ACCEPTED)] = accepted(number) if callable(accepted) else accepted
        row[COLUMNS.index(NEGATIVE)] = negative
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def test_two_people_review_the_same_sample_and_their_agreement_is_told(settings, tmp_path):
    made = sampled(settings, tmp_path / "a.csv", size=12, reviewers=2)
    first, second = (tmp_path / f"a-{number}.csv" for number in (1, 2))
    assert made["sheets"] == [str(first), str(second)]
    imported(settings, filled_in(first, "是"))
    imported(settings, filled_in(second, lambda number: "是" if number % 4 else "否"))

    rows = labels(settings).to_pylist()
    assert len(rows) == 12
    assert {(row["reviewer"], row["second_reviewer"]) for row in rows} == {("审核人1", "审核人2")}
    assert {row["accepted"] for row in rows} == {True}
    figures = asyncio.run(judge_published(load_settings(settings), None, None))
    assert figures["reviewers/both"] == 12
    assert figures["reviewers/accepted/accuracy"] == 75
    assert figures["reviewers/negative_sentiment/accuracy"] == 100
    assert imported(settings, second)["changed"] == 0


def test_what_was_published_is_judged_without_a_call_and_the_random_sample_first(settings, tmp_path):
    sampled(settings, tmp_path / "a.csv", size=30)
    imported(settings, filled_in(tmp_path / "a.csv", "是"))
    figures = asyncio.run(judge_published(load_settings(settings), DAY, DAY))
    names = list(figures)
    assert names[:2] == ["reviews", "random/reviews"]
    assert figures["reviews"] == 30
    assert figures["random/reviews"] + figures["uncertain/reviews"] + figures["disagreeing/reviews"] == 30
    assert max(names.index(name) for name in names if name.startswith("random/")) < min(
        names.index(name) for name in names if name.startswith("uncertain/")
    )
    assert figures["accepted/share rests on"] == figures["random/reviews"]
    assert figures["accepted/share corrected"] is None  # ten reviews are too few to tell
    with pytest.raises(UsageError, match="have a sample reviewed first"):
        asyncio.run(judge_published(load_settings(settings), date(2020, 1, 1), date(2020, 1, 2)))


def test_reports_tell_how_right_the_model_was_and_correct_its_shares(settings, tmp_path):
    def report():
        asyncio.run(build_report(DAY, DAY, settings))
        return (tmp_path / "w" / f"reports/day={DAY}/report.md").read_text(encoding="utf-8")

    assert "抽检" not in report()
    sampled(settings, tmp_path / "a.csv", size=30)
    imported(settings, filled_in(tmp_path / "a.csv", "是"))
    assert "随机抽检 10 条（11-22）" in (text := report())
    assert "不足 50 条" in text
    assert "修正为" not in text
    sampled(settings, tmp_path / "b.csv", size=200)
    imported(settings, filled_in(tmp_path / "b.csv", "是"))

    figures = asyncio.run(judge_published(load_settings(settings), DAY, DAY))
    reviews = figures["random/reviews"]
    assert reviews >= 50
    assert f"随机抽检 {reviews} 条（11-22）：接受判断 {figures['random/accepted/accuracy']:.0f}% 正确" in (
        text := report()
    )
    assert f"按 {reviews} 条随机抽检修正为" in text
    asyncio.run(summarize_day(DAY, settings | {"summarizer": "offline", "overwrite": True, "max_reject_ratio": 1}))
    text = (tmp_path / "w" / f"reports/day={DAY}/report.md").read_text(encoding="utf-8")
    assert "抽检" not in text, "nobody has reviewed what the rules made"


def test_import_reviews_ends_otherwise_where_rows_were_refused(settings, tmp_path, capsys):
    sampled(settings, tmp_path / "a.csv", size=4)
    arguments = ["--sheet", str(tmp_path / "a.csv"), "--warehouse", settings["warehouse"]]
    filled_in(tmp_path / "a.csv", lambda number: "对" if number else "大概")
    assert import_main(arguments) == 3
    told = capsys.readouterr().out
    assert "第 2 行，“是否接受”：“大概”无法识别，请从 是、否、未明确 中选择。" in told
    assert "3 reviewed" in told
    filled_in(tmp_path / "a.csv", "错")
    assert import_main(arguments) == 0
    assert {row["accepted"] for row in labels(settings).to_pylist()} == {False}


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
