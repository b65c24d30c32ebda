"""Artifacts and names never fail a run, whatever the server answers; progress is one artifact, not hundreds."""

import asyncio
import http.server
import json
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey
from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings

from tasks.running import artifacts
from tasks.running.artifacts import LiveMarkdown, show_markdown, show_table
from tasks.running.run_names import name_run

pytestmark = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning", "ignore:unclosed:ResourceWarning"
)


@contextmanager
def refusing(status: int) -> Iterator[str]:
    """An API that answers every call with this status; 0: it never answers."""
    release = threading.Event()

    class Handler(http.server.BaseHTTPRequestHandler):
        def answer(self) -> None:
            if not status:
                release.wait(60)
                return
            body = json.dumps({"detail": "no"}).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PATCH = answer

        def log_message(self, format: str, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/api"
        finally:
            release.set()
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("status", [413, 422, 500, 503, 0])
def test_artifact_that_is_refused_is_noted_and_passed_over(status, caplog, monkeypatch):
    monkeypatch.setattr(artifacts, "_SECONDS", 0.5)
    live = LiveMarkdown("progress-x", "x", logging.getLogger("run"))

    async def show() -> None:
        await show_markdown("text", key="report-x", description="x")
        await show_table([{"a": 1}], key="table-x", description="x")
        await live.show("text")

    with (
        refusing(status) as url,
        temporary_settings({PREFECT_API_URL: url, PREFECT_CLIENT_MAX_RETRIES: 0}),
        caplog.at_level(logging.WARNING),
    ):
        asyncio.run(show())
    told = [record.getMessage() for record in caplog.records if "was not written" in record.getMessage()]
    assert [message.split()[2] for message in told] == ["report-x", "table-x", "progress-x"]
    assert all("\n" not in message for message in told)


def test_progress_is_one_artifact_however_often_it_changes(prefect_api):
    live = LiveMarkdown("progress-once", "x", logging.getLogger("run"))

    @flow(name="shows-progress")
    async def show() -> list[object]:
        for number in range(5):
            await live.show(f"text {number}")
        async with get_client() as client:
            found = await client.read_artifacts(artifact_filter=ArtifactFilter(key=ArtifactFilterKey(any_=[live.key])))
        return [artifact.data for artifact in found]

    with temporary_settings({PREFECT_API_URL: prefect_api.url}):
        assert asyncio.run(show()) == ["text 4"]


def test_a_cell_is_nothing_but_its_words_for_a_page_that_takes_cells_for_markdown_and_html(prefect_api):
    hostile = "<img src=x onerror=y> ![x](http://e/a) [x](javascript:y) `<svg>` &lt;b&gt; https://e \x1b[31m\u202e"

    @flow(name="shows-cells")
    async def show() -> str:
        await show_table([{"file:line": hostile, "n": 3}], key="cells", description="x")
        async with get_client() as client:
            (found,) = await client.read_artifacts(
                artifact_filter=ArtifactFilter(key=ArtifactFilterKey(any_=["cells"]))
            )
        return str(found.data)

    with temporary_settings({PREFECT_API_URL: prefect_api.url}):
        ((name, cell), number) = json.loads(asyncio.run(show()))[0].items()
    assert (name, number) == ("file:line", ("n", 3))
    assert not set(cell) & set("<>[]`&\x1b\u202e")
    assert "://" not in cell


def test_name_that_is_refused_fails_nothing(monkeypatch):
    said: list[str] = []

    class Logger:
        def warning(self, message: str, *args: object) -> None:
            said.append(message % args)

    monkeypatch.setattr("tasks.running.run_names.get_run_logger", Logger)
    with refusing(500) as url, temporary_settings({PREFECT_API_URL: url, PREFECT_CLIENT_MAX_RETRIES: 0}):
        asyncio.run(name_run("summarize-2026-11-22 · 1 = 1 + 0"))
    assert "it goes on" in said[0]
