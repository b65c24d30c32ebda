"""Every setting, and what is made of them. Nothing else in this project reads the environment.

A flag beats a block that was named, that beats the environment, the environment beats `.env`, and that beats the
defaults, which need no account. Naming a block is a choice for this run, so what the worker's machine says gives way.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from difflib import get_close_matches
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import orjson
from pydantic import AliasChoices, Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic.config import JsonDict, JsonValue
from pydantic_settings import DotEnvSettingsSource, EnvSettingsSource

from flows.wiring.blocks import SummarizerEndpoint, load_block
from flows.wiring.report_settings import ReportSettings
from flows.wiring.setting_values import (
    SAMPLE_LOGS,
    Address,
    ExistingFile,
    JsonObject,
    Key,
    Location,
    Proxy,
    RejectReasons,
    ZoneName,
)
from flows.wiring.wrong_values import clause
from tasks.calling.rules.budget import Ceiling, PriceList, Prices
from tasks.calling.rules.call_policy import CallPolicy
from tasks.calling.rules.offline.summary import OFFLINE_VERSION
from tasks.calling.rules.retry_policy import RetryPolicy
from tasks.domain.errors import UsageError
from tasks.domain.model_options import ModelOptions, ResponseFormat, Thinking
from tasks.domain.records import Reason
from tasks.preparing.prompts import Prompt, load_prompt
from tasks.questions.load import load_questions
from tasks.questions.rules.questions import Questionnaire

_OF_THE_DEPLOYMENTS = frozenset({"KEFU_HOME"})  # set beside the settings, and no setting


class Settings(ReportSettings):
    """All settings. Every field without an alias is a flag (`--log-format`) and a variable (`KEFU_LOG_FORMAT`)."""

    source: Location = Field(
        SAMPLE_LOGS,
        description="where the logs are: a path, file://…, bos://bucket/prefix or block://name/prefix; "
        "{day} or {day:%Y/%m/%d} is the day",
    )
    warehouse: Location = Field(
        "warehouse", description="where the tables go: a path, file://…, bos://bucket/prefix or block://name/prefix"
    )
    summarizer: Literal["qianfan", "qianfan-batch", "openai", "offline"] = Field(
        "offline",
        description="who reads the conversations: qianfan, qianfan-batch (the platform's offline batch inference: "
        "cheaper, within a day), openai (any compatible server) or offline (rules, no model)",
    )
    endpoint: str = Field(
        "",
        description="the model's or service's name; v1:ID is Qianfan's V1 interface, which Baidu switched off on "
        "2026-08-31",
    )
    endpoint_block: str = Field(
        "",
        description="a Prefect block of the kind summarizer-endpoint, which says summarizer, endpoint, quota and keys",
    )
    log_format: str = Field("auto", description="the logs' format, or the name of a mapping; auto tells them apart")
    mappings: Location = Field("", description="a TOML file with more mappings for logs of another shape")
    fallback_endpoint: str = Field(
        "",
        description="a second model for what --endpoint refuses, is too long for or is down for; the column model says "
        "who answered",
    )
    fallback_block: str = Field(
        "", description="a Prefect block of the kind summarizer-endpoint for the second model, with keys of its own"
    )
    fallback_rpm: int | None = Field(None, gt=0, description="requests a minute of the second model; not set: learned")
    fallback_tpm: int | None = Field(None, gt=0, description="tokens a minute of the second model; not set: learned")
    fallback_prompt_token_price: float | None = Field(
        None, ge=0, description="price per 1,000 prompt tokens of the second model; no price of it set: the first one's"
    )
    fallback_completion_token_price: float | None = Field(
        None, ge=0, description="price per 1,000 completion tokens of the second model"
    )
    fallback_cached_token_price: float | None = Field(
        None, ge=0, description="price per 1,000 cached prompt tokens of the second model"
    )
    rpm: int | None = Field(None, gt=0, description="requests a minute of the endpoint's quota; not set: learned")
    tpm: int | None = Field(None, gt=0, description="tokens a minute of the endpoint's quota; not set: learned")
    qps: float | None = Field(
        None, gt=0, description="calls a second, where the endpoint limits them besides; not set: learned"
    )
    shared_quota: str = Field(
        "",
        pattern=r"^[A-Za-z0-9._-]*$",
        description="runs with the same name share one quota, through their Prefect server; "
        "not set: this run uses the quota alone",
    )
    shards: int = Field(
        1, gt=0, le=256, description="parts of a day that workers of the Prefect work pool answer at the same time"
    )
    batch_model: str = Field(
        "",
        description="qianfan-batch: the model version (amv-…) behind --endpoint; not set: a service of the platform's "
        "own, of that name",
    )
    batch_look_seconds: float = Field(600.0, ge=1, description="qianfan-batch: seconds between two looks at its tasks")
    concurrency: int = Field(128, gt=0, le=4096, description="calls in flight at most")
    timezone: ZoneName = Field("Asia/Shanghai", description="time zone in which a day begins and ends")
    dry_run: bool = Field(
        False, description="read the logs and say conversations, tokens, cost and minutes, without a call or a table"
    )
    limit: int = Field(0, ge=0, description="only the first so many conversations of a day; 0: all")
    canary_calls: int = Field(
        50,
        ge=0,
        le=10_000,
        description="calls that are judged before the rest goes; the run stops (exit 4) where --max-reject-ratio is "
        "clearly exceeded; 0 judges nothing",
    )
    max_cost: float | None = Field(
        None, ge=0, description="the most that a run may cost, by the prices set; it stops there (exit 5)"
    )
    max_tokens: int | None = Field(None, gt=0, description="the most tokens of a run; it stops there (exit 5)")
    max_calls: int | None = Field(None, gt=0, description="the most calls of a run; it stops there (exit 5)")
    retry: RejectReasons = Field(
        "", description="reasons of rejects that are asked about once more, such as unparseable,refused"
    )
    day_from: Literal["auto", "source", "messages"] = Field(
        "auto",
        description="what says which day a conversation is of: its place in --source, or the time of its messages; "
        "auto: the messages, where --source has no {day}",
    )
    allow_shrink: bool = Field(
        False, description="publish a day even though it holds less than half of what is published for it"
    )
    overwrite: bool = Field(False, description="summarize anew what another model or prompt version summarized before")
    prompt: Location = Field(
        "",
        validate_default=True,
        description="the prompt: a version of tasks/prompts, or a .txt file of your own with {conversation} in it; "
        "not set: sft-v1 for Qianfan's fine-tuned model, general-v1 for openai",
    )
    mask: bool = Field(True, description="replace personal data before a text leaves and before it is stored")
    keep_attributes: str = Field(
        "",
        description="attributes whose values stay as logged, such as order_id,user_id; "
        "others that are masked get a token that is equal for equal values",
    )
    compact: bool = Field(True, description="leave greetings, rating requests and order cards out of the prompt")
    max_input_tokens: int = Field(6000, ge=200, description="cut the middle out of longer conversations, in tokens")
    max_output_tokens: int = Field(512, ge=16, description="the longest answer, in tokens")
    temperature: float = Field(0.01, ge=0, le=2, description="the model's temperature; low is repeatable")
    system_prompt: str = Field("", description="a system message before the conversation's; empty: none")
    response_format: ResponseFormat = Field(
        "text",
        description="json_schema holds the model to the four fields; text is for an endpoint that knows its format",
    )
    thinking: Thinking = Field(
        "", description="off, on, or an effort for models that think (off costs least); empty: the model's own way"
    )
    model_seed: int | None = Field(None, description="makes answers repeatable where the server supports it")
    extra_fields: JsonObject = Field(
        "", description="further fields of each request, as a JSON object; null removes one"
    )
    extra_headers: JsonObject = Field("", description="further headers of each request, as a JSON object; no secrets")
    appid: str = Field("", description="qianfan: the application that a bill names")
    timeout_seconds: float = Field(
        30.0, gt=0, description="give a call up after the endpoint has sent nothing for so long"
    )
    call_seconds: float = Field(300.0, gt=0, description="give a call up after so long in all")
    max_attempts: int = Field(5, gt=0, description="tries per conversation while the endpoint answers others")
    give_up_seconds: float = Field(
        120.0, gt=0, description="end the run if the endpoint has answered nothing for this long"
    )
    max_reject_ratio: float = Field(
        0.2, ge=0, le=1, description="exit 3 when more than this share is rejected (tables are still published)"
    )
    batch_size: int = Field(
        500,
        gt=0,
        le=10_000,
        description="conversations in a batch (one Prefect task each); a large day's batches grow to 1,000 at most",
    )
    busy_wait_seconds: float = Field(3600.0, ge=0, description="wait so long for another run that holds the same day")
    logs_wait_seconds: float = Field(
        0.0, ge=0, description="how long after its scheduled start a run waits for logs that are not all there"
    )
    logs_quiet_seconds: float = Field(
        600.0,
        ge=0,
        description="logs are all there when they have not changed for so long, or have a _SUCCESS beside them",
    )
    scratch: Location = Field("", description="folder for work in progress; a local warehouse uses its own _staging")
    shadow_endpoint: str = Field(
        "",
        description="a candidate that is asked about a sample of each day, too, after the day's tables are published",
    )
    shadow_share: float = Field(0.02, gt=0, le=1, description="the part of a day that the candidate is asked about")
    prompt_token_price: float = Field(0.0, ge=0, description="price per 1,000 prompt tokens, in your currency")
    completion_token_price: float = Field(0.0, ge=0, description="price per 1,000 completion tokens, in your currency")
    cached_token_price: float | None = Field(
        None,
        ge=0,
        description="price per 1,000 prompt tokens from the service's cache; not set: as other prompt tokens",
    )
    prompt_million_price: float | None = Field(None, ge=0, description="price per million prompt tokens instead")
    completion_million_price: float | None = Field(
        None, ge=0, description="price per million completion tokens instead"
    )
    cached_million_price: float | None = Field(None, ge=0, description="price per million cached prompt tokens instead")
    currency: str = Field("¥", max_length=8, description="currency of the prices and costs, such as ¥, $ or CNY")
    training_token_price: float = Field(
        0.0, ge=0, description="price of training, per 1,000 tokens of the training set and epoch, in your currency"
    )

    qianfan_access_key: Key = Field(SecretStr(""), validation_alias="QIANFAN_ACCESS_KEY")
    qianfan_secret_key: Key = Field(SecretStr(""), validation_alias="QIANFAN_SECRET_KEY")
    qianfan_bearer_token: Key = Field(SecretStr(""), validation_alias="QIANFAN_BEARER_TOKEN")
    qianfan_base_url: Address = Field("https://aip.baidubce.com", validation_alias="QIANFAN_BASE_URL")
    qianfan_console_api_base_url: Address = Field(
        "https://qianfan.baidubce.com", validation_alias="QIANFAN_CONSOLE_API_BASE_URL"
    )
    qianfan_iam_base_url: Address = Field("https://iam.bj.baidubce.com", validation_alias="QIANFAN_IAM_BASE_URL")
    bce_access_key_id: Key = Field(
        SecretStr(""), validation_alias=AliasChoices("BCE_ACCESS_KEY_ID", "QIANFAN_ACCESS_KEY")
    )
    bce_secret_access_key: Key = Field(
        SecretStr(""), validation_alias=AliasChoices("BCE_SECRET_ACCESS_KEY", "QIANFAN_SECRET_KEY")
    )
    pseudonym_key: SecretStr = Field(SecretStr(""), validation_alias="KEFU_PSEUDONYM_KEY")
    bce_session_token: SecretStr = Field(SecretStr(""), validation_alias="BCE_SESSION_TOKEN")
    bos_endpoint: str = Field("", validation_alias="BOS_ENDPOINT")
    webhook_url: SecretStr = Field(SecretStr(""), validation_alias="KEFU_WEBHOOK_URL")
    report_webhook_url: SecretStr = Field(SecretStr(""), validation_alias="KEFU_REPORT_WEBHOOK_URL")
    alive_url: SecretStr = Field(SecretStr(""), validation_alias="KEFU_ALIVE_URL")
    openai_base_url: Address = Field("", validation_alias="OPENAI_BASE_URL")
    openai_api_key: Key = Field(SecretStr(""), validation_alias="OPENAI_API_KEY")
    ssl_cert_file: ExistingFile = Field("", validation_alias="SSL_CERT_FILE")
    all_proxy: Proxy = Field("", validation_alias=AliasChoices("ALL_PROXY", "all_proxy"))

    @field_validator("prompt")
    @classmethod
    def _fitting_prompt(cls, name: str, info: ValidationInfo) -> str:
        return name or ("general-v1" if info.data.get("summarizer") == "openai" else "sft-v1")

    @property
    def retried_reasons(self) -> frozenset[Reason]:
        """The reasons of rejects that are asked about once more."""
        return frozenset(map(Reason, filter(None, self.retry.split(","))))

    @property
    def prices(self) -> Prices:
        """The prices of tokens."""
        prices = Prices(self.prompt_token_price, self.completion_token_price, self.cached_token_price)
        million = {name: getattr(self, f"{name}_million_price") for name in ("prompt", "completion", "cached")}
        return replace(prices, **{name: price / 1000 for name, price in million.items() if price is not None})

    @property
    def ceiling(self) -> Ceiling:
        """The most that a run may spend."""
        return Ceiling(self.max_cost, self.max_tokens, self.max_calls)

    def call_policy(self, prompt_version: str) -> CallPolicy:
        """The rules of calls that ask with a prompt, without canary and ceiling."""
        return CallPolicy(
            prompt_version=prompt_version,
            max_tokens=self.model_options.longest_answer,
            tokens_beside_the_prompt=self.model_options.bytes_beside_the_prompt,
            retry=RetryPolicy(max_attempts=self.max_attempts),
            give_up_seconds=self.give_up_seconds,
            call_seconds=self.timeout_seconds,
            prices=PriceList(self.prices),
        )

    @property
    def model_options(self) -> ModelOptions:
        """The options of each request besides the conversation."""
        headers = {str(name): str(value) for name, value in orjson.loads(self.extra_headers or "{}").items()}
        return ModelOptions(
            max_tokens=self.max_output_tokens,
            temperature=self.temperature,
            system_prompt=self.system_prompt,
            response_format=self.response_format,
            thinking=self.thinking,
            seed=self.model_seed,
            extra_fields=orjson.loads(self.extra_fields or "{}"),
            headers={**({"appid": self.appid} if self.appid else {}), **headers},
        )

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of the days."""
        return ZoneInfo(self.timezone)

    @property
    def asked_prompt(self) -> Prompt:
        """The prompt as it is asked, with the shop's own questions behind it where they are in the same call."""
        prompt, questionnaire = load_prompt(self.prompt), self.questions_beside
        return questionnaire.behind(prompt) if questionnaire else prompt

    @property
    def questions_beside(self) -> Questionnaire | None:
        """The questions that are asked in the nightly's own call."""
        return load_questions(self.questions) if self.questions_same_call else None

    @property
    def prompt_version(self) -> str:
        """The prompt version that rows carry; the rules' own version where there is no prompt."""
        return OFFLINE_VERSION if self.summarizer == "offline" else self.asked_prompt.version

    def cost(self, prompt_tokens: int, completion_tokens: int, cached_tokens: int = 0) -> float:
        """The cost of so many tokens, by the prices set; `cached_tokens` are among the prompt's."""
        return self.prices.cost(prompt_tokens, completion_tokens, cached_tokens)


def flags() -> dict[str, Any]:
    """The settings that are flags and flow parameters: all but credentials and addresses, by name."""
    return {name: field for name, field in Settings.model_fields.items() if field.validation_alias is None}


# A run's parameters are stored for good, and shown: the server refuses any name that is no setting, such as a key's,
# before it stores the run.
_NAMES_ONLY: Final[JsonDict] = {"propertyNames": {"enum": list[JsonValue](sorted(flags()))}}

SettingsParameter = Annotated[dict[str, Any], Field(json_schema_extra=_NAMES_ONLY)]


def load_settings(overrides: Mapping[str, Any]) -> Settings:
    """Load the settings: `overrides` win over the endpoint's block, that over the environment and `.env`.

    Raises:
        UsageError: one line that names every wrong setting and what is wrong with it.
    """
    if unknown := sorted(set(overrides) - set(flags())):
        raise UsageError(f"There is no setting {', '.join(unknown)}; there are: {', '.join(flags())}.")
    settings = validated(overrides, {})
    for kind in ("prompt", "completion", "cached"):
        if getattr(settings, f"{kind}_token_price") and getattr(settings, f"{kind}_million_price") is not None:
            raise UsageError(f"--{kind}-token-price and --{kind}-million-price are one price: leave one of them out.")
    if settings.endpoint_block:
        settings = validated(overrides, load_block(SummarizerEndpoint, settings.endpoint_block).as_settings())
    _ = settings.asked_prompt, settings.attributes  # refuses here, before anything begins, what can't be read
    if settings.questions_same_call and settings.summarizer == "offline":
        raise UsageError("--questions-same-call needs a model: rules can't answer questions.")
    if settings.questions_same_call and settings.response_format == "json_schema":
        raise UsageError("--response-format json_schema holds the model to the four fields: use json_object.")
    if settings.max_cost is not None and not (settings.prices.prompt or settings.prices.completion):
        raise UsageError("--max-cost needs --prompt-token-price and --completion-token-price: nothing costs anything.")
    if urlsplit(settings.openai_base_url).password and settings.openai_api_key.get_secret_value():
        raise UsageError("OPENAI_BASE_URL holds a password and OPENAI_API_KEY is set as well: leave one of them out.")
    if settings.limit and settings.shards > 1:
        raise UsageError("--limit takes a day's first conversations, and --shards divides the day: leave one out.")
    if settings.shards > 1 and settings.summarizer == "offline":
        raise UsageError("--shards divides calls among workers, and --summarizer offline makes none: leave one out.")
    return settings


def _unknown_names() -> Iterator[str]:
    """Yield an error for each `KEFU_…` variable that matches no setting; otherwise a typo would be ignored silently."""
    # A key under a name that is not its own, such as KEFU_OPENAI_API_KEY, would be ignored.
    named_otherwise = {str(field.validation_alias) for field in Settings.model_fields.values()}
    known = {f"KEFU_{name.upper()}" for name in flags()} | named_otherwise | _OF_THE_DEPLOYMENTS
    places = {"the environment": EnvSettingsSource(Settings), ".env": DotEnvSettingsSource(Settings)}
    for place, source in places.items():
        for name in sorted(map(str.upper, source.env_vars)):
            if name.startswith("KEFU_") and name not in known:
                # Without what they all begin with, which would make any two of them alike.
                names = {variable.removeprefix("KEFU_"): variable for variable in known}
                nearest = get_close_matches(name.removeprefix("KEFU_"), names, 1)
                hint = f"did you mean {names[nearest[0]]}?" if nearest else "--help tells of all there are"
                yield f"{name} in {place} is no setting: {hint}"


def validated(overrides: Mapping[str, Any], of_block: Mapping[str, Any]) -> Settings:
    """Read settings one by one, without a server; errors as for `load_settings`."""
    if complaints := list(_unknown_names()):
        raise UsageError("; ".join(complaints))
    try:
        return Settings(**{**of_block, **overrides})
    except ValidationError as error:
        raise UsageError("; ".join(_complaint(problem, overrides, of_block) for problem in error.errors())) from None


def _complaint(problem: Any, overrides: Mapping[str, Any], of_block: Mapping[str, Any]) -> str:
    place = str(problem["loc"][0])
    name = place.removeprefix("KEFU_").lower()
    message = clause(problem)
    if name in of_block and name not in overrides:
        place = f"{name} in the endpoint block"
    elif name in flags():
        place = f"--{name.replace('_', '-')}" if name in overrides else f"KEFU_{name.upper()}"
    value = str(problem["input"])
    # Longer ones may be a key that was put in the wrong place.
    return f"{place}: {message} (it is {value!r})" if name in flags() and len(value) <= 20 else f"{place}: {message}"
