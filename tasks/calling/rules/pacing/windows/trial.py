"""Trial: guesses at a window are tried one after another, until calls that go ahead alone confirm one."""

from dataclasses import replace

from tasks.calling.rules.pacing.windows.sliding_window import Entry
from tasks.calling.rules.pacing.windows.window_guess import Guess


class Trial:
    """The guesses after a first refusal, likeliest first.

    Args:
        by_tokens: the quota counts tokens. The refused call may have been large, with room left for a small one, so
            that one call confirms nothing: calls of twice its tokens do.
    """

    __slots__ = ("_by_tokens", "_left", "_to_prove", "_tried", "is_on", "refused")

    def __init__(self, by_tokens: bool) -> None:
        self._by_tokens = by_tokens
        self._left: list[Guess] = []
        self._tried: Guess | None = None
        self._to_prove = 0
        self.refused: Entry | None = None
        self.is_on = False

    def begin(self, refused: Entry, guesses: list[Guess]) -> None:
        """Take the guesses that explain a refusal; `next` tries the first of them."""
        self.refused = refused
        self._left = guesses

    def next(self) -> Guess:
        """Return the next guess to try: the one before it was refused. The last guess needs no trial."""
        assert self.refused is not None
        self._tried = self._left.pop(0)
        self._to_prove = 2 * self.refused.tokens if self._by_tokens else 1
        self.is_on = bool(self._left)
        return self._tried

    def passed(self, probe: Entry) -> Guess | None:
        """Take note that a call was not refused; return the guess once enough of them confirm it."""
        if not self.is_on:
            return None
        self._to_prove -= probe.tokens if self._by_tokens else 1
        if self._to_prove > 0:
            return None
        self.end()
        return self._tried

    def held(self, entry: Entry, seconds: float) -> bool:
        """Return True if a call was in a window of so many seconds as the first one was refused, or was sent later."""
        if self.refused is None:
            return True
        assert self.refused.sent_at is not None
        assert entry.sent_at is not None
        return self.refused.sent_at - entry.sent_at <= seconds

    def correct(self, entry: Entry, delta: int) -> None:
        """Move by `delta` what guesses hold that count a call: it used more or less than was thought."""
        if self.refused is not None and entry.sequence < self.refused.sequence:
            self._left = [
                replace(guess, held=guess.held + delta) if self.held(entry, guess.seconds) else guess
                for guess in self._left
            ]

    def end(self) -> None:
        """Try no more."""
        self._left = []
        self.is_on = False
