"""Addresses of receivers: one text names the service, the place and the secret.

    https://open.feishu.cn/open-apis/bot/v2/hook/…#SECRET    a service that is known by its host
    dingtalk+https://gateway.example.com/robot/send          the same form through another host
    smtps://user:password@smtp.example.com/?from=a@example.com&to=b@example.com
    https://example.com/on-call                               anything else: plain JSON

What stands behind `#` is a secret that never travels as part of the address: a signing key, or PagerDuty's routing key.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit

from tasks.delivering.rules.forms import Form
from tasks.domain.errors import UsageError

_SECRET_LENGTH = 8  # shorter parts of an address are words such as "hook" or "robot"

_MAIL_SCHEMES = ("smtp", "smtps")


@dataclass(frozen=True, slots=True)
class Address:
    """The destination of messages.

    Args:
        form: the service's name.
        url: where to post, or the mail server.
        secret: see the module; shown nowhere.
    """

    form: str
    url: str
    secret: str = ""

    @property
    def place(self) -> str:
        """The receiver as logs may name it: without path, query, user and password, which are secrets in most."""
        return f"{self.form} at {urlsplit(self.url).hostname}"

    def without_secrets(self, text: str) -> str:
        """The text of a receiver without any part of its address that may be a secret: some repeat what they got."""
        parts = urlsplit(self.url)
        pieces = {*re.split(r"[/?&=;]", f"{parts.path}?{parts.query}"), self.secret, parts.password or ""}
        for piece in sorted(pieces, key=len, reverse=True):
            if len(piece) >= _SECRET_LENGTH:
                text = text.replace(piece, "…").replace(unquote(piece), "…")
        return text

    def __repr__(self) -> str:
        return f"Address({self.place})"


def parse_addresses(text: str, forms: Mapping[str, Form]) -> list[Address]:
    """The addresses in a text, which are separated by white space.

    Raises:
        UsageError: one of them can't be right; the message does not repeat it.
    """
    return [_parse(address, number, forms) for number, address in enumerate(text.split(), start=1)]


def _parse(text: str, number: int, forms: Mapping[str, Form]) -> Address:
    named = re.match(r"(\w+)\+(?=https?://)", text)
    url, _, secret = text[named.end() if named else 0 :].partition("#")
    parts = urlsplit(url)
    if parts.scheme in _MAIL_SCHEMES:
        query = dict(parse_qsl(parts.query))
        if not parts.hostname or not query.get("from") or not query.get("to"):
            raise UsageError(
                f"Address {number} of notifications is mail without a server, from or to: write "
                "smtps://USER:PASSWORD@smtp.example.com/?from=a@example.com&to=b@example.com."
            )
        return Address("mail", url, secret)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise UsageError(
            f"Address {number} of notifications is no address such as https://example.com/on-call; for a service "
            f"behind another host write one of {', '.join(f'{name}+https://…' for name in sorted(forms))}."
        )
    if named:
        if named[1] not in forms:
            raise UsageError(f"There is no form {named[1]!r} of notifications; there are {', '.join(sorted(forms))}.")
        return Address(named[1], url, secret)
    found = next((form.name for form in forms.values() if parts.hostname in form.hosts), "plain")
    return Address(found, url, secret)
