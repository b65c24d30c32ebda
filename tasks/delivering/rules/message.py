"""Message to people, before any service gives it a form."""

from dataclasses import dataclass
from typing import Literal

Level = Literal["failure", "warning", "good"]


@dataclass(frozen=True, slots=True)
class Message:
    """One message to people.

    Args:
        id: the same whenever the same event is reported again, so that a receiver can fold repeats.
        about: what it is about, such as a run's id; a recovery has the `about` of its failure.
        level: how bad it is.
        title: one line.
        text: why, in sentences or in Markdown.
        action: what to do next; empty where there is nothing to do.
        link: the page to open; empty where there is none.
        run: the flow run's name, if it is about one.
        day: the day of the logs, as 2026-11-22, if it is about one.
    """

    id: str
    about: str
    level: Level
    title: str
    text: str = ""
    action: str = ""
    link: str = ""
    run: str = ""
    day: str = ""
