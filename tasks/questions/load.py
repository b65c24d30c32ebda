"""A file of a shop's own questions."""

from pathlib import Path

from tasks.domain.errors import UsageError, unread_reason
from tasks.questions.rules.questions import Questionnaire, parse_questions


def load_questions(path: str) -> Questionnaire:
    """Read a file of questions.

    Raises:
        UsageError: no file is named, it can't be read, or it is not of the form.
    """
    if not path:
        raise UsageError("Name a TOML file of questions with --questions (or KEFU_QUESTIONS).")
    try:
        return parse_questions(Path(path).read_text(encoding="utf-8"), path)
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--questions {path} can't be read: {unread_reason(error)}.") from None
