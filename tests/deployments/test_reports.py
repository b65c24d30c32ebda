"""The reports in a browser: only them, only to read, and only with the login."""

import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from deployments.reports import reports_server


@pytest.fixture
def shown(tmp_path: Path) -> Iterator[str]:
    warehouse = tmp_path / "warehouse"
    for name in ("reports/day=2026-11-22/report.html", "summaries/day=2026-11-22/summaries.parquet", "reports/a.txt"):
        (warehouse / name).parent.mkdir(parents=True, exist_ok=True)
        (warehouse / name).write_text(f"<p>{name}</p>", encoding="utf-8")
    (warehouse / "reports" / "out").symlink_to(warehouse / "summaries")
    with reports_server(warehouse / "reports", "127.0.0.1", 0, "me:secret") as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_report_opens_with_the_login_and_calls_nobody(shown):
    with httpx.Client(base_url=shown, auth=("me", "secret"), trust_env=False) as client:
        report = client.get("/day=2026-11-22/report.html").raise_for_status()
    assert report.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in report.headers["content-security-policy"]


@pytest.mark.parametrize("auth", [None, ("me", "wrong"), ("me", "")], ids=str)
def test_nobody_reads_without_the_login(shown, auth):
    with httpx.Client(base_url=shown, auth=auth, trust_env=False) as client:
        for method in ("GET", "HEAD"):
            assert client.request(method, "/a.txt").status_code == 401


@pytest.mark.parametrize(
    "path", ["/../summaries/day=2026-11-22/summaries.parquet", "/%2e%2e/summaries/", "/out/", "//etc/passwd"]
)
def test_nothing_but_the_reports_is_shown(shown, path):
    with httpx.Client(auth=("me", "secret"), trust_env=False) as client:
        assert client.get(httpx.URL(shown).copy_with(raw_path=path.encode())).status_code == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_nothing_is_written(shown, method):
    with httpx.Client(base_url=shown, auth=("me", "secret"), trust_env=False) as client:
        assert client.request(method, "/a.txt").status_code == 501
