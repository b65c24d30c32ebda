"""From the settings and the warehouse to what assigns themes."""

from flows.wiring.settings import Settings
from tasks.domain.ports import ObjectStore
from tasks.preparing.prompts import Prompt
from tasks.questions.rules.theme_prompt import theme_prompt
from tasks.themes.assigner import load_taxonomy, open_assigner
from tasks.themes.known_themes import read_known_themes
from tasks.themes.proposals import accepted_themes
from tasks.themes.rules.assigning import Assigner


def open_themes(settings: Settings, warehouse: ObjectStore) -> Assigner:
    """Return the assigner of themes: the settings' taxonomy, the themes that people accepted, what a model said.

    Raises:
        UsageError: the taxonomy can't be read.
    """
    known = read_known_themes(warehouse, themes_asked(settings).version) if settings.theme_endpoint else None
    return open_assigner(settings.themes, accepted_themes(warehouse), known)


def themes_asked(settings: Settings) -> Prompt:
    """Return the prompt by which `theme_endpoint` assigns themes; its version names the model, too.

    Raises:
        UsageError: the taxonomy can't be read.
    """
    return theme_prompt(load_taxonomy(settings.themes), settings.theme_endpoint)
