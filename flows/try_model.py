"""Send one conversation to one model: show the prompt, the raw answer, the fields read from it and the price.

python -m flows.try_model --summarizer qianfan --endpoint ID [--prompt V] [--text FILE]
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from prefect import flow, get_run_logger

from flows.wiring.commands import command_line
from flows.wiring.models.trying import SAMPLE, ask_about
from flows.wiring.prompts import find_prompt
from flows.wiring.services import open_warehouse
from flows.wiring.settings import Settings, SettingsParameter, load_settings
from tasks.domain.errors import UsageError, unread_reason
from tasks.domain.money import in_currency
from tasks.domain.records import Fields, Unusable
from tasks.parsing.answers import parse_answer


@flow(name="try-model", flow_run_name="try-model")
async def try_model(text: str = "", settings: SettingsParameter | None = None) -> dict[str, Any]:
    """Ask an endpoint about one conversation; no label is needed, and nothing is kept.

    Args:
        text: a file with the conversation, a line for each message, begun by 用户： or 客服：; left out, a sample.
            Not the conversation itself: a run's parameters are stored, and seen by everybody.
        settings: any setting by its name; endpoint is the model, prompt a version of tasks/prompts/ or the
            warehouse's prompts/.
    """
    chosen = dict(settings or {})
    version = chosen.pop("prompt", None)
    config = load_settings(chosen)
    _check_model(config)
    prompt = find_prompt(open_warehouse(config), version or config.prompt)
    trial = await ask_about(config, _read(text), prompt)
    reply = trial.reply
    fields = parse_answer(reply.text, cut_off=reply.cut_off)
    tried = {
        "model": trial.model,
        "prompt_version": prompt.version,
        "prompt": trial.request.prompt,
        "answer": reply.text,
        "fields": {"unreadable": fields.reason} if isinstance(fields, Unusable) else _shown(fields),
        "prompt_tokens": reply.prompt_tokens,
        "completion_tokens": reply.completion_tokens,
        "latency_ms": round(trial.seconds * 1000),
        "price": config.cost(reply.prompt_tokens, reply.completion_tokens, reply.cached_tokens),
        "currency": config.currency,
    }
    outcome = "not readable" if isinstance(fields, Unusable) else "readable"
    get_run_logger().info("%s answered in %d ms, %s.", trial.model, tried["latency_ms"], outcome)
    return tried


def _check_model(config: Settings) -> None:
    if config.summarizer not in ("qianfan", "openai"):
        raise UsageError("--summarizer qianfan or openai: rules read no prompt.")


def _shown(fields: Fields) -> dict[str, Any]:
    return {name: getattr(fields, name) for name in ("issue", "plan", "accepted", "negative_sentiment")}


def format_summary(tried: dict[str, Any]) -> str:
    """The trial for a person."""
    fields = "\n".join(f"  {name}: {value}" for name, value in tried["fields"].items())
    price = "not known; --prompt-token-price, --completion-token-price"
    if tried["price"]:
        price = in_currency(tried["price"], tried["currency"])
    return (
        f"--- prompt {tried['prompt_version']}\n{tried['prompt']}\n--- answer of {tried['model']}\n{tried['answer']}\n"
        f"--- fields\n{fields}\n--- {tried['prompt_tokens']} + {tried['completion_tokens']} tokens, "
        f"{tried['latency_ms']} ms, price {price}"
    )


def main(arguments: Sequence[str]) -> int:
    """The command line of this flow."""
    parser = command_line.parser("flows.try_model", __doc__)
    parser.add_argument("--text", default="", help="a file with the conversation, or - for stdin (default: a sample)")
    args = parser.parse_args(arguments)
    settings = {"summarizer": "qianfan", **command_line.chosen_settings(args)}
    version = settings.pop("prompt", None)

    async def command() -> dict[str, Any]:
        chosen = settings | ({"prompt": version} if version else {})
        tried: dict[str, Any] = await try_model(args.text, chosen)
        return tried

    def check(config: Settings) -> None:
        _check_model(config)
        if args.text != "-":
            _read(args.text)

    return command_line.run(settings, command, format_summary, check, as_json=args.json)


def _read(name: str) -> str:
    try:
        if name == "-":
            return sys.stdin.read()
        return Path(name).read_text(encoding="utf-8-sig") if name else SAMPLE
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--text {name} can't be read: {unread_reason(error)}.") from None


if __name__ == "__main__":
    command_line.main(main)
