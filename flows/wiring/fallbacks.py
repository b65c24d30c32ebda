"""The settings of the second model, which is asked what the first one does not answer."""

from typing import Any, Final

from pydantic import ValidationError

from flows.wiring.blocks import SummarizerEndpoint, load_block, prices_as_settings
from flows.wiring.settings import Settings
from flows.wiring.wrong_values import clause
from tasks.domain.errors import UsageError

# A block says these of its model, or nobody does: the first model's are another model's.
_OF_ONE_MODEL: Final = (
    "endpoint",
    "rpm",
    "tpm",
    "qps",
    "shared_quota",
    "response_format",
    "thinking",
    "temperature",
    "max_output_tokens",
    "system_prompt",
    "model_seed",
    "extra_fields",
    "extra_headers",
)


def fallback_settings(settings: Settings) -> Settings | None:
    """Return the settings by which the second model is asked; None where there is none.

    `--fallback-endpoint` is one more model of the first one's service, asked with the same options. A block describes
    a model of its own. Both have a quota of their own. Where nobody says the second one's prices, they are those of the
    first. `--fallback-rpm`, `--fallback-tpm` and `--fallback-…-price` beat the block.

    Raises:
        UsageError: its block is not there or can't be right, or its quota is shared and nobody says how much it is.
    """
    if settings.summarizer == "offline":
        return None
    quota = {"rpm": settings.fallback_rpm, "tpm": settings.fallback_tpm}
    prices = prices_as_settings(
        settings.fallback_prompt_token_price,
        settings.fallback_completion_token_price,
        settings.fallback_cached_token_price,
    )
    if settings.fallback_block:
        return _of_block(settings, {name: limit for name, limit in quota.items() if limit} | prices)
    if not settings.fallback_endpoint:
        return None
    own = {"endpoint": settings.fallback_endpoint, "qps": None, "shared_quota": "", **quota, **prices}
    return settings.model_copy(update=own)


def _of_block(settings: Settings, flags: dict[str, Any]) -> Settings:
    name = settings.fallback_block
    described = load_block(SummarizerEndpoint, name).as_settings()
    values = settings.model_dump() | {each: Settings.model_fields[each].default for each in _OF_ONE_MODEL}
    if "prompt" not in settings.model_fields_set:
        values["prompt"] = ""  # the one that fits this model's service
    try:
        second = Settings(**{**values, **described, **flags})
    except ValidationError as error:
        wrong = "; ".join(f"{problem['loc'][0]}: {clause(problem)}" for problem in error.errors())
        raise UsageError(f"The endpoint block {name} (--fallback-block) can't be right: {wrong}") from None
    if second.shared_quota and not (second.rpm or second.tpm):
        raise UsageError(
            f"The endpoint block {name} (--fallback-block) shares the quota {second.shared_quota}: say there, or by "
            "--fallback-rpm or --fallback-tpm, how much it is."
        )
    return second
