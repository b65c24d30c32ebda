"""Prompts: files in `tasks/prompts/`, named by their version and never edited once released, or files of one's own."""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from tasks.domain.errors import UsageError, unread_reason

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
    """Return every version that ships, oldest name first."""
    return sorted(path.stem for path in _FOLDER.glob("*.txt"))


def load_prompt(name: str) -> Prompt:
    """Return the prompt of a version, or that of a file of one's own.

    Args:
        name: a version, or the path of a `.txt` file; the file's version is its name and a digest of its text, so that
            an edited prompt is another one.

    Raises:
        UsageError: there is no such version or file, or it has no slot.
    """
    if name in prompt_versions():
        return checked_prompt(name, (_FOLDER / f"{name}.txt").read_text(encoding="utf-8").removesuffix("\n"))
    if not name.endswith(".txt"):
        versions = ", ".join(prompt_versions())
        raise UsageError(f"There is no prompt {name!r}: name one of {versions}, or the path of a .txt file.")
    try:
        template = Path(name).read_text(encoding="utf-8").removesuffix("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"The prompt {name} can't be read: {unread_reason(error)}.") from error
    return checked_prompt(f"{Path(name).stem}-{sha256(template.encode()).hexdigest()[:8]}", template)


def checked_prompt(version: str, template: str) -> Prompt:
    """A prompt from anywhere.

    Raises:
        UsageError: it has no slot, or several.
    """
    if template.count(_SLOT) != 1:
        raise UsageError(f"The prompt {version} must hold {_SLOT} exactly once.")
    return Prompt(version, template)


def optimized_prompt(template: str) -> Prompt:
    """A prompt that the platform wrote, named by its hash. Where it lost the slot, the dialogue goes to the end.

    Raises:
        UsageError: it has several slots.
    """
    whole = template if _SLOT in template else f"{template.rstrip()}\n\n{_SLOT}"
    return checked_prompt(f"optimized-{sha256(whole.encode()).hexdigest()[:8]}", whole)
