"""Addresses become stores, or one clear line."""

from pathlib import Path

import pytest

from tasks.clients.bos.credentials import BosCredentials
from tasks.clients.stores import open_store
from tasks.domain.errors import UsageError

NONE = BosCredentials()
SOME = BosCredentials("key-id", "the-secret", "https://bj.bcebos.com", "the-token")


@pytest.mark.parametrize(
    ("uri", "opened", "example"),
    [
        ("warehouse", "warehouse", "warehouse/k"),
        ("/data/仓库", "/data/仓库", "/data/仓库/k"),
        (".", ".", "k"),
        ("/", "/", "/k"),
        ("/data/", "/data", "/data/k"),
        ("file:///data/a%20b#c?", "/data/a b#c?", "/data/a b#c?/k"),
        ("file://localhost/data", "/data", "/data/k"),
        ("bos://kefu-logs", "bos://kefu-logs", "bos://kefu-logs/k"),
        ("bos://kefu-logs/", "bos://kefu-logs", "bos://kefu-logs/k"),
        ("bos://kefu-logs/日 志/+%/", "bos://kefu-logs/日 志/+%", "bos://kefu-logs/日 志/+%/k"),
    ],
)
def test_open_store_knows_paths_files_and_buckets(uri: str, opened: str, example: str) -> None:
    store = open_store(uri, SOME)
    assert (store.uri, store.uri_of("k")) == (opened, example)


@pytest.mark.parametrize(
    ("uri", "told"),
    [
        ("", "empty"),
        ("s3://bucket/a", "unknown scheme"),
        ("https://bj.bcebos.com/b", "unknown scheme"),
        ("file://data/logs", "file:///the/path"),
        ("file://", "file:///the/path"),
        ("bos://", "names no bucket"),
        ("bos://Under_Score/a", "names no bucket"),
        ("bos://kefu-logs/a/../b", "no part"),
    ],
)
def test_open_store_refuses_what_can_not_be_right(uri: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        open_store(uri, SOME)


def test_open_store_names_every_missing_setting() -> None:
    with pytest.raises(UsageError, match="BCE_ACCESS_KEY_ID, BCE_SECRET_ACCESS_KEY, BOS_ENDPOINT"):
        open_store("bos://kefu-logs/a", NONE)
    with pytest.raises(UsageError, match="set BOS_ENDPOINT"):
        open_store("bos://kefu-logs/a", BosCredentials("key-id", "the-secret"))
    open_store("folder", NONE)


def test_credentials_hide_their_secrets() -> None:
    assert repr(SOME) == "BosCredentials(endpoint='https://bj.bcebos.com')"


def test_open_store_touches_nothing(tmp_path: Path) -> None:
    open_store(str(tmp_path / "new"), NONE)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("uri", ["bos:/bucket/prefix", "bos:bucket", "file:/data", "block:/logs", "~/warehouse", "~"])
def test_address_that_would_become_a_folder_of_that_name_is_refused(uri):
    with pytest.raises(UsageError, match="would be a folder of that name"):
        open_store(uri, BosCredentials("", "", ""))
