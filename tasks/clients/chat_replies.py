"""Chat completions as servers really send them: the answer without thoughts, interruptions, refusals and noise."""

import json
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

import orjson

from tasks.clients.endings import ending_of
from tasks.clients.http_faults import read_error, read_limits, service_fault
from tasks.clients.reply_shapes import as_completion, usage_in
from tasks.domain.errors import ReplyUnreadable
from tasks.domain.nesting import is_deep
from tasks.domain.records import Reply
from tasks.parsing.json_records import concluding_object
from tasks.parsing.rows import begins_with_a_thought, is_unfinished_thought

_HOLDERS: Final = ("text", "content", "value")

_THOUGHT_PARTS: Final = frozenset({"thinking", "reasoning", "reasoning_content"})

# No call takes as many; a table's column holds two billion.
_MOST_TOKENS: Final = 100_000_000

_LONGEST_NUMBER: Final = 15

_KEPT_CHARACTERS: Final = 64_000

# Lines that keep a connection open, before what is no stream.
_COMMENTS: Final = re.compile(r"\A(?::[^\r\n]{0,200}[\r\n]+)+(?=\{)")

_LINE_ENDS: Final = re.compile(r"\r\n|\n|\r")  # and no other: a model's text may hold U+2028

_EVENT_ENDS: Final = re.compile(r"(?:\r\n|\n|\r){2,}")


def completion_reply(
    body: bytes, headers: Mapping[str, str], where: str, secrets: Collection[str] = (), asked: str = ""
) -> Reply:
    """The reply in the body of a successful chat-completions call, whichever of the usual shapes it has.

    Read are: a completion, one in a list, a stream of events; content as a text, as parts, in the arguments of a tool
    call, or in the reasoning where a server's parser put it, alone or as what the thoughts end with; usage as numbers
    or texts. Thoughts are left out.

    Args:
        body: as it came.
        headers: of the reply.
        where: the address, for messages.
        secrets: values that no message may show.
        asked: the prompt, whose words no message may show either.

    Raises:
        ReplyUnreadable: the body is no completion, or its answer is empty or was broken off.
        KefuError: the body is an error in spite of its status; see `service_fault`.
    """
    parsed = as_completion(parse_body(body, where, headers))
    error = read_error(parsed)
    if error is not None:
        raise service_fault(error, where, headers, status=200, secrets=secrets, asked=asked)
    choice, message = _choice(parsed, where, body)
    usage = usage_in(parsed)
    ending = ending_of(*(str(choice.get(name) or "")[:80] for name in ("finish_reason", "native_finish_reason")))
    text, thoughts = _text_and_thoughts(message)
    refusal = message.get("refusal") or _refusal_in(message.get("content"))
    refused = ending.refused or bool(refusal)
    if refused and not text:
        text = refusal if isinstance(refusal, str) else ""
    cut_off = ending.cut
    if not text.strip() and not refused and not cut_off:
        if _looks_like_an_answer(thoughts):
            text, thoughts = thoughts, ""
        elif ending.stopped:
            text = concluding_object(thoughts)
    lost = not refused and (is_unfinished_thought(text) or (not text.strip() and bool(thoughts.strip() or cut_off)))
    reply = Reply(
        _mended(text if text.strip() else thoughts)[:_KEPT_CHARACTERS],
        _tokens(usage, "prompt_tokens"),
        _tokens(usage, "completion_tokens"),
        cut_off=cut_off,
        refused=refused,
        limits=read_limits(headers),
        cached_tokens=_cached_tokens(usage),
        lost_to_thinking=lost,
        thought=bool(thoughts.strip()) or begins_with_a_thought(text),
    )
    if ending.broken_off and not refused and (ending.broken_off != "other" or "}" not in text):
        raise ReplyUnreadable(f"{where}: the service broke the answer off ({ending.broken_off}).", reply)
    if not reply.text.strip() and not refused and not lost:
        raise ReplyUnreadable(f"{where}: the answer is empty.", reply)
    return reply


def parse_body(body: bytes, where: str, headers: Mapping[str, str] | None = None) -> Any:
    """The JSON of a body; a list of one counts as its element, and a stream of events as the completion it adds up to.

    What a proxy writes before or behind it, such as comments that keep a connection open, is passed over.

    Raises:
        ReplyUnreadable: there is none.
    """
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError:
        parsed = _parsed_leniently(_decoded(body, headers or {}).lstrip("\ufeff \t\r\n"), where)
    if isinstance(parsed, str) and parsed[:1] == "{":
        parsed = _parsed_leniently(parsed, where)
    if isinstance(parsed, list) and parsed:
        parsed = parsed[0]
    if not isinstance(parsed, dict) or is_deep(body, parsed):
        raise _unreadable(where, body)
    return parsed


def _parsed_leniently(text: str, where: str) -> Any:
    """Parse what a stricter parser refuses: half an emoji, long numbers, control characters, a stream of events."""
    text = _COMMENTS.sub("", text, count=1)
    if text.startswith(("data:", "event:", "id:", "retry:", ":")):
        return _added_up(_events(text), where)
    try:
        parsed, end = _DECODER.raw_decode(text)
        if isinstance(parsed, dict) and "}" in text[end:] and (pieces := list(_pieces(text))):
            return _added_up(iter(pieces), where)  # a stream of bare objects
    except (ValueError, RecursionError):
        raise _unreadable(where, text.encode("utf-8", "replace")) from None
    return None if is_deep(text, parsed) else parsed


def _pieces(text: str) -> Iterator[dict[str, Any]]:
    """The pieces of a stream that stand there one after the other, without events around them; none in any other."""
    at = 0
    while at < len(text):
        try:
            piece, end = _DECODER.raw_decode(text, at)
        except (ValueError, RecursionError):
            return
        if not isinstance(piece, dict) or is_deep(text[at:end], piece):
            return
        choices = piece.get("choices")
        if isinstance(choices, list) and choices and isinstance(choices[0], dict) and "delta" not in choices[0]:
            return
        said = piece.get("message")
        finish = piece.get("done_reason") or ("stop" if piece.get("done") is True else "")
        yield {"choices": [{"delta": said, "finish_reason": finish}]} if isinstance(said, dict) else piece
        while end < len(text) and text[end] in " \t\r\n":
            end += 1
        at = end


def _decoded(body: bytes, headers: Mapping[str, str]) -> str:
    """The body as text: in UTF-8, or in the Chinese encoding that it says or that alone gives the fields' names."""
    text = body.decode("utf-8", "replace")
    if "\ufffd" not in text:
        return text
    said = "gb" in headers.get("Content-Type", "").lower().partition("charset=")[2]
    chinese = body.decode("gb18030", "replace")
    return chinese if said or ("用户" not in text and "用户" in chinese) else text


def _bounded_int(digits: str) -> int:
    return int(digits) if len(digits) <= _LONGEST_NUMBER else -1


_DECODER: Final = json.JSONDecoder(strict=False, parse_int=_bounded_int)


def _events(text: str) -> Iterator[dict[str, Any]]:
    for block in _EVENT_ENDS.split(text):
        lines = [line.partition(":") for line in _LINE_ENDS.split(block)]
        several = [data for name, _, data in lines if name == "data" and data.strip() not in {"", "[DONE]"}]
        for data in several if all(_is_object(data) for data in several) else ["\n".join(several)]:
            try:
                event = json.loads(data, strict=False, parse_int=_bounded_int)
            except (ValueError, RecursionError):
                continue
            if isinstance(event, dict) and not is_deep(data, event):
                yield event


def _is_object(data: str) -> bool:
    return data.strip()[-1:] == "}" and data.lstrip()[:1] == "{"


def _added_up(events: Iterator[dict[str, Any]], where: str) -> dict[str, Any]:
    content: dict[str, list[str]] = {"content": [], "reasoning_content": []}
    arguments: list[str] = []
    finish, usage = "", None
    for event in events:
        if read_error(event) is not None:
            return event
        usage = event.get("usage") or usage
        choices = event.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else {}
        delta = choice.get("delta") or choice.get("message") or event.get("delta")
        delta = delta if isinstance(delta, dict) else {}
        for name, texts in content.items():
            texts.append(_text_of(delta.get(name))[0])
        content["content"].append(_text_of(delta.get("text"))[0])  # as Anthropic streams
        arguments.append(_arguments(delta))
        finish = choice.get("finish_reason") or delta.get("stop_reason") or finish
    if not finish and not any(content["content"]):
        raise _unreadable(where, b"")
    message: dict[str, Any] = {name: "".join(texts) for name, texts in content.items()}
    if any(arguments):
        message["tool_calls"] = [{"function": {"arguments": "".join(arguments)}}]
    return {"choices": [{"message": message, "finish_reason": finish or "interrupted"}], "usage": usage}


def _arguments(delta: Mapping[str, Any]) -> str:
    """The piece of a tool call's arguments in a piece of a stream."""
    calls = delta.get("tool_calls")
    call = calls[0] if isinstance(calls, list) and calls and isinstance(calls[0], dict) else {}
    function = call.get("function")
    return _text_of(function.get("arguments"))[0] if isinstance(function, dict) else ""


def _choice(parsed: dict[str, Any], where: str, body: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    choices = parsed.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    if not isinstance(choice, dict) or not isinstance(message := choice.get("message"), dict):
        raise _unreadable(where, body)
    return choice, message


def _text_and_thoughts(message: Mapping[str, Any]) -> tuple[str, str]:
    """The answer's own text, and what the model thought before it."""
    text, thoughts = _text_of(message.get("content"))
    for name in ("reasoning_content", "reasoning", "reasoning_text", "thinking"):
        thoughts = thoughts or "".join(_text_of(message.get(name)))
    if "：" not in text and "{" not in text and ":" not in text:
        calls = message.get("tool_calls")
        call = calls[0] if isinstance(calls, list) and calls and isinstance(calls[0], dict) else {}
        function = call.get("function") or message.get("function_call")
        arguments = function.get("arguments") if isinstance(function, dict) else None
        if arguments is None:
            custom = call.get("custom")
            arguments = custom.get("input") if isinstance(custom, dict) else message.get("parsed")
        if isinstance(arguments, str):
            text = arguments
        elif isinstance(arguments, dict):
            text = json.dumps(arguments, ensure_ascii=False)
    return text, thoughts


def _text_of(content: Any) -> tuple[str, str]:
    """The text and the thoughts of a content: a text, a part, or a list of parts."""
    if isinstance(content, str):
        return content, ""
    if isinstance(content, list):
        parts = [_text_of(part) for part in content]
        return "".join(text for text, _ in parts), "".join(thought for _, thought in parts)
    if isinstance(content, dict):
        kind = str(content.get("type") or "")
        if kind in _THOUGHT_PARTS or content.get("thought") is True:
            return "", "".join(_text_of(content.get(kind) or content.get("text")))
        held = next((content[name] for name in _HOLDERS if content.get(name)), None)
        if held is None and not kind and any(isinstance(value, str) for value in content.values()):
            return json.dumps(content, ensure_ascii=False), ""  # the answer itself, as an object
        return _text_of(held)
    return "", ""


def _refusal_in(content: Any) -> Any:
    """The refusal among the parts of a content."""
    parts = content if isinstance(content, list) else []
    return next((part.get("refusal") for part in parts if isinstance(part, dict) and part.get("refusal")), None)


def _looks_like_an_answer(text: str) -> bool:
    return text.lstrip().startswith(("{", "```")) and "}" in text


def _mended(text: str) -> str:
    """The text, half an emoji in it replaced."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def _cached_tokens(usage: Mapping[str, Any]) -> int:
    details = usage.get("prompt_tokens_details")
    found = (
        _tokens(usage, "cached_tokens"),
        _tokens(usage, "prompt_cache_hit_tokens"),
        _tokens(details if isinstance(details, dict) else {}, "cached_tokens"),
    )
    return min(max(found), _tokens(usage, "prompt_tokens"))


def _tokens(usage: Mapping[str, Any], name: str) -> int:
    """A count of tokens; 0 where the reply has none that can be believed."""
    value = usage.get(name)
    if type(value) is int:  # nearly always
        return value if 0 <= value <= _MOST_TOKENS else 0
    if isinstance(value, str) and len(value) <= _LONGEST_NUMBER and value.strip().isascii():
        value = int(value) if value.strip().isdecimal() else None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _MOST_TOKENS:
        return 0
    return int(value)


def _unreadable(where: str, body: bytes) -> ReplyUnreadable:
    text = body[: 4 * _KEPT_CHARACTERS].decode("utf-8", "replace")[:_KEPT_CHARACTERS]
    return ReplyUnreadable(f"{where}: the reply is not readable.", Reply(text, 0, 0), tries=3)
