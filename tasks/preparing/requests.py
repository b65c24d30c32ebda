"""From a conversation as logged to the request that may leave: masked, compacted, cut to the budget, hashed."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from typing import Final, NamedTuple

from tasks.domain.errors import UsageError
from tasks.domain.model_options import ModelOptions
from tasks.domain.printable import printable
from tasks.domain.records import Conversation, Reject, Request, Turn
from tasks.domain.sign_table import UNSEEN
from tasks.preparing.borders import (
    SEEN_UNTIDY,
    has_hidden_text,
    is_suspicious,
    is_suspicious_in_pieces,
    look_ahead_at_pieces,
    signs_in,
    without_forgery,
)
from tasks.preparing.compaction import compact, tidy
from tasks.preparing.known_texts import KnownTexts
from tasks.preparing.masking import look_ahead as masking_ahead
from tasks.preparing.masking import mask, mask_identifier, mask_mapping, mask_neighbors
from tasks.preparing.prompts import Prompt
from tasks.preparing.pseudonyms import Pseudonyms
from tasks.preparing.tokens import estimate_tokens
from tasks.preparing.wording import orders_among

_LABELS: Final = {"user": "用户：", "agent": "客服："}

_LABEL_TOKENS: Final = 4

_CUT_TURNS = "……（中间省略 {} 轮）……"

_CUT_TEXT = "……（中间省略）……"

_CUT_TOKENS: Final = 16

_FEWEST_TOKENS: Final = 128

_ANSWER_TOKENS: Final = 128

_DEFAULT_OPTIONS: Final = ModelOptions()


@dataclass(frozen=True, slots=True)
class Masking:
    """The way personal data is masked.

    Args:
        pseudonyms: keep masked ids and attributes apart.
        keep_attributes: attributes whose values stay as logged.
    """

    pseudonyms: Pseudonyms | None = None
    keep_attributes: Collection[str] = ()


_DEFAULT_MASKING: Final = Masking()


def prepare(
    conversation: Conversation,
    *,
    prompt: Prompt,
    model: str,
    max_input_tokens: int,
    options: ModelOptions = _DEFAULT_OPTIONS,
    masking: Masking | None = _DEFAULT_MASKING,
    compacted: bool = True,
) -> Request:
    """The request for a conversation.

    Its `conversation` holds what may be stored: one tidy, masked turn for each logged one. Its `turns` are those sent.

    Args:
        options: of the model; part of what produces the answer.
        max_input_tokens: for the whole message, the prompt's own words included, by `estimate_tokens`.
        masking: replaces personal data; None only where nothing leaves the house.
        compacted: drop boilerplate.

    Raises:
        UsageError: the prompt alone leaves no room for a conversation.
    """
    prompt_tokens = estimate_tokens(prompt.template)
    budget = max_input_tokens - prompt_tokens
    if budget < _FEWEST_TOKENS:
        raise UsageError(
            f"{max_input_tokens} input tokens leave no room for a conversation beside prompt {prompt.version}: "
            f"allow {max_input_tokens - budget + _FEWEST_TOKENS} at least."
        )
    storable, suspicious = _without_forgery(conversation)
    replacements: dict[str, int] | None = None
    if masking is not None:
        replacements = {}
        storable = _masked(storable, replacements, masking)
    turns = compact(storable.turns) if compacted else storable.turns
    lines = [_line(turn) for turn in turns if turn.text]
    text = "\n".join(lines)
    text_tokens = estimate_tokens(text)
    truncated = text_tokens > budget
    if truncated:
        turns, text = _cut([turn for turn in turns if turn.text], budget)
        text_tokens = estimate_tokens(text)
    message = prompt.render(text)
    return Request(
        conversation=storable,
        turns=turns,
        text=text,
        prompt=message,
        truncated=truncated,
        content_hash=content_hash(conversation.turns),
        request_hash=_request_hash(model, prompt, message, options),
        estimated_tokens=prompt_tokens + text_tokens + _ANSWER_TOKENS,
        suspicious=suspicious,
        replacements=replacements,
    )


def storable_reject(reject: Reject, *, masking: Masking | None = _DEFAULT_MASKING) -> Reject:
    """The reject of input that is no conversation, printable and masked as it may be stored."""
    reject = replace(
        reject,
        conversation_id=printable(reject.conversation_id),
        detail=printable(reject.detail, keep="\n\t"),
        raw_output=printable(reject.raw_output, keep="\n\t"),
        source_uri=printable(reject.source_uri),
        channel=printable(reject.channel),
    )
    if masking is None:
        return reject
    return replace(
        reject,
        conversation_id=mask_identifier(reject.conversation_id, masking.pseudonyms),
        detail=mask(reject.detail),
        raw_output=mask(reject.raw_output),
        channel=mask(reject.channel),
    )


def ask_again(request: Request, *, prompt: Prompt, model: str, options: ModelOptions = _DEFAULT_OPTIONS) -> Request:
    """The request for the same text by another prompt, of another model, or with other options."""
    message = prompt.render(request.text)
    return replace(
        request,
        prompt=message,
        request_hash=_request_hash(model, prompt, message, options),
        estimated_tokens=estimate_tokens(prompt.template) + estimate_tokens(request.text) + _ANSWER_TOKENS,
    )


def look_ahead(conversations: Sequence[Conversation]) -> None:
    """Look at the messages of many conversations at once, so that `prepare` knows them.

    What it does with them stays the same, in a fraction of the time.
    """
    for by_user, known in KNOWN.items():
        role = "user" if by_user else "agent"
        texts = dict.fromkeys(turn.text for logged in conversations for turn in logged.turns if turn.role == role)
        new = [text for text in texts if text not in known]
        looks = _looks_at(new)
        orders = orders_among([look.text for look in looks]) if by_user else [False] * len(looks)
        known.keep(
            {text: _judged(look, by_user, is_order) for text, look, is_order in zip(new, looks, orders, strict=True)}
        )
    look_ahead_at_pieces([_look(turn)[0] for turn in logged.turns if turn.role == "user"] for logged in conversations)
    masking_ahead(_look(turn)[0] for logged in conversations for turn in logged.turns)


def has_seen_texts(number: int) -> bool:
    """Return true if so many different texts of users are known."""
    return len(KNOWN[True]) >= number


def _without_forgery(conversation: Conversation) -> tuple[Conversation, bool]:
    """The conversation with tidy turns in which nobody speaks for another, and whether one tries to."""
    suspicious = False
    turns = []
    for turn in conversation.turns:
        text, steers = _look(turn)
        suspicious = suspicious or steers
        turns.append(turn if text == turn.text else Turn(turn.role, text, turn.time))
    suspicious = suspicious or is_suspicious_in_pieces(turns)
    clean = Conversation(  # named one by one: `replace` takes longer than all the rest does
        conversation_id=printable(conversation.conversation_id),
        turns=tuple(turns),
        source_uri=printable(conversation.source_uri),
        line=conversation.line,
        started_at=conversation.started_at,
        channel=printable(conversation.channel),
        attributes={printable(key): printable(value) for key, value in conversation.attributes.items()},
    )
    return clean, suspicious


def _look(turn: Turn) -> tuple[str, bool]:
    return KNOWN[turn.role == "user"][turn.text]


class _TidyText(NamedTuple):
    """A message made tidy: the bits of its signs, and whether it hid anything as it was logged."""

    text: str
    seen: int
    hides: bool


def _looks_at(texts: Sequence[str]) -> list[_TidyText]:
    logged = signs_in(texts)
    # Tidied first: an entity or a line break must hide neither a label nor, later, a number.
    clean = [tidy(text) if seen & SEEN_UNTIDY else text for text, seen in zip(texts, logged, strict=True)]
    seen_again = iter(signs_in([text for text, seen in zip(clean, logged, strict=True) if seen & SEEN_UNTIDY]))
    return [
        _TidyText(tidied, next(seen_again) if seen & SEEN_UNTIDY else seen, has_hidden_text(text, seen))
        for text, tidied, seen in zip(texts, clean, logged, strict=True)
    ]


def _looked_at(text: str, by_user: bool) -> tuple[str, bool]:
    return _judged(_TidyText(tidy(text), UNSEEN, has_hidden_text(text)), by_user, None)


def _judged(look: _TidyText, by_user: bool, is_order: bool | None) -> tuple[str, bool]:
    """A message tidy and without forgery, and whether it tries to steer its reader."""
    text, seen, hides = look
    if not seen and is_order is False:
        return text, hides
    steers = is_suspicious(text, by_user=by_user, seen=seen, is_order=is_order) or hides
    return without_forgery(text, by_user=by_user, seen=seen), steers


# Most of what agents say is said in many conversations, and so are a user's short answers.
KNOWN: Final = {by_user: KnownTexts(partial(_looked_at, by_user=by_user)) for by_user in (True, False)}


def _masked(conversation: Conversation, counts: dict[str, int], masking: Masking) -> Conversation:
    said = conversation.turns
    turns = list(said)
    for role in ("user", "agent"):
        side = [turn.text for turn in said if turn.role == role]
        masked = mask_neighbors(side, counts)
        if masked != side:
            texts = iter(masked)
            turns = [turn._replace(text=next(texts)) if turn.role == role else turn for turn in turns]
    return Conversation(
        conversation_id=mask_identifier(conversation.conversation_id, masking.pseudonyms),
        turns=tuple(turns),
        source_uri=conversation.source_uri,
        line=conversation.line,
        started_at=conversation.started_at,
        channel=mask(conversation.channel),
        attributes=mask_mapping(conversation.attributes, counts, masking.pseudonyms, masking.keep_attributes),
    )


def _line(turn: Turn) -> str:
    return _LABELS[turn.role] + turn.text


def _cut(turns: Sequence[Turn], budget: int) -> tuple[tuple[Turn, ...], str]:
    """The first and the last turns that fit the budget together, and their text with a line for the gap.

    The beginning shows the request and the end its outcome, so both halves get the same room.
    """
    longest = (budget - _CUT_TOKENS) // min(len(turns), 3) - _LABEL_TOKENS
    turns = [Turn(turn.role, _clip(turn.text, longest), turn.time) for turn in turns]
    costs = [estimate_tokens(turn.text) + _LABEL_TOKENS for turn in turns]
    if sum(costs) <= budget:
        return tuple(turns), "\n".join(map(_line, turns))
    room = budget - _CUT_TOKENS
    head, tail = 0, len(turns)
    head_cost = tail_cost = 0
    while head < tail:
        from_head = head_cost <= tail_cost
        cost = costs[head] if from_head else costs[tail - 1]
        if head_cost + tail_cost + cost > room:
            break
        if from_head:
            head, head_cost = head + 1, head_cost + cost
        else:
            tail, tail_cost = tail - 1, tail_cost + cost
    marker = _CUT_TURNS.format(tail - head)
    kept = (*turns[:head], *turns[tail:])
    return kept, "\n".join([*map(_line, turns[:head]), marker, *map(_line, turns[tail:])])


def _clip(text: str, tokens: int) -> str:
    """The text, its middle cut out if it has more tokens."""
    needed = estimate_tokens(text)
    if needed <= tokens:
        return text
    half = len(text) * max(tokens - _CUT_TOKENS, 2) // needed // 2
    while True:
        clipped = text[:half] + _CUT_TEXT + text[len(text) - half :]
        if half <= 1 or estimate_tokens(clipped) <= tokens:
            return clipped
        half = half * 4 // 5


def _request_hash(model: str, prompt: Prompt, message: str, options: ModelOptions) -> str:
    # The default options leave no trace: answers from before there were any are found by their old hash.
    chosen = options.fingerprint()
    differing = f"options{len(chosen)}:{chosen}" if chosen else ""
    return _digest(f"{differing}{len(model)}:{model}{len(prompt.version)}:{prompt.version}{message}")


def content_hash(turns: tuple[Turn, ...]) -> str:
    """Return a digest of what was said, and by whom."""
    # Lengths in front keep other turns from giving the same text.
    return _digest("".join([f"{turn.role}{len(turn.text)}:{turn.text}" for turn in turns]))


def _digest(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
