"""Traces of commands: all that they leave behind, and the command lines that anybody sees while they run."""

import base64
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import pyarrow.parquet as pq


@dataclass
class Traces:
    """Runs modules in folders of their own, and finds words in what they leave.

    Args:
        folder: everything is below it.
        environment: of every command.
        lines: of every process that was seen while a command ran.
    """

    folder: Path
    environment: Mapping[str, str]
    lines: set[bytes] = field(default_factory=set)

    def run(
        self,
        name: str,
        *command: str,
        until: Callable[[], bool] | None = None,
        others: Mapping[str, str] | None = None,
    ) -> int:
        """Run one module to its end; with `until`, kill it without warning when that is true. Returns the exit code."""
        work = self.folder / "work"  # whatever is written beside a command lies here
        work.mkdir(exist_ok=True)
        with self._output(name).open("wb") as said:
            process = subprocess.Popen(
                [sys.executable, "-m", *command],
                cwd=work,
                env={**self.environment, **(others or {})},
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            ended = threading.Event()
            watcher = threading.Thread(target=self._watch_lines, args=(ended,))
            watcher.start()
            try:
                if until is not None:
                    limit = time.monotonic() + 300
                    while not until() and process.poll() is None and time.monotonic() < limit:
                        time.sleep(0.05)
                    if process.poll() is None:
                        os.killpg(process.pid, signal.SIGKILL)
                code = process.wait(240)
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
                ended.set()
                watcher.join()
        return code

    def output(self, name: str) -> str:
        """Everything a command wrote, stdout and stderr as one."""
        return self._output(name).read_text(encoding="utf-8", errors="replace")

    def _output(self, name: str) -> Path:
        (self.folder / "outputs").mkdir(exist_ok=True)
        return self.folder / "outputs" / name

    def places_of(self, words: Iterable[str]) -> dict[str, list[str]]:
        """The places where each word stands, as it is or as a wire writes it; none where it is nowhere."""
        kept = {"command lines": b"\n".join(self.lines)}
        for path in self.folder.rglob("*"):
            kept[str(path.relative_to(self.folder))] = os.fsencode(path.name) + b"\n" + _content(path)
        return {
            word: places
            for word in words
            if (
                places := sorted(
                    place for place, content in kept.items() if any(s in content for s in _spellings(word))
                )
            )
        }

    def _watch_lines(self, ended: threading.Event) -> None:
        while not ended.wait(0.05):
            for process in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    self.lines.add(process.read_bytes())
                except OSError:
                    continue  # it has ended


def _content(path: Path) -> bytes:
    if not path.is_file():
        return b""
    raw = path.read_bytes()
    if path.suffix == ".parquet":  # compressed
        raw += repr(pq.ParquetFile(path).read().to_pydict()).encode()
    return raw


def _spellings(word: str) -> set[bytes]:
    escaped = word.encode("ascii", "backslashreplace")  # as JSON and tracebacks write it
    return {word.encode(), escaped, quote(word).encode(), *_in_base64(word.encode())}


def _in_base64(word: bytes) -> Iterator[bytes]:
    """The signs that base64 makes of a word alone, wherever it stands: Prefect keeps exceptions as such pickles."""
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + word)
        begin = (before * 8 + 5) // 6  # the first sign that is of the word alone
        yield encoded[begin : (before + len(word)) * 8 // 6]
