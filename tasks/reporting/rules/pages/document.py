"""The frame that small HTML pages share: one file without scripts that loads nothing, in the report's style. Pure."""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import jinja2

_TEMPLATES = Path(__file__).parents[2] / "templates"


@dataclass(frozen=True, slots=True)
class Section:
    """A table with its heading; the first column names the rows."""

    heading: str
    columns: Sequence[str]
    rows: Sequence[Sequence[object]]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """A page: what it is about, its verdict in a sentence, facts by name, and tables."""

    title: str
    about: str
    verdict: str
    facts: Sequence[tuple[str, object]] = ()
    sections: Sequence[Section] = field(default_factory=tuple)


def render_document(document: Document) -> str:
    """The page as one HTML file."""
    return render_framed("document.html.jinja", _TEMPLATES, "", document=document)


def render_framed(template: str, folder: Path, style: str, **values: Any) -> str:
    """A page of another folder's template that extends `frame.html.jinja`; `style` is added to the report's."""
    whole = f"{_report_style()}\n{style}"
    digest = base64.b64encode(hashlib.sha256(whole.encode()).digest()).decode()
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([folder, _TEMPLATES]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["shown"] = shown
    return environment.get_template(template).render(style=whole, style_hash=f"sha256-{digest}", **values)


def shown(value: object) -> str:
    """A cell: figures to two digits, a dash for what is not known."""
    if value is None or value == "":
        return "–"
    return f"{value:.2f}" if isinstance(value, float) else str(value)


@cache
def _report_style() -> str:
    return (_TEMPLATES / "report.css").read_text(encoding="utf-8")
