"""Outputs of commands that are closed, full, read by nobody, or in a locale without Chinese."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from flows.wiring.commands.standard_streams import complain
from tasks.domain.errors import RunError, UsageError
from tests.builders.small_days import write_logs
from tests.conftest import ROOT

PYTHON = sys.executable


def shell(script: str) -> tuple[int, str]:
    """A script's exit code and what it wrote to stderr."""
    done = subprocess.run(["bash", "-c", script], cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    ("output", "code", "says"), [(">&-", 0, ""), ("> /dev/full", 1, "No space left"), ("| true", None, "nobody reads")]
)
def test_a_list_that_nobody_takes_is_one_sentence_or_none(output, code, says):
    found, said = shell(f"set -o pipefail; {PYTHON} -m flows {output}")
    assert code is None or found == code
    assert "Traceback" not in said
    assert said == "" or (said.startswith("kefu-digest: ") and says in said and said.count("\n") == 1)


def test_closed_output_is_not_given_to_the_next_file(tmp_path: Path):
    program = (
        "from flows.wiring.commands.standard_streams import open_standard_streams; open_standard_streams(); "
        f"f = open({str(tmp_path / 'file')!r}, 'w'); print('lost'); f.close()"
    )
    code, said = shell(f'{PYTHON} -c "{program}" >&-')
    assert code == 0, said
    assert (tmp_path / "file").read_text() == ""


def test_what_a_command_starts_has_an_output_where_the_command_had_none():
    program = (
        "import subprocess, sys; from flows.wiring.commands.standard_streams import open_standard_streams; "
        "open_standard_streams(); subprocess.run([sys.executable, '-c', 'import os; os.fstat(1)'], check=True)"
    )
    code, said = shell(f'{PYTHON} -c "{program}" >&-')
    assert code == 0, said


@pytest.mark.parametrize("output", ["> /dev/full", "| true"])
def test_a_terminal_that_takes_nothing_does_not_end_what_serves(output, tmp_path: Path):
    lines = f"announce('worker: ended'); announce('again'); open({str(tmp_path / 'goes on')!r}, 'w').close()"
    _, said = shell(f'{PYTHON} -c "from deployments.parts import announce; {lines}" {output}')
    assert (tmp_path / "goes on").exists(), said


@pytest.mark.parametrize("is_ascii", [False, True], ids=["as Python takes it", "as ASCII"])
def test_chinese_paths_are_read_and_said_in_a_locale_without_chinese(is_ascii, tmp_path: Path):
    write_logs(tmp_path / "日志", range(2))
    program = (
        "import sys; from flows.wiring.commands.standard_streams import open_standard_streams; "
        "from flows.try_logs import main; open_standard_streams(); sys.exit(main(sys.argv[1:2]) + 2 * main(sys.argv[2:]))"
    )
    command = [PYTHON, "-c", program, str(tmp_path / "日志"), str(tmp_path / "没有")]
    locale = {"LC_ALL": "POSIX"} | ({"PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"} if is_ascii else {})
    done = subprocess.run(command, cwd=ROOT, env=os.environ | locale, capture_output=True, check=False, timeout=300)
    assert done.returncode == 2, done.stderr
    encoding = ("ascii", "backslashreplace") if is_ascii else ("utf-8",)
    assert "日志/000.jsonl: ".encode(*encoding) in done.stdout
    (sentence,) = done.stderr.splitlines()
    assert sentence.startswith(b"kefu-digest: There are no logs in ")
    assert "没有.".encode(*encoding) in sentence


@pytest.mark.parametrize(("error", "code"), [(UsageError("a flag"), 2), (RunError("a server"), 1)])
def test_complain_returns_the_code_of_the_error_or_the_one_that_is_given(error, code, capsys):
    assert complain(error) == code
    assert complain(error, 5) == 5
    assert capsys.readouterr().err == f"kefu-digest: {error}\n" * 2


def test_complain_prints_nothing_that_steers_a_terminal(capsys):
    complain(RunError("refused: \x1b[2Jall is well\nfirst, second"))
    assert capsys.readouterr().err == "kefu-digest: refused: \\x1b[2Jall is well\nfirst, second\n"
