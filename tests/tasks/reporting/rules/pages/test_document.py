"""The frame of small pages: nothing breaks out of it, nothing is loaded, and its one style is the one allowed."""

import base64
import hashlib
import re

from hypothesis import given
from hypothesis import strategies as st

from tasks.reporting.rules.pages.document import Document, Section, render_document

TEXT = st.text(max_size=40)
CELL = st.one_of(TEXT, st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.none())


@given(TEXT, TEXT, TEXT, st.lists(st.tuples(TEXT, CELL), max_size=3), st.lists(st.lists(CELL, max_size=3), max_size=3))
def test_nothing_breaks_out_of_a_page(title, about, verdict, facts, rows):
    html = render_document(Document(title, about, verdict, facts, [Section(title, ("a", "b"), rows, about)]))
    assert "<script" not in html
    style = re.search(r"<style>(.*?)</style>", html, re.S)
    assert style is not None
    allowed = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert f"style-src 'sha256-{allowed}'" in html
    assert " style=" not in html
    assert len(re.findall("<tr>", html)) == len(facts) + len(rows) + 1


def test_a_page_shows_what_it_was_given():
    html = render_document(
        Document(
            "<script>", "a & b", "好", [("数", 3.14159), ("空", None)], [Section("表", ("名", "值"), [("x", 2.5)])]
        )
    )
    assert "<title>&lt;script&gt;</title>" in html
    assert '<tr><th scope="row">数</th><td>3.14</td></tr>' in html
    assert '<tr><th scope="row">空</th><td>–</td></tr>' in html
    assert '<tr><th scope="row">x</th><td>2.50</td></tr>' in html
