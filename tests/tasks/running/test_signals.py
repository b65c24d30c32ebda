"""Signals end what listens to them, the innermost first, and leave what was before."""

import asyncio
import os
import signal

import pytest

from tasks.domain.errors import RunStopped
from tasks.running.signals import cancel_on_signals, on_signals


@pytest.fixture
def listening(number):
    """A handler of each signal: under nohup a process is born deaf to SIGHUP, and stays so."""

    def heard(*_):
        raise AssertionError("nobody else listened")

    before = signal.signal(number, heard)
    yield heard
    signal.signal(number, before)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_wait_ends_at_a_signal_and_the_handler_from_before_is_back(number, listening):
    async def wait() -> None:
        with cancel_on_signals("waited"):
            asyncio.get_running_loop().call_later(0.05, os.kill, os.getpid(), number)
            await asyncio.sleep(60)

    with pytest.raises(RunStopped, match=f"Stopped by {signal.Signals(number).name} while it waited"):
        asyncio.run(wait())
    assert signal.getsignal(number) == listening


def test_block_around_another_listens_again_when_that_has_ended():
    heard: list[str] = []

    async def nested() -> None:
        with on_signals(lambda name: heard.append(f"outer {name}")):
            with on_signals(lambda name: heard.append(f"inner {name}")):
                os.kill(os.getpid(), signal.SIGTERM)
                await asyncio.sleep(0.05)
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.sleep(0.05)

    asyncio.run(nested())
    assert heard == ["inner SIGTERM", "outer SIGTERM"]
