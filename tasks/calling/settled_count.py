"""The count of conversations that are settled, and a place to wait until there are enough."""

import asyncio


class SettledCount:
    """Counts; one at a time may wait."""

    def __init__(self) -> None:
        self._number = 0
        self._enough: tuple[int, asyncio.Event] | None = None

    def add(self, number: int = 1) -> None:
        """Count so many more, and wake who waits for no more than that."""
        self._number += number
        if self._enough is not None and self._number >= self._enough[0]:
            self._enough[1].set()

    async def until(self, number: int) -> None:
        """Return when so many are settled."""
        if self._number < number:
            enough = asyncio.Event()
            self._enough = number, enough
            await enough.wait()
