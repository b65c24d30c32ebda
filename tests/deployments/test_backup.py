"""The page on backup and restore in deployments/README.md, command by command, on a real PostgreSQL."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from deployments.postgresql import find_binaries
from tasks.clients.folder_store import FolderStore
from tasks.warehouse.publish import is_complete
from tests.builders.small_days import DAY, NUMBER, rows, write_logs
from tests.conftest import ROOT
from tests.servers.served import Served, served

pytestmark = pytest.mark.timeout(1800)

SECRET = "kept-in-a-block"


def commands() -> list[str]:
    """The page's blocks of commands, in order: back up, unpack, restore."""
    page = (ROOT / "deployments" / "README.md").read_text(encoding="utf-8")
    section = page.partition("## Backup, restore, upgrade")[2].partition("\n## ")[0]
    return re.findall(r"```sh\n(.*?)```", section, re.DOTALL)


def follow(block: str, folder: Path) -> None:
    binaries = find_binaries()
    script = f"set -e\nPATH={binaries}:$PATH\n" + block
    done = subprocess.run(["bash", "-c", script], cwd=folder, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


def save_block(machine: Served) -> None:
    kind = machine.ask("GET", "/block_types/slug/baidu-credentials")
    schemas = machine.ask("POST", "/block_schemas/filter", {"block_schemas": {"block_type_id": {"any_": [kind["id"]]}}})
    block = {
        "name": "kept",
        "data": {"access_key_id": "id", "secret_access_key": SECRET},
        "block_type_id": kind["id"],
        "block_schema_id": schemas[0]["id"],
    }
    machine.ask("POST", "/block_documents/", block)


def secret_of(machine: Served) -> str:
    found: dict[str, Any] = machine.ask(
        "GET", "/block_types/slug/baidu-credentials/block_documents/name/kept?include_secrets=true"
    )
    return str(found["data"]["secret_access_key"])


@pytest.mark.postgres
def test_what_was_backed_up_is_there_again_in_another_folder(tmp_path):
    back_up, unpack, restore = commands()
    first, second, logs = tmp_path / "first", tmp_path / "second", tmp_path / "logs"
    (first / ".prefect").mkdir(parents=True)
    second.mkdir()
    write_logs(logs, range(NUMBER))
    (logs / "_SUCCESS").touch()
    environment = {"KEFU_SOURCE": str(logs), "KEFU_DAY_FROM": "source"}
    warehouse = {"KEFU_WAREHOUSE": str(first / "warehouse")}
    with served(first / ".prefect", "postgresql", environment | warehouse) as machine:
        save_block(machine)
        run = machine.start("summarize-day/nightly", day=str(DAY), catch_up_days=0)
        assert machine.wait(run, seconds=150)["state_name"] == "Completed"
        nightly = machine.ask("GET", "/deployments/name/summarize-day/nightly")
        (first / "warehouse.copy" / "of-yesterday").mkdir(parents=True)
        follow(back_up, first)  # while it serves, and as every night
        login = machine.login()

    assert not (first / "warehouse.copy" / "of-yesterday").exists()
    for name in ("prefect.dump", "serve.tar", "warehouse.copy"):
        assert (first / name).stat().st_mode & 0o077 == (0o050 if (first / name).is_dir() else 0), name
        shutil.move(first / name, second / name)
    (second / "warehouse").mkdir()  # a service that was started here before
    shutil.rmtree(first)
    follow(unpack, second)
    warehouse = {"KEFU_WAREHOUSE": str(second / "warehouse")}
    with served(second / ".prefect", "postgresql", environment | warehouse):
        follow(restore, second)
    with served(second / ".prefect", "postgresql", environment | warehouse) as machine:
        assert machine.login() == login
        assert machine.run(run)["state_name"] == "Completed"
        assert secret_of(machine) == SECRET
        assert machine.ask("GET", "/deployments/name/summarize-day/nightly")["id"] == nightly["id"]
        again = machine.start("summarize-day/nightly", day=str(DAY), catch_up_days=0)
        assert machine.wait(again, seconds=150)["state_name"] == "Completed"
    assert is_complete(FolderStore(second / "warehouse"), DAY)
    assert len(rows(second / "warehouse", "summaries")) == NUMBER


def test_the_page_has_three_blocks_of_commands():
    assert [block.splitlines()[0].split()[0] for block in commands()] == ["umask", "mkdir", "export"]
