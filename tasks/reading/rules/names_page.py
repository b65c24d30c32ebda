"""The page that lists every name that is understood; README.md beside tasks/reading is made of it."""

from collections.abc import Iterable
from typing import Final

from tasks.reading.rules.formats import BUILT_IN
from tasks.reading.rules.speakers import AGENT_WORDS, SYSTEM_WORDS, USER_WORDS
from tasks.reading.rules.vocabulary import NAMES

_MEANINGS: Final = {
    "conversation_id": "the conversation",
    "role": "who speaks",
    "is_agent": "1 where the agent speaks",
    "is_user": "1 where the customer speaks",
    "text": "what is said",
    "time": "when",
    "date": "the day, where the time stands beside it",
    "started_at": "when the conversation began",
    "channel": "the channel",
    "messages": "a list of messages",
    "transcript": "a whole dialogue as text",
    "number": "the message's place",
    "message_id": "the message; what was delivered twice counts once",
    "parts": "pieces of a message's text",
    "recalled": "1 leaves the message out: recalled, deleted, internal",
    "state": "its state: 撤回, `recalled` and the like leave the message out",
    "public": "0 leaves the message out",
}


def names_page() -> str:
    """The page, as Markdown."""
    lines = [
        "# Logs that are read",
        "",
        "`python -m flows.try_logs FILE_OR_FOLDER` shows what a log is taken for, without a call. This page is made "
        "(`python -m tasks.reading.rules.names_page > tasks/reading/README.md`); a test holds it.",
        "",
        "## Names of columns and keys",
        "",
        "Case, `_`, `-` and blanks do not matter: `Conversation_ID` is `conversationid`. The surest name stands first. "
        "Other names become attributes. A mapping can also name the columns of the `agent` and of the customer's "
        "rating (`csat`), where the tables would not find them.",
        "",
        "| meaning | in a mapping | names |",
        "| --- | --- | --- |",
        *(f"| {_MEANINGS[name]} | `{name}` | {_listed(NAMES[name])} |" for name in _MEANINGS),
        "",
        "## Words for who speaks",
        "",
        "| side | words |",
        "| --- | --- |",
        f"| user | {_listed(USER_WORDS)} |",
        f"| agent | {_listed(AGENT_WORDS)} |",
        f"| system (left out) | {_listed(SYSTEM_WORDS)} |",
        "",
        "A number, a name in brackets or one behind 客服 may follow. Where a log calls its customers `contact` or "
        "`visitor` and others `user`, the user is the agent. A message that names no speaker is the system's where its "
        "kind, such as `message_type` or 消息类型, is one of the system's words.",
        "",
        "## Mappings that ship",
        "",
        "Each is tried by `auto`. Names that no public document shows are unconfirmed: see what `try_logs` makes of "
        "your export, and correct the mapping where it differs.",
        "",
        "| name | told by | documented in | unconfirmed |",
        "| --- | --- | --- | --- |",
        *(
            f"| `{name}` | {_quoted(known.match) or 'its columns'} | {known.source} | {_quoted(known.unconfirmed)} |"
            for name, known in BUILT_IN.items()
        ),
        "",
        "[mappings/jddc.toml](mappings/jddc.toml) explains what a mapping can say.",
        "",
    ]
    return "\n".join(lines)


def _quoted(columns: Iterable[str]) -> str:
    return ", ".join(f"`{column}`" for column in columns)


def _listed(words: str) -> str:
    return ", ".join(dict.fromkeys(words.split()))


if __name__ == "__main__":
    print(names_page(), end="")  # noqa: T201
