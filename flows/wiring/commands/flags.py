"""Flags of the commands: the command's own first, then every setting, by what it is about."""

import argparse
import sys
from collections.abc import Mapping
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from textwrap import indent
from typing import Any, Final, NoReturn, get_args

from flows.wiring.settings import flags
from tasks.domain.errors import UsageError
from tasks.domain.printable import printable

MISUSED: Final = 2

# What a person who begins needs stands first. A setting that is named nowhere comes under "more".
GROUPS: Final[Mapping[str, tuple[str, ...]]] = {
    "logs, tables and model": (
        "source",
        "warehouse",
        "summarizer",
        "endpoint",
        "prompt",
        "rpm",
        "tpm",
        "overwrite",
    ),
    "reading the logs": ("log_format", "mappings", "day_from", "timezone", "mask", "compact", "max_input_tokens"),
    "asking the model": (
        "endpoint_block",
        "max_output_tokens",
        "temperature",
        "system_prompt",
        "response_format",
        "thinking",
        "model_seed",
        "extra_fields",
        "extra_headers",
        "appid",
    ),
    "pace and patience": (
        "qps",
        "concurrency",
        "shared_quota",
        "timeout_seconds",
        "call_seconds",
        "max_attempts",
        "give_up_seconds",
        "busy_wait_seconds",
    ),
    "money": (
        "max_cost",
        "max_tokens",
        "max_calls",
        "prompt_token_price",
        "completion_token_price",
        "cached_token_price",
        "prompt_million_price",
        "completion_million_price",
        "cached_million_price",
        "fallback_prompt_token_price",
        "fallback_completion_token_price",
        "fallback_cached_token_price",
        "currency",
        "training_token_price",
    ),
    "what counts as done": (
        "max_reject_ratio",
        "canary_calls",
        "allow_shrink",
        "logs_wait_seconds",
        "logs_quiet_seconds",
        "golden",
        "golden_labels",
        "golden_hold",
    ),
}

ENVIRONMENT: Final = """environment:
  KEFU_…                each setting by its name, such as KEFU_RPM; a flag beats it, and it beats .env
  OPENAI_BASE_URL, OPENAI_API_KEY
                        --summarizer openai: the server's address, such as http://localhost:8000/v1, and its key
  QIANFAN_BEARER_TOKEN  --summarizer qianfan: an API key (bce-v3/ALTAK-…); or QIANFAN_ACCESS_KEY, QIANFAN_SECRET_KEY
  BCE_ACCESS_KEY_ID, BCE_SECRET_ACCESS_KEY, BOS_ENDPOINT
                        bos://… addresses

exit codes: 0 done, 1 the run failed, 2 wrong use, 3 too many rejects (the tables are published), 4 stopped because the
answers are useless, 5 stopped at a ceiling on cost, tokens or calls (the next run goes on)
"""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One line on stderr, without the usage that hides it."""
        # What follows an unknown flag may be a secret (--qianfan-secret-key …): only flags are repeated.
        what, _, words = message.partition("unrecognized arguments: ")
        if words and not what:
            named = [word.partition("=")[0] for word in words.split() if word.startswith("-")]
            message = f"there is no flag {', '.join(named)}" if named else "there are words that belong to no flag"
            if near := [known for flag in named for known in get_close_matches(flag, self._option_string_actions, 1)]:
                message += f": did you mean {', '.join(near)}?"
        sys.stderr.write(f"{self.prog}: {printable(message)} (--help explains every flag)\n")
        sys.exit(MISUSED)


def typed(module: str) -> str:
    """Return a command as a person here types it: `python -m flows.try_logs`, or `kefu-digest try_logs`."""
    if any(Path(word).name == "kefu-digest" for word in sys.orig_argv[:2]):
        return f"kefu-digest {module.removeprefix('flows.')}"
    return f"python -m {module}"


def as_typed(line: str) -> str:
    """Return a line with the commands in it as a person here types them."""
    return line.replace("python -m flows.", typed("flows."))


def parser(module: str, doc: str | None) -> argparse.ArgumentParser:
    """Return a parser with a flag for every setting; flags that are not set are absent from its result.

    Args:
        module: the command, such as `flows.summarize_day`.
        doc: the module's docstring: a sentence, and examples of calls.
    """
    command = typed(module)
    summary, _, examples = as_typed(doc or "").strip().partition("\n\n")
    made = _Parser(
        prog=command,
        usage=f"{command} [flags]",
        description=f"{summary}\n\n{indent(examples, '  ')}",
        epilog=ENVIRONMENT,
        formatter_class=lambda prog: argparse.RawDescriptionHelpFormatter(prog, max_help_position=26, width=118),
        argument_default=argparse.SUPPRESS,
        allow_abbrev=False,
    )
    settings = flags()
    named = {name for names in GROUPS.values() for name in names}
    groups = {**GROUPS, "more": tuple(name for name in settings if name not in named)}
    for title, names in groups.items():
        group = made.add_argument_group(title)
        for name in names:
            if name in settings:
                _add_setting(group, name, settings[name])
    group.add_argument("--json", action="store_true", default=False, help="print the result as JSON, in one line")
    group.add_argument("--verbose", action="store_true", default=False, help="show Prefect's log on a terminal, too")
    return made


def add_label_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags that name labeled conversations."""
    parser.add_argument("--start", type=day_argument, default=None, help="the first day of labeled conversations")
    parser.add_argument("--end", type=day_argument, default=None, help="the last day, itself included")
    parser.add_argument(
        "--labels", default="", help="a file of labels for the logs of those days (default: the warehouse's labels)"
    )


def limit_of(arguments: argparse.Namespace) -> int:
    """Return how many of the labeled conversations are enough, by the flag of the setting `limit`; 0 is all."""
    try:
        return count_argument(arguments.limit) if "limit" in arguments else 0
    except argparse.ArgumentTypeError as error:
        raise UsageError(f"--limit: {error}.") from None


def count_argument(text: str) -> int:
    """Read a number of things, at least one."""
    if not text.isascii() or not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number such as 200")
    return int(text)


def day_argument(text: str) -> date:
    """Read a day as written on a command line."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a day such as 2026-11-22") from None


def chosen_settings(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the arguments that are settings."""
    return {name: value for name, value in vars(arguments).items() if name in flags()}


def _add_setting(group: Any, name: str, field: Any) -> None:
    shown = "" if field.default in (None, "", False, ()) else f" (default: {field.default})"
    help_text = f"{field.description}{shown}".replace("%", "%%")
    flag = f"--{name.replace('_', '-')}"
    if field.annotation is bool:
        group.add_argument(flag, action=argparse.BooleanOptionalAction, help=help_text)
    else:
        group.add_argument(flag, metavar=_metavar(field.annotation), help=help_text)


def _metavar(annotation: Any) -> str:
    kinds = str(annotation)
    if "Literal" in kinds:
        return "|".join(get_args(annotation))
    return "N" if "int" in kinds or "float" in kinds else "TEXT"
