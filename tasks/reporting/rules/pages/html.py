"""The report as one HTML file, and its top as a picture."""

import base64
import hashlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import jinja2

from tasks.reporting.rules.context import NO_CONTEXT, Context
from tasks.reporting.rules.formatting import (
    FEW,
    clip,
    example_said,
    example_tags,
    example_time,
    interval_range,
    percent,
    share_text,
    whole_percent,
)
from tasks.reporting.rules.pages.calendar import Entry, months_of, spans_of
from tasks.reporting.rules.pages.calendar_rows import WEEKDAYS
from tasks.reporting.rules.pages.charts import HEIGHT, WIDTH
from tasks.reporting.rules.pages.page import _EXAMPLES_OPEN, make_page
from tasks.reporting.rules.statistics import ANSWERS, DayStatistics, Proportion
from tasks.reporting.rules.texts import reason_label, reason_todo, translate

_TEMPLATES = Path(__file__).parents[2] / "templates"


def render_html(statistics: DayStatistics, context: Context = NO_CONTEXT) -> str:
    """The report of a day or a span as one HTML file."""
    style, script = _file("report.css"), _file("report.js")
    return (
        _environment()
        .get_template("report.html.jinja")
        .render(
            page=make_page(statistics, context),
            style=style,
            script=script,
            style_hash=_csp_hash(style),
            script_hash=_csp_hash(script),
            examples_open=_EXAMPLES_OPEN,
        )
    )


def render_picture(statistics: DayStatistics, context: Context = NO_CONTEXT, language: str = "zh") -> str:
    """The top of the report as a small stand-alone SVG, 900 x 520; `language` is zh or en."""
    return (
        _environment().get_template("picture.svg.jinja").render(page=make_page(statistics, context), language=language)
    )


def render_index(entries: Iterable[Entry]) -> str:
    """The calendar of all reports as one HTML file."""
    listed, style = list(entries), _file("index.css")
    return (
        _environment()
        .get_template("index.html.jinja")
        .render(
            months=months_of(listed),
            spans=spans_of(listed),
            weekdays=WEEKDAYS,
            style=style,
            style_hash=_csp_hash(style),
        )
    )


def _csp_hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


@cache
def _file(name: str) -> str:
    return (_TEMPLATES / name).read_text(encoding="utf-8")


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        ANSWERS=ANSWERS,
        Proportion=Proportion,
        FEW=FEW,
        translate=translate,
        clip=clip,
        percent=percent,
        share_text=share_text,
        interval_range=interval_range,
        whole_percent=whole_percent,
        WIDTH=WIDTH,
        HEIGHT=HEIGHT,
        reason_label=reason_label,
        reason_todo=reason_todo,
        example_time=example_time,
        example_said=example_said,
        example_tags=example_tags,
    )
    return environment
