"""Every command with a line each, or one of them: `kefu-digest [COMMAND [FLAGS]]` or `python -m flows [COMMAND]`."""

import ast
import runpy
import sys
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path

from flows.wiring.commands.standard_streams import open_standard_streams, write_result
from tasks.domain.errors import RunError

# In the order in which a person meets them.
ORDER = (
    "try_logs",
    "check_setup",
    "try_model",
    "summarize_day",
    "backfill_days",
    "build_report",
)


def commands() -> dict[str, str]:
    """Return every command and the first line of its module, those for a beginning first."""
    found = dict(_commands())
    return {name: found[name] for name in sorted(found, key=lambda name: (name not in ORDER, _place(name), name))}


def main() -> int:
    """List the commands, or run the one that is named."""
    open_standard_streams()
    known = commands()
    if len(sys.argv) < 2 or sys.argv[1] in {"-h", "--help"}:
        width = max(map(len, known))
        lines = [f"  {name.ljust(width)}  {summary}" for name, summary in known.items()]
        how = "kefu-digest COMMAND" if _own_name() == "kefu-digest" else "python -m flows.COMMAND"
        try:
            write_result("\n".join([f"{how} --help explains its flags.", "", *lines]))
        except RunError as error:
            sys.stderr.write(f"kefu-digest: {error}\n")
            return 1
        return 0
    name = sys.argv[1].removeprefix("flows.").replace("-", "_")
    if name not in known:
        near = get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]}?" if near else f"{_own_name()} lists all commands"
        sys.stderr.write(f"kefu-digest: there is no command {name}: {hint}\n")
        return 2
    del sys.argv[1]
    runpy.run_module(f"flows.{name}", run_name="__main__", alter_sys=True)
    return 0


def _own_name() -> str:
    return "kefu-digest" if Path(sys.argv[0]).name == "kefu-digest" else "python -m flows"


def _commands() -> Iterator[tuple[str, str]]:
    for path in sorted(Path(__file__).parent.glob("[!_]*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))  # importing them all would take seconds
        if any(isinstance(node, ast.If) and "__main__" in ast.unparse(node.test) for node in tree.body):
            yield path.stem, (ast.get_docstring(tree) or "").partition("\n")[0]


def _place(name: str) -> int:
    return ORDER.index(name) if name in ORDER else len(ORDER)


if __name__ == "__main__":
    sys.exit(main())
