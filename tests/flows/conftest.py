"""Fixtures of flow tests: a Prefect server, accounts at servers that speak the wire, and Prefect's leftovers."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from tests.builders.small_days import NUMBER, write_logs
from tests.servers.accounts import account_environment
from tests.servers.bos import BosServer
from tests.servers.console import ConsoleServer
from tests.servers.prefect import PrefectServer
from tests.servers.qianfan import QianfanServer


@pytest.fixture(scope="module")
def prefect_server(prefect_api: PrefectServer) -> Iterator[None]:
    """The server is also that of the flows that this process runs itself."""
    with temporary_settings({PREFECT_API_URL: prefect_api.url}):
        yield


@pytest.fixture
def bos():
    with BosServer() as server:
        yield server


@pytest.fixture
def qianfan():
    with QianfanServer() as server:
        yield server


@pytest.fixture
def accounts(bos, qianfan, monkeypatch):
    """The environment of a user with a bucket and an endpoint."""
    for name, value in account_environment(bos, qianfan).items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def console(qianfan):
    """Qianfan's console; what is deployed there answers at the chat server."""
    with ConsoleServer(chat_url=qianfan.url) as server:
        qianfan.answers = server.answers
        yield server


@pytest.fixture
def console_account(accounts, console, monkeypatch):
    """The environment of a user who trains models, too."""
    monkeypatch.setenv("QIANFAN_CONSOLE_API_BASE_URL", console.url)


@pytest.fixture
def small_day(tmp_path: Path) -> dict[str, Any]:
    """The settings of a run over a small day without an account."""
    write_logs(tmp_path / "logs", range(NUMBER))
    return {"source": str(tmp_path / "logs"), "warehouse": str(tmp_path / "warehouse"), "day_from": "source"}


@pytest.fixture
def asked_day(small_day: dict[str, Any], accounts: None) -> dict[str, Any]:
    """The settings of a run over a small day through the endpoint."""
    return small_day | {"summarizer": "qianfan", "endpoint": "sft_v1", "give_up_seconds": 1}
