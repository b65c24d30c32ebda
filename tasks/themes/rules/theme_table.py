"""The taxonomy as a table of names for a day's themes."""

import pyarrow as pa

from tasks.themes.rules.taxonomy import Taxonomy
from tasks.warehouse.rules.tables import THEMES


def theme_table(taxonomy: Taxonomy) -> pa.Table:
    """Make a table of THEMES, a row for each theme in the taxonomy's order."""
    groups = {group.id: group for group in taxonomy.groups}
    rows = [
        {
            "theme": theme.id,
            "theme_group": theme.group,
            "name_zh": theme.name_zh,
            "name_en": theme.name_en,
            "group_zh": groups[theme.group].name_zh,
            "group_en": groups[theme.group].name_en,
            "definition": theme.definition,
            "keywords": list(theme.keywords),
            "retired": theme.retired,
        }
        for theme in taxonomy.themes
    ]
    return pa.Table.from_pylist(rows, schema=THEMES)
