"""Fixtures of the clients' tests: the BOS server and stores of it, the Qianfan server."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks.clients.bos.store import BosStore
from tests.builders.bos_stores import open_store
from tests.servers.bos import BosServer
from tests.servers.qianfan import QianfanServer
from tests.servers.qianfan_behavior import Behavior


@pytest.fixture
def bos() -> Iterator[BosServer]:
    with BosServer() as server:
        yield server


@pytest.fixture
def store(bos: BosServer) -> BosStore:
    return open_store(bos)


@pytest.fixture
def large(tmp_path: Path) -> Path:
    path = tmp_path / "large"
    path.write_bytes(bytes(range(250)) * 1500)
    return path


@pytest.fixture(scope="module")
def running() -> Iterator[QianfanServer]:
    with QianfanServer() as server:
        yield server


@pytest.fixture
def server(running: QianfanServer) -> QianfanServer:
    running.reset()
    running.behavior = Behavior(v1=True)
    running.token_fetches = 0
    return running
