"""Show the reports of a warehouse folder in a browser: read-only, behind the login of the UI.

python -m deployments.reports --host 127.0.0.1 --port 4201

Only `reports/` is shown, whatever a request asks for. A warehouse in BOS needs none of this: its reports are objects
with addresses of their own.
"""

import argparse
import http.server
import math
import sys
import time
from collections.abc import Sequence
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from deployments.login_brake import LoginBrake
from flows.wiring.commands.environment import ui_login
from flows.wiring.commands.standard_streams import complain
from flows.wiring.settings import load_settings
from tasks.domain.errors import KefuError, UsageError

# A report brings everything with it; nothing that somebody smuggled into one may call elsewhere.
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"


class ReportsHandler(http.server.SimpleHTTPRequestHandler):
    """Answers GET and HEAD below one folder.

    Args:
        brake: knows the login; None: none is asked for.
    """

    def __init__(self, *arguments: Any, brake: LoginBrake | None, **options: Any) -> None:
        self._brake = brake
        super().__init__(*arguments, **options)

    def do_GET(self) -> None:
        """Show a file or a folder."""
        if self._may_read():
            super().do_GET()

    def do_HEAD(self) -> None:
        """Send the headers of a file."""
        if self._may_read():
            super().do_HEAD()

    def translate_path(self, path: str) -> str:
        """The file that a request asks for; one outside of the folder, through a link, is none."""
        asked = Path(super().translate_path(path))
        root = Path(self.directory).resolve()
        return str(asked) if asked.resolve().is_relative_to(root) else str(root / "nothing")

    def end_headers(self) -> None:
        """Add what keeps a page to itself."""
        self.send_header("Content-Security-Policy", _POLICY)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing: who reads which report is nobody's business."""

    def _may_read(self) -> bool:
        if self._brake is None:
            return True
        address, now, given = self.client_address[0], time.monotonic(), self.headers.get("Authorization")
        if given is not None and (wait := self._brake.wait(address, now)):
            self._refuse(HTTPStatus.TOO_MANY_REQUESTS, "Retry-After", str(math.ceil(wait)))
            return False
        is_right, guessing = self._brake.try_header(address, given, now) if given is not None else (False, "")
        if guessing:
            sys.stderr.write(f"{guessing}\n")
        if not is_right:
            self._refuse(HTTPStatus.UNAUTHORIZED, "WWW-Authenticate", 'Basic realm="kefu-digest", charset="UTF-8"')
        return is_right

    def _refuse(self, status: HTTPStatus, header: str, value: str) -> None:
        self.send_response(status)
        self.send_header(header, value)
        self.send_header("Content-Length", "0")
        self.end_headers()


def reports_server(folder: Path, host: str, port: int, login: str) -> http.server.ThreadingHTTPServer:
    """A server of the reports in a folder, listening already."""
    handler = partial(ReportsHandler, directory=str(folder), brake=LoginBrake(login) if login else None)
    return http.server.ThreadingHTTPServer((host, port), handler)


def main(arguments: Sequence[str]) -> int:
    """The command line; warehouse and login are the worker's and the server's."""
    parser = argparse.ArgumentParser(
        prog="python -m deployments.reports", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--host", default="127.0.0.1", help="an address of this machine (default: this machine only)")
    parser.add_argument("--port", type=int, default=4201, help="where it listens (default: 4201)")
    args = parser.parse_args(arguments)
    try:
        warehouse = load_settings({}).warehouse
    except KefuError as error:
        return complain(error)
    if "://" in warehouse and not warehouse.startswith("file://"):
        return complain(UsageError("The warehouse is not a folder: its reports have addresses of their own."))
    folder = Path(warehouse.removeprefix("file://")) / "reports"
    with reports_server(folder, args.host, args.port, ui_login()) as server:
        sys.stdout.write(f"showing http://{args.host}:{args.port}\n")
        sys.stdout.flush()
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            return 0
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
