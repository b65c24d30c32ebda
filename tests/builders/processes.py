"""Processes of this machine, by the environment that they were started in."""

from pathlib import Path


def processes_at(home: Path) -> dict[int, bytes]:
    """Return the command lines of the processes whose HOME is that folder, by their numbers."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            variables, words = (entry / "environ").read_bytes(), (entry / "cmdline").read_bytes()
        except OSError:  # it has just ended, or is another user's
            continue
        if f"HOME={home}".encode() in variables.split(b"\0"):
            found[int(entry.name)] = words
    return found
