"""The outbox over the real wire: what one receiver does is no other one's, and never the sender's, delay."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from deployments.outbox import Outbox
from tasks.clients import notifications
from tasks.clients.notifications import NotificationWire
from tasks.delivering.deliver import read_addresses
from tasks.delivering.rules.message import Message
from tests.servers.receiver import Receiver, receiver


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def hook() -> Iterator[Receiver]:
    with receiver() as posted:
        yield posted


@contextmanager
def silent() -> Iterator[tuple[str, list[socket.socket]]]:
    """The address of a receiver that takes connections and says nothing, and its connections."""
    taken: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def take() -> None:
            try:
                while True:
                    taken.append(listener.accept()[0])
            except OSError:
                return

        thread = threading.Thread(target=take)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/hook", taken
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()
            for connection in taken:
                connection.close()


def outbox(addresses: str, messages: int) -> Outbox:
    made = Outbox(read_addresses(addresses), NotificationWire(), Clock())
    for number in range(messages):
        notify(made, f"message {number}")
    return made


def notify(made: Outbox, title: str) -> None:
    made.notify(Message(title, "run", "failure", title, "Why.", "Do.", ""))


def heard(hook: Receiver) -> list[str]:
    return [post["what"] for post in hook.posted.queue]


def test_silent_receiver_is_waited_for_once_however_many_messages_there_are(hook: Receiver, monkeypatch):
    monkeypatch.setattr(notifications, "_TIMEOUT_SECONDS", 0.2)
    with silent() as (url, taken):
        made = outbox(f"{url} {hook.url}", 40)
        asyncio.run(made.send())
        assert len(taken) == 1
        assert heard(hook) == [f"message {number}" for number in range(40)]
        asyncio.run(made.send())
        assert len(taken) == 1, "spared for a while"
        made.clock.now += 600.0  # type: ignore[attr-defined]
        asyncio.run(made.send())
        assert len(taken) == 2


def test_receiver_that_is_back_gets_all_that_waited(hook: Receiver):
    hook.replies = [(503, b"")]
    made = outbox(hook.url, 5)
    asyncio.run(made.send())
    assert heard(hook) == []
    made.clock.now += 2.0  # type: ignore[attr-defined]
    asyncio.run(made.send())
    assert sorted(heard(hook)) == [f"message {number}" for number in range(5)]


def test_message_that_is_never_taken_holds_up_no_other(hook: Receiver):
    made = outbox(hook.url, 1)
    for _ in range(12):
        hook.replies = [(400, b"")]
        asyncio.run(made.send())
        made.clock.now += 600.0  # type: ignore[attr-defined]
    notify(made, "another")
    hook.replies = [(200, b"{}"), (400, b"")]
    asyncio.run(made.send())
    assert heard(hook) == ["another"]
