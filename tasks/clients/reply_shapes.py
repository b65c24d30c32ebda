"""Replies of gateways that answer in the shape of another interface, as the chat completion that they mean."""

from collections.abc import Mapping
from typing import Any, Final

import orjson

from tasks.domain.nesting import is_deep

# A gateway's envelope around the reply.
_ENVELOPES: Final = ("data", "result", "response", "output", "body")

# Where each interface counts tokens; what one counts apart, such as thoughts, is paid for as well.
_USED: Final = {
    "prompt_tokens": (
        "input_tokens",
        "cache_creation_input_tokens",
        "cache_read_input_tokens",
        "promptTokenCount",
        "prompt_eval_count",
    ),
    "completion_tokens": ("output_tokens", "candidatesTokenCount", "thoughtsTokenCount", "eval_count"),
}

_FINISHES: Final = ("finish_reason", "finishReason", "stop_reason", "done_reason")


# What an envelope's code is where all is well.
_WELL: Final = ("", "0", "200", "none", "ok", "success", "0000")

_ENVELOPES_WITHIN: Final = 3


def as_completion(parsed: Any, within: int = _ENVELOPES_WITHIN) -> Any:
    """A parsed reply as a chat completion, where it holds an answer in another known shape; else as it came.

    Known are an envelope around a completion, and what Ollama, Anthropic, Gemini, OpenAI's Responses, DashScope and
    Qianfan's first interface send.
    """
    if not isinstance(parsed, dict) or parsed.get("error"):
        return parsed
    choices = parsed.get("choices")
    if isinstance(choices, list) and choices:
        return {**parsed, "choices": [_best(choices)]}
    for name in _ENVELOPES:
        inner = parsed.get(name)
        if isinstance(inner, str) and '"choices"' in inner[:400]:
            inner = _loaded(inner)
        if isinstance(inner, dict) and within and (found := as_completion(inner, within - 1)) is not inner:
            return {**found, "usage": found.get("usage") or usage_in(parsed)}
    fails = any(str(parsed.get(name, "")).lower() not in _WELL for name in ("code", "error_code", "errcode"))
    message = None if fails else _message_in(parsed)
    feedback = parsed.get("promptFeedback")
    if message is None and isinstance(feedback, dict) and feedback.get("blockReason"):  # Gemini read no more
        return {"choices": [{"message": {"content": ""}, "finish_reason": "blocked"}], "usage": usage_in(parsed)}
    if message is None:
        return parsed
    finish = next((parsed[name] for name in _FINISHES if isinstance(parsed.get(name), str)), "stop")
    if isinstance(candidates := parsed.get("candidates"), list) and candidates and isinstance(candidates[0], dict):
        finish = candidates[0].get("finishReason") or finish
    if isinstance(details := parsed.get("incomplete_details"), dict):
        finish = details.get("reason") or finish
    return {"choices": [{"message": message, "finish_reason": finish}], "usage": usage_in(parsed)}


def usage_in(parsed: Mapping[str, Any]) -> Mapping[str, Any]:
    """The tokens that a reply says it took, under the names of a chat completion; empty where it says nothing."""
    held = parsed.get("usage") or parsed.get("usageMetadata") or parsed
    if not isinstance(held, dict):
        return {}
    if "prompt_tokens" in held or "completion_tokens" in held:
        return held
    counts = {
        name: [count for other in others if type(count := held.get(other)) is int] for name, others in _USED.items()
    }
    return {name: sum(found) for name, found in counts.items() if found}


def _loaded(text: str) -> Any:
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return None if is_deep(text, value) else value


def _best(choices: list[Any]) -> Any:
    """The first choice that says something, its message under the usual name."""
    named = [_named(choice) for choice in choices]
    return next((choice for choice in named if _says(choice)), named[0])


def _named(choice: Any) -> Any:
    if not isinstance(choice, dict) or isinstance(choice.get("message"), dict):
        return choice
    messages = choice.get("messages")
    if isinstance(messages, list) and messages and isinstance(messages[-1], dict):
        return {**choice, "message": messages[-1]}
    if isinstance(choice.get("delta"), dict):
        return {**choice, "message": choice["delta"]}
    return {**choice, "message": {"content": choice["text"]}} if isinstance(choice.get("text"), str) else choice


def _says(choice: Any) -> bool:
    message = choice.get("message") if isinstance(choice, dict) else None
    return isinstance(message, dict) and any(value for name, value in message.items() if name != "role")


def _message_in(parsed: Mapping[str, Any]) -> dict[str, Any] | None:
    """The message of a reply without choices."""
    if isinstance(message := parsed.get("message"), dict) and message.get("content"):
        return message
    if isinstance(candidates := parsed.get("candidates"), list) and candidates and isinstance(candidates[0], dict):
        content = candidates[0].get("content")
        return {"content": content.get("parts")} if isinstance(content, dict) else {"content": ""}
    if isinstance(output := parsed.get("output"), list):
        said = [item.get("content") for item in output if isinstance(item, dict) and item.get("type") == "message"]
        return {"content": [part for parts in said if isinstance(parts, list) for part in parts]} if said else None
    if isinstance(parsed.get("content"), list) and "stop_reason" in parsed:
        return {"content": parsed["content"]}
    for name in ("text", "result", "output_text", "response", "generated_text"):
        if isinstance(text := parsed.get(name), str) and text:
            return {"content": text}
    return None
