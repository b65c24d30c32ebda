"""The prompt by which a model assigns themes to many texts at once, and its answer."""

from collections.abc import Sequence
from hashlib import sha256
from typing import Final

from tasks.parsing.json_records import loaded
from tasks.preparing.prompts import Prompt, checked_prompt
from tasks.themes.rules.taxonomy import OTHER, Taxonomy, Theme

_TEMPLATE: Final = """请把下面每一条文本归入一个主题。每条只选一个，只按这一句判断。
诉求优先于原因；看不出问哪件事的归 other。
只输出一个 JSON 对象，键是文本的序号，值是主题的 id，例如 {"1": "other"}。

主题：
{themes}

文本：
{conversation}
"""


def theme_prompt(taxonomy: Taxonomy, model: str) -> Prompt:
    """The prompt for a taxonomy; its version names the taxonomy's words and the model that is asked."""
    lines = "\n".join(_line(theme) for theme in taxonomy.themes if not theme.retired)
    # A definition is a shop's own text: its braces must not be taken for the place of the texts.
    template = _TEMPLATE.replace("{themes}", lines.replace("{conversation}", "（conversation）"))
    digest = sha256("\n".join((model, template)).encode()).hexdigest()
    return checked_prompt(f"themes-{digest[:16]}", template)


def _line(theme: Theme) -> str:
    examples = f"例：{'；'.join(theme.examples[:2])}" if theme.examples and theme.id != OTHER else ""
    return f"- {theme.id}：{theme.name_zh}。{theme.definition}{examples}".replace("\n", " ")


def numbered_texts(texts: Sequence[str]) -> str:
    """Texts as the prompt holds them: one a line, with numbers."""
    return "\n".join(f"{number}. {' '.join(text.split())}" for number, text in enumerate(texts, 1))


def themes_in(output: str, many: int, taxonomy: Taxonomy) -> list[str | None] | None:
    """The themes of so many texts in a model's output, None for a text without one that there is.

    Returns:
        None where the output is no answer at all: it names no theme for any text.
    """
    begin, end = output.find("{"), output.rfind("}")
    value = loaded(output[begin : end + 1]) if 0 <= begin < end else None
    if not isinstance(value, dict):
        return None
    said = {str(key).strip().rstrip("."): str(theme).strip() for key, theme in value.items()}
    known = set(taxonomy.assignable)
    found = [said.get(str(number)) for number in range(1, many + 1)]
    themes = [theme if theme in known else None for theme in found]
    return themes if any(themes) else None
