"""Prompts are files in `tasks/prompts/`, named by their version; a released file is never edited."""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from tasks.domain.errors import UsageError

_FOLDER = Path(__file__).parent.parent / "prompts"

_SLOT = "{conversation}"


@dataclass(frozen=True, slots=True)
class Prompt:
    """A template with one `{conversation}` slot; other braces are part of the text."""

    version: str
    template: str

    def render(self, text: str) -> str:
        """The message to send for a dialogue."""
        return self.template.replace(_SLOT, text, 1)


def prompt_versions() -> list[str]:
    """Every version there is, oldest name first."""
    return sorted(path.stem for path in _FOLDER.glob("*.txt"))


def load_prompt(version: str) -> Prompt:
    """The prompt of that version.

    Raises:
        UsageError: there is no such version, or its file has no slot.
    """
    if version not in prompt_versions():
        raise UsageError(f"There is no prompt {version!r}; tasks/prompts/ holds: {', '.join(prompt_versions())}.")
    return checked_prompt(version, (_FOLDER / f"{version}.txt").read_text(encoding="utf-8").removesuffix("\n"))


def checked_prompt(version: str, template: str) -> Prompt:
    """A prompt from anywhere.

    Raises:
        UsageError: it has no slot, or several.
    """
    if template.count(_SLOT) != 1:
        raise UsageError(f"The prompt {version} must hold {_SLOT} exactly once.")
    return Prompt(version, template)


def optimized_prompt(template: str) -> Prompt:
    """A prompt that the platform wrote, named by what it says. Where it lost the slot, the dialogue goes to the end.

    Raises:
        UsageError: it has several slots.
    """
    whole = template if _SLOT in template else f"{template.rstrip()}\n\n{_SLOT}"
    return checked_prompt(f"optimized-{sha256(whole.encode()).hexdigest()[:8]}", whole)
