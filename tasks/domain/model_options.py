"""The options of a call as one value: everything but the conversation itself."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import Any, Final, Literal

ResponseFormat = Literal["text", "json_object", "json_schema"]

Thinking = Literal["", "off", "on", "low", "medium", "high"]


_VERDICT: Final = {"type": "string", "enum": ["是", "否", "未明确"]}

SUMMARY_SCHEMA: Final[Mapping[str, Any]] = {
    "type": "object",
    "properties": {
        "用户问题": {"type": "string"},
        "客服方案": {"type": "string"},
        "是否接受": _VERDICT,
        "是否负面情绪": _VERDICT,
    },
    "required": ["用户问题", "客服方案", "是否接受", "是否负面情绪"],
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True)
class ModelOptions:
    """Options of a model's requests. The defaults suit the fine-tuned endpoint, which knows its format.

    Args:
        max_tokens: of an answer; four short fields need far less.
        temperature: low, so that the same conversation gets the same answer.
        system_prompt: sent as a system message before the conversation's; empty for none.
        response_format: `json_schema` holds the model to the four fields with three-valued verdicts.
        thinking: `off`, `on`, or an effort; empty leaves it to the model.
        seed: makes sampling repeatable where the server supports it.
        extra_fields: further fields of the request's body; a null removes one of ours.
        headers: further headers. They route and bill, and so are no part of what produces an answer.
    """

    max_tokens: int = 512
    temperature: float = 0.01
    system_prompt: str = ""
    response_format: ResponseFormat = "text"
    thinking: Thinking = ""
    seed: int | None = None
    extra_fields: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    def body(self) -> dict[str, Any]:
        """The options as fields of a chat-completions request."""
        body: dict[str, Any] = {"max_tokens": self.max_tokens, "temperature": self.temperature}
        if self.response_format == "json_object":
            body["response_format"] = {"type": "json_object"}
        elif self.response_format == "json_schema":
            schema = {"name": "summary", "strict": True, "schema": SUMMARY_SCHEMA}
            body["response_format"] = {"type": "json_schema", "json_schema": schema}
        if self.thinking in {"off", "on"}:
            body["enable_thinking"] = self.thinking == "on"
        elif self.thinking:
            body["reasoning_effort"] = self.thinking
        if self.seed is not None:
            body["seed"] = self.seed
        body |= self.extra_fields
        return {name: value for name, value in body.items() if value is not None}

    @property
    def longest_answer(self) -> int:
        """The most tokens that a request allows its answer."""
        allowed = [self.extra_fields.get(name) for name in ("max_tokens", "max_completion_tokens")]
        return max([self.max_tokens, *(tokens for tokens in allowed if isinstance(tokens, int))])

    @property
    def bytes_beside_the_prompt(self) -> int:
        """The size of what the model reads besides the prompt: the system prompt, a schema, further fields."""
        beside = {name: value for name, value in self.body().items() if name not in {"max_tokens", "temperature"}}
        if not beside and not self.system_prompt:
            return 0
        text = json.dumps([self.system_prompt, beside], ensure_ascii=False, default=str)
        return len(text.encode("utf-8", "surrogatepass"))

    def messages(self, prompt: str) -> list[dict[str, str]]:
        """The messages that ask a prompt."""
        user = {"role": "user", "content": prompt}
        return [{"role": "system", "content": self.system_prompt}, user] if self.system_prompt else [user]

    def fingerprint(self) -> str:
        """The options that differ from the defaults, always written alike; empty where none does."""
        values = zip(_NAMES, _values_of(self), _DEFAULTS, strict=True)
        chosen = {name: value for name, value, default in values if value != default}
        return json.dumps(chosen, ensure_ascii=False, sort_keys=True, default=str) if chosen else ""


# Asked for each request: looking them up each time took as long as hashing the request.
_NAMES: Final = tuple(option.name for option in fields(ModelOptions) if option.name != "headers")

_values_of: Final = attrgetter(*_NAMES)

_DEFAULTS: Final = _values_of(ModelOptions())
