from pathlib import Path

from tasks.reading.rules.names_page import names_page


def test_names_page_is_the_page_in_the_docs():
    page = Path(__file__).parents[4] / "tasks" / "reading" / "README.md"
    assert page.read_text(encoding="utf-8") == names_page(), (
        "python -m tasks.reading.rules.names_page > tasks/reading/README.md"
    )
