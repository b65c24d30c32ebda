"""A watchdog ends what hangs, and nothing that answers, however late or seldom it fails."""

import http.server
import threading
from collections.abc import Iterator

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from deployments import watchdog
from deployments.watchdog import PATIENCE, START_PATIENCE, Watchdog, answers
from deployments.worker import does_its_work
from flows.wiring.commands.own_server import free_port


def looks(*answered: bool) -> int:
    """The number of looks a watchdog took until it ended what it watches."""
    left, ended, taken = list(answered), threading.Event(), []

    def lives() -> bool:
        taken.append(True)
        return left.pop(0)

    dog = Watchdog("part", lives, ended.set, look_seconds=0.0)
    dog.start()
    assert ended.wait(120)
    dog.join(120)
    return len(taken)


def test_what_fails_again_and_again_is_ended(capsys):
    assert looks(True, *[False] * PATIENCE) == 1 + PATIENCE
    assert "part: hangs" in capsys.readouterr().err


def test_one_answer_is_enough_to_live_on():
    almost = [False] * (PATIENCE - 1)
    assert looks(True, *almost, True, *almost, True, *almost, False) == 3 * PATIENCE + 1


def test_what_has_not_begun_yet_does_not_hang():
    assert looks(*[False] * 3 * PATIENCE, True, *[False] * PATIENCE) == 4 * PATIENCE + 1


def test_what_never_begins_is_ended_after_half_an_hour():
    assert looks(*[False] * START_PATIENCE, True) == START_PATIENCE


def test_watchdog_that_was_stopped_ends_nothing():
    ended = threading.Event()
    dog = Watchdog("part", lambda: False, ended.set, look_seconds=3600.0)
    dog.start()
    dog.stop()
    dog.join(120)
    assert not dog.is_alive()
    assert not ended.is_set()


@pytest.fixture
def status() -> Iterator[tuple[str, list[int]]]:
    """A server that answers with the first of these numbers."""
    numbers = [200]

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(numbers[0])
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}", numbers
        server.shutdown()
        thread.join()


def test_an_error_and_silence_are_no_answer(status, monkeypatch):
    url, numbers = status
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert answers(url)
    numbers[0] = 503
    assert not answers(url)
    assert not answers(f"http://127.0.0.1:{free_port()}")
    assert not answers("nonsense")


def test_a_worker_whose_server_is_away_does_not_hang(status):
    url, numbers = status
    nobody = f"http://127.0.0.1:{free_port()}"
    with temporary_settings({PREFECT_API_URL: nobody}):
        assert does_its_work(nobody)
    with temporary_settings({PREFECT_API_URL: url}):
        assert not does_its_work(nobody), "the server is there, and the worker does not ask"
        numbers[0] = 503
        assert does_its_work(nobody)


def test_patience_is_longer_than_a_busy_minute():
    assert watchdog.LOOK_SECONDS * PATIENCE >= 300
