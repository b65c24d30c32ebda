"""What flow tests share: one Prefect server, accounts at servers that speak the wire, and what Prefect leaves behind."""

import pytest
from prefect.testing.utilities import prefect_test_harness

from tests.servers.bos import BosServer
from tests.servers.console import ConsoleServer
from tests.servers.qianfan import ACCESS_KEY, SECRET_KEY, QianfanServer


@pytest.fixture(scope="session")
def prefect_server():
    """One embedded Prefect server with a database of its own for all flow tests of a process."""
    with prefect_test_harness(server_startup_timeout=240):
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
    for name, value in {
        "BCE_ACCESS_KEY_ID": bos.access_key_id,
        "BCE_SECRET_ACCESS_KEY": bos.secret_access_key,
        "BOS_ENDPOINT": bos.endpoint,
        "QIANFAN_ACCESS_KEY": ACCESS_KEY,
        "QIANFAN_SECRET_KEY": SECRET_KEY,
        "QIANFAN_BASE_URL": qianfan.url,
        "QIANFAN_CONSOLE_API_BASE_URL": qianfan.url,
        "QIANFAN_IAM_BASE_URL": qianfan.url,
    }.items():
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
