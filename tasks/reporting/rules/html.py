"""The report as one HTML file, and its top as a picture."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from pathlib import Path

import jinja2
import pyarrow as pa

from tasks.reporting.rules.formatting import (
    FEW,
    clip,
    example_said,
    example_tags,
    example_time,
    interval_range,
    percent,
    share_text,
)
from tasks.reporting.rules.page import _EXAMPLES_OPEN, _page
from tasks.reporting.rules.statistics import ANSWERS, DayStatistics, Proportion
from tasks.reporting.rules.texts import reason_label, reason_todo, translate

_TEMPLATES = Path(__file__).parents[1] / "templates"


def render_html(
    statistics: DayStatistics, *, history: Mapping[date, pa.Table] | None = None, days: Sequence[DayStatistics] = ()
) -> str:
    """The report as one HTML file.

    Args:
        statistics: the figures of a day, or of a span.
        history: METRICS tables of the days before, by day; the week before the statistics's first day is used.
        days: a span's days, for its trend.
    """
    style, script = _file("report.css"), _file("report.js")
    return (
        _environment()
        .get_template("report.html.jinja")
        .render(
            page=_page(statistics, history, days),
            style=style,
            script=script,
            style_hash=_csp_hash(style),
            script_hash=_csp_hash(script),
            examples_open=_EXAMPLES_OPEN,
        )
    )


def render_picture(
    statistics: DayStatistics, *, history: Mapping[date, pa.Table] | None = None, language: str = "zh"
) -> str:
    """The top of the report as a small stand-alone SVG, 900 x 520; `language` is zh or en."""
    return (
        _environment().get_template("picture.svg.jinja").render(page=_page(statistics, history, ()), language=language)
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
        reason_label=reason_label,
        reason_todo=reason_todo,
        example_time=example_time,
        example_said=example_said,
        example_tags=example_tags,
    )
    return environment
