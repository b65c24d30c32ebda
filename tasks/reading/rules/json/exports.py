"""Lines that exporting programs write about their own, and the last answer that data for tuning keeps apart."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from tasks.reading.rules.json.reshaping import ANSWERED, ASKED
from tasks.reading.rules.utterances import Utterance

# Lines of Elasticsearch's bulk requests; of Singer, Airbyte and phpMyAdmin, by their type.
_ACTIONS: Final = frozenset(["index", "create", "update", "delete"])

_TYPES: Final = frozenset(
    "SCHEMA STATE ACTIVATE_VERSION LOG TRACE SPEC CONTROL CONNECTION_STATUS header database".split()  # noqa: SIM905
)

_LANGCHAIN: Final = ("human", "ai", "system")

# A dialogue that is to be summarized or judged: what is put out then is nobody's word in it.
_TASK: Final = re.compile(
    r"总结|摘要|概括|归纳|提取|抽取|分类|判断|识别|分析|打分|评分|评估|翻译|改写|润色|标注|总結|摘錄"
    r"|summar|extract|classif|label|analy[sz]e|evaluat|translat|rewrite|score",
    re.I,
)


def is_of_the_export(value: Mapping[str, Any]) -> bool:
    """True for a line about the lines around it, which holds nobody's words."""
    if len(value) == 1:
        ((name, about),) = value.items()
        return name in _ACTIONS and isinstance(about, dict) and all(key[:1] == "_" for key in about)
    kind = value.get("type")
    return isinstance(kind, str) and kind in _TYPES


def in_the_usual_way(value: dict[str, Any]) -> dict[str, Any]:
    """A message of LangChain with its role and text, a record of MultiWOZ with its messages; any other as it is."""
    if "log" in value:
        return _taking_turns(value)
    said = value.get("data")
    if value.get("type") not in _LANGCHAIN or not isinstance(said, dict) or "content" not in said:
        return value
    rest = {name: kept for name, kept in value.items() if name not in ("type", "data")}
    return {**rest, "role": value["type"], "text": said["content"]}


def _taking_turns(value: dict[str, Any]) -> dict[str, Any]:
    """A record whose messages name nobody: the customer's and the agent's alternate."""
    log = value["log"]
    if not isinstance(log, list) or not log or not all(map(_is_unnamed, log)):
        return value
    sides = ("user", "agent")
    turns = [{"role": sides[at % 2], "text": said["text"]} for at, said in enumerate(log)]
    return {"messages": turns, **{name: kept for name, kept in value.items() if name != "log"}}


def _is_unnamed(said: Any) -> bool:
    return isinstance(said, dict) and isinstance(said.get("text"), str) and "metadata" in said and "role" not in said


def last_answer(value: Mapping[str, Any], key: str, said: Sequence[Utterance]) -> str:
    """The key of an agent's answer to a dialogue that data for tuning asks with; "" where there is none."""
    if key not in ASKED or next((one.speaker for one in reversed(said) if one.text.strip()), "") != "user":
        return ""
    if any(_TASK.search(value[name].partition("\n")[0]) for name in ASKED if isinstance(value.get(name), str)):
        return ""
    found = next((name for name in ANSWERED if isinstance(value.get(name), str) and value[name].strip()), "")
    return found if found and value[found].lstrip()[:1] not in "{[" else ""
