"""Knowledge of texts that came before, since the same messages come again and again."""

from collections.abc import Callable, Mapping
from typing import Final, TypeVar

T = TypeVar("T")

_MOST_CHARACTERS: Final = 1 << 19


class KnownTexts(dict[str, T]):
    """Results by text, each worked out when it is first asked for.

    With too many characters in it, all is forgotten: what is said often is soon known again.

    Args:
        work: from a text to its result.
    """

    def __init__(self, work: Callable[[str], T]) -> None:
        super().__init__()
        self._work = work
        self._characters = 0

    def __missing__(self, text: str) -> T:
        result = self._work(text)
        self.keep({text: result})
        return result

    def keep(self, results: Mapping[str, T]) -> None:
        """Remember results by text."""
        self._characters += sum(map(len, results))
        if self._characters > _MOST_CHARACTERS:
            self.clear()
            self._characters = sum(map(len, results))
        self.update(results)

    def clear(self) -> None:
        """Forget all texts."""
        super().clear()
        self._characters = 0
