"""Forms: what each service wants to be posted, as data (`tasks/delivering/forms/*.toml`), filled in without a clock."""

import base64
import hashlib
import hmac
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

import orjson

from tasks.delivering.rules.message import Message

# A channel's or a log file's name makes no link, no image that is loaded and no mention of everybody. The signs have no
# escape that all clients know, so that their wide forms stand for them.
_MARKDOWN = {"<": "＜", "[": "［"}

# DingTalk joins lines unless blanks stand around the break.
_ESCAPES = {
    "slack": {"&": "&amp;", "<": "&lt;", ">": "&gt;"},
    "markdown": _MARKDOWN,
    "dingtalk": {**_MARKDOWN, "\n": "  \n  "},
}

_SHOWN = frozenset({"title", "text", "action"})  # an address has to stay one


@dataclass(frozen=True, slots=True)
class Form:
    """One service's form.

    Args:
        name: what addresses call it.
        body: the JSON to post; texts in it may have slots such as `{title}`, and a table with `when = "link"` is left
            out where the message has no link. A table of `paragraphs` becomes one text of them.
        hosts: the hosts that take this form.
        words: for a field, the word that stands for each of its values: a color for each level.
        longest: for a field, how many bytes of UTF-8 the service takes.
        accepted: fields of a reply's JSON when the message was taken; empty: any 2xx reply means that.
        sign: how the secret signs, `feishu` or `dingtalk`; empty: not at all.
        escape: how text is written so that it is shown as it is, a name of `_ESCAPES`; empty: as it is.
    """

    name: str
    body: Mapping[str, Any]
    hosts: tuple[str, ...] = ()
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    longest: Mapping[str, int] = field(default_factory=dict)
    accepted: Mapping[str, Any] = field(default_factory=dict)
    sign: str = ""
    escape: str = ""


@dataclass(frozen=True, slots=True)
class Posting:
    """A request over the wire: the address with its additions, and the body."""

    url: str
    body: bytes


def parse_form(name: str, text: str) -> Form:
    """The form that a TOML text describes."""
    fields = tomllib.loads(text)
    return Form(name, fields.pop("body"), tuple(fields.pop("hosts", ())), **fields)


def fill_in(form: Form, message: Message, url: str, secret: str, now: float) -> Posting:
    """A message in a service's form.

    Args:
        form: the service's.
        message: the message.
        url: where it is posted.
        secret: signs it, or is part of the body, as the form requires.
        now: seconds since 1970, which some services sign.
    """
    slots = {
        name: _shortened(_escaped(text, form.escape if name in _SHOWN else ""), form.longest.get(name))
        for name, text in _texts(message)
    }
    slots |= {f"{name}_word": words.get(slots[name], "") for name, words in form.words.items()}
    body = _filled(form.body, {**slots, "secret": secret})
    if form.sign == "feishu" and secret:
        key = f"{int(now)}\n{secret}".encode()
        body |= {"timestamp": str(int(now)), "sign": _base64(hmac.new(key, b"", hashlib.sha256).digest())}
    if form.sign == "dingtalk" and secret:
        stamp = str(round(now * 1000))
        sign = hmac.new(secret.encode(), f"{stamp}\n{secret}".encode(), hashlib.sha256).digest()
        added = urlencode({"timestamp": stamp, "sign": _base64(sign)}, quote_via=quote)
        url = f"{url}{'&' if '?' in url else '?'}{added}"
    return Posting(url, orjson.dumps(body))


def refusal(form: Form, status: int, reply: bytes) -> str:
    """The reason why a service did not take a message; empty where it did.

    Args:
        form: the service's.
        status: the HTTP status of its reply.
        reply: the reply's body.
    """
    body = reply.decode(errors="replace").strip()
    if not 200 <= status < 300:
        return f"HTTP {status}: {body}" if body else f"HTTP {status}"
    if not form.accepted:
        return ""
    try:
        answer = orjson.loads(reply)
        taken = all(answer.get(name) == value for name, value in form.accepted.items())
    except (orjson.JSONDecodeError, AttributeError):
        taken = False
    return "" if taken else f"it said {body or 'nothing'}"


def _texts(message: Message) -> list[tuple[str, str]]:
    names = ("id", "about", "level", "title", "text", "action", "link", "run", "day")
    return [(name, str(getattr(message, name))) for name in names]


def _escaped(text: str, how: str) -> str:
    for character, written in _ESCAPES.get(how, {}).items():
        text = text.replace(character, written)
    return text


def _shortened(text: str, longest: int | None) -> str:
    if longest is None or len(text.encode()) <= longest:
        return text
    return text.encode()[: longest - 3].decode(errors="ignore") + "…"


def _filled(part: Any, slots: Mapping[str, str]) -> Any:
    if isinstance(part, str):
        return part.format_map(slots)
    if isinstance(part, Mapping) and "paragraphs" in part:
        return "\n\n".join(paragraph["text"] for paragraph in _filled(part["paragraphs"], slots))
    if isinstance(part, Mapping):
        return {name: _filled(value, slots) for name, value in part.items() if name != "when"}
    if isinstance(part, list):
        return [
            _filled(item, slots) for item in part if not isinstance(item, Mapping) or slots.get(item.get("when", "id"))
        ]
    return part


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
