"""Prompts by their version: shipped ones, and those that were saved in the warehouse."""

from tasks.domain.errors import ObjectMissing, UsageError
from tasks.domain.ports import ObjectStore
from tasks.preparing.prompts import Prompt, checked_prompt, load_prompt, prompt_versions


def find_prompt(warehouse: ObjectStore, version: str) -> Prompt:
    """A prompt of tasks/prompts/, or one that was saved in the warehouse.

    Raises:
        UsageError: there is none of that version.
    """
    if version in prompt_versions():
        return load_prompt(version)
    try:
        return checked_prompt(version, warehouse.read_path(f"prompts/{version}.txt").decode())
    except ObjectMissing:
        raise UsageError(
            f"There is no prompt {version!r}, neither in tasks/prompts/ ({', '.join(prompt_versions())}) nor in "
            f"{warehouse.uri_of('prompts')}."
        ) from None
