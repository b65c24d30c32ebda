"""One screen says what logs are taken for, and gives a mapping where that is a guess; nobody is called."""

import json
import subprocess
import sys
from typing import Any

import pytest

from flows import summarize_day, try_logs

ASK, TELL = "我的箱子拉链坏了怎么办", "您拍张照片，我给您换一只"


@pytest.fixture
def look(capsys):
    """The command; its exit code, its output and its errors."""

    def look(*arguments) -> tuple[Any, str, str]:
        ended_with: Any
        try:
            ended_with = try_logs.main([*map(str, arguments)])
        except SystemExit as ended:
            ended_with = ended.code
        return ended_with, *capsys.readouterr()

    return look


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "month.csv"
    rows = [
        f"c{day},{role},{words},2026-11-{day} 23:5{at}:00,一店\n"
        for day in (20, 21)
        for at, (role, words) in enumerate([("用户", f"{ASK}13912345678"), ("客服", TELL)])
    ]
    path.write_text("会话ID,角色,内容,时间,店铺名\n" + "".join(rows), encoding="gbk")
    return path


def test_try_logs_shows_format_columns_speakers_days_and_conversations_as_the_model_sees_them(table):
    ran = subprocess.run(
        [sys.executable, "-m", "flows.try_logs", str(table)], capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    out = ran.stdout
    for shown in ("csv, gb18030", "会话ID = conversation_id", "店铺名 = an attribute", "用户 = user; 客服 = agent",
                  "2 conversations can be summarized, 0 rejects", "2026-11-20 1; 2026-11-21 1", f"客服：{TELL}",
                  f"backfill_days --all-days --source {table}", "--day 2026-11-21"):  # fmt: skip
        assert shown in out
    assert "13912345678" not in out
    assert "Prefect" not in out


def test_try_logs_gives_a_mapping_that_works_when_saved(tmp_path, look):
    log = tmp_path / "odd.csv"
    rows = [
        f"a{n},{who},{words}{n},2026-11-22 10:0{at}:00\n"
        for n in range(4)
        for at, (who, words) in enumerate([("甲方", ASK), ("小马", TELL)])
    ]
    log.write_text("编码,谁说的,说了什么,几点\n" + "".join(rows), encoding="utf-8")
    code, out, error = look(log)
    assert (code, error) == (1, f"kefu-digest: No conversation in {log} can be summarized.\n")
    assert "Nothing here" not in out
    suggested = [line.strip() for line in out.splitlines() if line.startswith("  [mine]") or "= {" in line]
    mapping = tmp_path / "mine.toml"
    mapping.write_text("\n".join(suggested), encoding="utf-8")
    code, out, error = look(log, "--mappings", mapping, "--log-format", "mine")
    assert (code, error) == (0, "")
    assert "4 conversations can be summarized, 0 rejects" in out


def test_try_logs_asks_whose_side_a_name_is_on(tmp_path, look):
    log = tmp_path / "chat.txt"
    log.write_text(
        "2026-11-22 10:00:00 客服：智能助手为您服务\n2026-11-22 10:00:10 访客6874：箱子坏了\n"
        "2026-11-22 10:00:30 林晓：给您换一只\n2026-11-22 10:00:50 访客6874：好的\n", encoding="utf-8",
    )  # fmt: skip
    code, out, error = look(log, "--json")
    found = json.loads(out)
    assert (code, error) == (1, f"kefu-digest: No conversation in {log} can be summarized.\n")
    assert found["conversations"] == 0
    assert found["files"][0]["speakers"] == {"客服": "agent", "访客6874": "user", "林晓": "?"}
    assert '"林晓" = "agent"' in found["files"][0]["mapping"]
    mapping = tmp_path / "mine.toml"
    mapping.write_text(found["files"][0]["mapping"], encoding="utf-8")
    code, out, error = look(log, "--json", "--mappings", mapping, "--log-format", "mine")
    assert (code, error, json.loads(out)["conversations"]) == (0, "", 1)


# Prefect's own client leaves its connections to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore:unclosed:ResourceWarning")
@pytest.mark.usefixtures("prefect_server")
def test_a_dry_run_shows_what_the_days_logs_were_taken_for(table, tmp_path, capsys):
    arguments = ["--day", "2026-11-20", "--source", str(table), "--warehouse", str(tmp_path / "w"), "--dry-run"]
    assert summarize_day.main(arguments) == 0
    out = capsys.readouterr().out
    for shown in ("csv, gb18030", "会话ID = conversation_id", "用户 = user; 客服 = agent",
                  "1 conversations can be summarized, 0 rejects", f"客服：{TELL}", "Nothing was called or written."):  # fmt: skip
        assert shown in out
    assert "c21" not in out, "of another day"
    assert "13912345678" not in out
    assert not (tmp_path / "w" / "summaries").exists()
    assert summarize_day.main([*arguments, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["conversations"] == 1


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [(["nowhere"], 1, "no logs in"), (["x", "--log-format", "xml"], 2, "no log format"), ([], 2, "path")],
)
def test_try_logs_says_in_one_line_what_is_wrong(arguments, code, words, look):
    exit_code, out, error = look(*arguments)
    assert (exit_code, out) == (code, "")
    assert words in error
    assert error.count("\n") == 1


def test_a_link_in_a_folder_leads_nowhere_outside(tmp_path, table, look):
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "a.csv").write_bytes(table.read_bytes())
    (folder / "b.jsonl").symlink_to("/proc/self/environ")
    code, out, error = look(folder)
    assert (code, out) == (1, "")
    assert error.count("\n") == 1
    assert f"{folder}/b.jsonl is behind a symbolic link that leads out of {folder}" in error
    (folder / "b.jsonl").unlink()
    (tmp_path / "named").symlink_to(folder)
    assert look(tmp_path / "named")[0] == 0, "a link that a person names is followed"
