"""Imports without garbage collection: nothing of them is garbage, and to look takes an eighth of a command's start."""

import gc
import sys

from flows.wiring.commands.server_ahead import command_in


def put_collections_off() -> None:
    """Collect nothing until `collect_from_now_on`, if this process is a command, which calls that."""
    if command_in(sys.orig_argv):
        gc.disable()


def collect_from_now_on() -> None:
    """Set aside what is imported, which stays, and collect what comes after it."""
    gc.freeze()  # a collection that looks through it takes a fifth of a second
    gc.enable()
