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
    "user_text": "what the customer says, where each side has a column of its own",
    "agent_text": "what the agent says there",
    "number": "the message's place",
    "message_id": "the message; what was delivered twice counts once",
    "parts": "pieces of a message's text",
    "recalled": "1 leaves the message out: recalled, deleted, internal",
    "state": "its state: 撤回, `recalled` and the like leave the message out",
    "public": "0 leaves the message out",
}


# Each log with the mapping that reads it; a test reads them.
_OF_YOUR_OWN: Final = """\
## A mapping of your own

Save it as a file and name both: `python -m flows.try_logs exports --mappings mine.toml --log-format shop`. Every
command that reads logs takes the two flags. Each of these logs is the conversation 杯子收到就碎了, 给您补发一只.

A table below two lines of titles, with names of its own, times in a form of its own and notes that no customer saw:

```text
蓝河家居 会话明细
导出人：小林
单据|说话|说了什么|何时|内部
71|B|杯子收到就碎了|22.11.2026 10.00|否
71|S|查过库存了|22.11.2026 10.01|是
71|S|给您补发一只|22.11.2026 10.02|否
```

```toml
[shop]
skip_lines = 2
columns = { "单据" = "conversation_id", "说话" = "role", "说了什么" = "text", "何时" = "time" }
roles = { B = "user", S = "agent" }
times = ["%d.%m.%Y %H.%M"]
skip = { "内部" = ["是"] }
```

JSON whose keys lie within each other: a dot leads inside, for a conversation's keys and for a message's.

```text
[{"of": {"no": 71, "via": "App"}, "log": {"items": [
  {"who": {"kind": "B"}, "what": {"words": "杯子收到就碎了"}, "at": "22.11.2026 10.00"},
  {"who": {"kind": "S"}, "what": {"words": "给您补发一只"}, "at": "22.11.2026 10.02"}]}}]
```

```toml
[shop]
messages = "log.items"
columns = { "of.no" = "conversation_id", "of.via" = "channel", "who.kind" = "role", "what.words" = "text", at = "time" }
roles = { B = "user", S = "agent" }
times = ["%d.%m.%Y %H.%M"]
```

A transcript whose speakers have names alone: `roles` says whose side each is on, and `"*"` stands for all others.

```text
[2026-11-22 10:00:00] 雨：杯子收到就碎了
[2026-11-22 10:02:00] 蓝河-07：给您补发一只
```

```toml
[shop]
roles = { "蓝河-07" = "agent", "雨" = "user" }
```

Messages that say who writes to whom and name no conversation: the pair is the conversation, or the `room` where one is
named. `roles` names the agents; who writes to an agent is a customer. (Where agents write to several customers, this is
read without a mapping.)

```text
出发,到达,说了什么,何时
雨,蓝河-07,杯子收到就碎了,2026-11-22 10:00:00
蓝河-07,雨,给您补发一只,2026-11-22 10:02:00
```

```toml
[shop]
between = { sender = "出发", receiver = "到达" }
columns = { "说了什么" = "text", "何时" = "time" }
roles = { "蓝河-07" = "agent" }
```

A file that is one conversation and does not say so:

```text
谁,说了什么,何时
雨,杯子收到就碎了,2026-11-22 10:00:00
蓝河-07,给您补发一只,2026-11-22 10:02:00
```

```toml
[shop]
one_conversation = true
columns = { "谁" = "role", "说了什么" = "text", "何时" = "time" }
roles = { "蓝河-07" = "agent", "雨" = "user" }
```
"""


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
        "## A log that is not understood",
        "",
        "`try_logs` makes a mapping of what stands in the file, tries it on the file's beginning, and shows it only if "
        "conversations of both sides come out; else it says what is missing. Whose side names are on is a guess there, "
        "by who speaks in several conversations and by what they say: check it.",
        "",
        _OF_YOUR_OWN,
    ]
    return "\n".join(lines)


def _quoted(columns: Iterable[str]) -> str:
    return ", ".join(f"`{column}`" for column in columns)


def _listed(words: str) -> str:
    return ", ".join(dict.fromkeys(words.split()))


if __name__ == "__main__":
    print(names_page(), end="")  # noqa: T201
