"""The wire of notifications: JSON by HTTP, mail by SMTP."""

import logging
import smtplib
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from contextvars import ContextVar
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import httpx

from tasks.clients.http_pool import is_loopback

_TIMEOUT_SECONDS = 15.0

_MAIL_SECONDS = 60.0

# A receiver says in a line if it takes a message.
_MOST_BYTES = 64 * 1024


_address_is_secret: ContextVar[bool] = ContextVar("address_is_secret", default=False)

# httpx logs the address of every request.
logging.getLogger("httpx").addFilter(lambda record: not _address_is_secret.get())


class _Mail(smtplib.SMTP):
    """A session that ends in time: a server that sends a byte now and then is never silent for its timeout."""

    def connect(self, *args: Any, **named: Any) -> tuple[int, bytes]:
        self._end = threading.Timer(_MAIL_SECONDS, self._shut)
        self._end.daemon = True
        self._end.start()
        return super().connect(*args, **named)

    def close(self) -> None:
        super().close()
        self._end.cancel()

    def _shut(self) -> None:
        if self.sock is not None:
            with suppress(OSError):
                socket.socket.shutdown(self.sock, socket.SHUT_RDWR)  # beneath TLS, which would say goodbye first


class _MailOverTls(_Mail, smtplib.SMTP_SSL): ...


class NotificationWire:
    """Sends notifications; errors never repeat an address, which is a secret with most services."""

    def post(self, url: str, body: bytes) -> tuple[int, bytes]:
        """Post JSON; return status and body of the reply.

        Raises:
            OSError: no reply came.
        """
        try:
            # A proxy is for the outside: the machine's own addresses are not reached through it.
            with _unlogged(), httpx.Client(timeout=_TIMEOUT_SECONDS, trust_env=not is_loopback(url)) as client:
                asked = client.build_request("POST", url, content=body, headers={"Content-Type": "application/json"})
                reply = client.send(asked, stream=True)
                with closing(reply):
                    return reply.status_code, _beginning(reply)
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, ImportError) as error:
            raise OSError(f"{type(error).__name__} on the way to {urlsplit(url).hostname}") from error

    def mail(self, url: str, subject: str, text: str) -> None:
        """Send a mail through `smtp(s)://USER:PASSWORD@HOST:PORT/?from=…&to=…,…`; smtp turns to TLS where it can.

        Raises:
            OSError: it was not taken.
        """
        parts = urlsplit(url)
        query = dict(parse_qsl(parts.query))
        mail = EmailMessage(policy=SMTP)
        mail["Subject"], mail["From"], mail["To"] = " ".join(subject.split()), query["from"], query["to"]
        mail.set_content(text)
        secure = parts.scheme == "smtps"
        host, port = parts.hostname or "", parts.port or (465 if secure else 587)
        try:
            with (
                _MailOverTls(host, port, timeout=_TIMEOUT_SECONDS, context=ssl.create_default_context())
                if secure
                else _Mail(host, port, timeout=_TIMEOUT_SECONDS)
            ) as server:
                if not secure and server.ehlo() and server.has_extn("starttls"):
                    server.starttls(context=ssl.create_default_context())
                if parts.username:
                    server.login(unquote(parts.username), unquote(parts.password or ""))
                server.send_message(mail)
        except smtplib.SMTPException as error:
            raise OSError(f"{type(error).__name__} from {host}") from error


def _beginning(reply: httpx.Response) -> bytes:
    """The beginning of a reply, as far as it comes in time; its status counts even so."""
    read, until = b"", time.monotonic() + _TIMEOUT_SECONDS
    for chunk in reply.iter_bytes():
        read += chunk
        if len(read) > _MOST_BYTES or time.monotonic() > until:
            break
    return read[:_MOST_BYTES]


@contextmanager
def _unlogged() -> Iterator[None]:
    before = _address_is_secret.set(True)
    try:
        yield
    finally:
        _address_is_secret.reset(before)
