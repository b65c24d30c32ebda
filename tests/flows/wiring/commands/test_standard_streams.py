"""Outputs of commands that are closed, full, or read by nobody."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

PYTHON = sys.executable


def shell(script: str) -> tuple[int, str]:
    """A script's exit code and what it wrote to stderr."""
    done = subprocess.run(["bash", "-c", script], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
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


@pytest.mark.parametrize("output", ["> /dev/full", "| true"])
def test_a_terminal_that_takes_nothing_does_not_end_what_serves(output, tmp_path: Path):
    lines = f"announce('worker: ended'); announce('again'); open({str(tmp_path / 'goes on')!r}, 'w').close()"
    _, said = shell(f'{PYTHON} -c "from deployments.parts import announce; {lines}" {output}')
    assert (tmp_path / "goes on").exists(), said
