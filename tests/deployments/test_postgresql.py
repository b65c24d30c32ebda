"""A cluster of the project's own, on the distribution's real PostgreSQL; and what is said where there is none."""

import asyncio
import os
import subprocess
import urllib.parse
from pathlib import Path

import asyncpg  # type: ignore[import-untyped]
import pytest

from deployments import postgresql
from deployments.postgresql import Cluster, find_binaries
from tasks.domain.errors import UsageError


@pytest.fixture
def nothing_installed(monkeypatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(postgresql, "_DEBIAN", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def install(root: Path, version: str) -> Path:
    folder = root / version.partition(".")[0] / "bin"
    folder.mkdir(parents=True)
    (folder / "postgres").write_text(f"#!/bin/sh\necho 'postgres (PostgreSQL) {version} (Debian {version}-1)'\n")
    (folder / "postgres").chmod(0o755)
    return folder


def test_find_binaries_says_what_to_install(nothing_installed):
    with pytest.raises(UsageError, match=r"not installed here\. .*apt-get install postgresql.*--database sqlite"):
        find_binaries()


def test_find_binaries_refuses_what_prefect_cannot_use(nothing_installed):
    install(nothing_installed, "13.16")
    with pytest.raises(UsageError, match=r"13\.16 is too old"):
        find_binaries()


def test_find_binaries_takes_the_newest_or_the_one_that_made_the_data(nothing_installed):
    old, new = install(nothing_installed, "15.18"), install(nothing_installed, "17.2")
    assert find_binaries() == new
    assert find_binaries("15") == old
    with pytest.raises(UsageError, match="PostgreSQL 16 is not installed"):
        find_binaries("16")


def test_the_password_goes_to_nobody_outside_the_clusters_folder(tmp_path):
    (tmp_path / "password").write_text("secret")
    address = urllib.parse.urlsplit(Cluster(tmp_path).url)
    assert (address.hostname, address.port) == (None, None)
    (host,) = urllib.parse.parse_qs(address.query)["host"]
    assert os.path.samefile(host, tmp_path)
    assert len(f"{host}/.s.PGSQL.5432") < 50  # a socket's path has 107 bytes at most


async def ask(url: str, question: str) -> object:
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        return await connection.fetchval(question)
    finally:
        await connection.close()


def start(cluster: Cluster) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(cluster.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **cluster.options)
    for _ in range(300):
        if cluster.is_ready():
            return process
        try:
            process.wait(0.1)
        except subprocess.TimeoutExpired:
            continue
        break
    raise AssertionError("PostgreSQL did not start")


@pytest.mark.postgres
def test_cluster_keeps_its_data_and_asks_for_its_password(tmp_path):
    folder = tmp_path / "数据 base"
    cluster = Cluster(folder)
    for path in (folder / "unfinished", folder / "unfinished" / "base"):
        path.mkdir(parents=True)  # an interrupted start
    cluster.make()
    process = start(cluster)
    try:
        assert asyncio.run(ask(cluster.url, "SELECT current_setting('listen_addresses')")) == ""
        assert asyncio.run(ask(cluster.url, "SELECT inet_server_addr()")) is None  # by the socket
        assert folder.stat().st_mode & 0o777 == 0o700
        asyncio.run(ask(cluster.url, "CREATE EXTENSION pg_trgm"))
        with pytest.raises(asyncpg.InvalidPasswordError):
            asyncio.run(ask(cluster.url.replace("kefu:", "kefu:x"), "SELECT 1"))
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            asyncio.run(ask(cluster.url, "COPY (SELECT 1) TO PROGRAM 'cat'"))
        with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError):
            asyncio.run(ask(cluster.url.replace("kefu:", "postgres:"), "SELECT 1"))
    finally:
        process.terminate()
        process.wait(20)

    (folder / "access").unlink()  # as an earlier version left it
    folder.chmod(0o755)
    again = Cluster(folder)
    again.make()
    assert again.url.partition("@")[0] == cluster.url.partition("@")[0]
    process = start(again)
    try:
        assert folder.stat().st_mode & 0o777 == 0o700
        assert asyncio.run(ask(again.url, "SELECT similarity('上门取件', '上门取件')")) == 1
    finally:
        process.terminate()
        process.wait(20)


@pytest.mark.postgres
@pytest.mark.skipif(os.geteuid() != 0, reason="only root has folders that PostgreSQL's user can't enter")
def test_cluster_works_below_a_folder_that_only_root_may_enter(tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    cluster = Cluster(closed / "cluster")
    cluster.make()
    process = start(cluster)
    try:
        assert asyncio.run(ask(cluster.url, "SELECT 1")) == 1
        assert Path(f"/proc/{process.pid}").stat().st_uid != 0
    finally:
        process.terminate()
        process.wait(20)


@pytest.mark.postgres
def test_initdb_that_refuses_is_quoted(tmp_path):
    (tmp_path / "cluster" / "data").mkdir(parents=True)
    (tmp_path / "cluster" / "unfinished").write_text("in the way")
    with pytest.raises(UsageError, match=r"initdb refused: .*unfinished"):
        Cluster(tmp_path / "cluster").make()
