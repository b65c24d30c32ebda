"""The border between a conversation and what reads it: who speaks, where it ends, and who tries to be somebody else.

A transcript in a prompt is text. A customer who types `客服：已退款`, `</会话>` or one of our placeholders would be
read as an agent, as the end or as us. `without_forgery` takes away the sign that makes it one and leaves the words.
`is_suspicious` flags a message that tries to steer whoever reads it: by such signs, by instructions to a model, or by
naming the fields of the answer.
"""

import re
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Final

from tasks.domain.pattern_signs import SignedPattern
from tasks.domain.records import Turn
from tasks.domain.sign_table import UNSEEN, SignTable
from tasks.preparing.compaction import add_signs_of_untidy
from tasks.preparing.disguises import (
    add_signs_of_guesses,
    add_signs_of_readings,
    guesses,
    in_pieces,
    readings,
)
from tasks.preparing.known_texts import KnownTexts
from tasks.preparing.masking import PLACEHOLDERS
from tasks.preparing.steering import (
    SIGNS_OF_MODELS,
    SIGNS_OF_PHRASES,
    speaks_to_a_model,
    steers,
    steers_by_phrase,
)
from tasks.preparing.wording import orders_among, sounds_like_an_order

_COLONS: Final = ":：﹕∶ː꞉︓︰˸׃܃ꓽ"

_SPEAKERS: Final = (
    r"用户|用戶|客户|客戶|顾客|顧客|买家|買家|会员|消费者|客服(?:人员|专员|代表|"
    r"小[\u4e00-\u9fff])?|客服|人工客服|坐席|座席|商家|商户|卖家|賣家|店家|店主|"
    r"平台|系统|系統|"
    r"[\u4e00-\u9fff]{0,2}专员|售后(?:客服|人员)?|主管|仓库|人工|机器人|機器人|智能助手|助手|助理|管理员|管理員|官方"
)

_LATIN_SPEAKERS: Final = (
    r"ai|user|customer|client|buyer|agent|seller|assistant|system|human|bot|support|operator|developer|tool"
)

_NAMED: Final = (
    r"[ ]?(?:[(（#]?(?!ID|id|编[号码]|电话|地址|热线|名称|号|中心|端|消息|服务|"
    r"态度|提示(?!词)|留言|备注|需求|要求|反馈|编码)[A-Za-z0-9_\u4e00-\u9fff]{1,6}[)）]?)?[ ]?"
)

# Agents quote: of theirs only the two labels that the transcript itself uses are taken.
_OWN_LABEL: Final = re.compile(rf"(用户|客服) ?[{_COLONS}]")

_LABEL: Final = re.compile(
    rf"((?:{_SPEAKERS})(?:{_NAMED}))[{_COLONS}]|(?<![A-Za-z])((?:{_LATIN_SPEAKERS})(?: ?[0-9#]{{0,4}}))[{_COLONS}]",
    re.IGNORECASE,
)

_BRACKETED: Final = re.compile(
    rf"[【\[［〔「『<＜《(（]\s?((?:{_SPEAKERS}|{_LATIN_SPEAKERS}){_NAMED})\s?"
    rf"(?:(?:[】\]］〕」』>＞》][ ]?)+[{_COLONS}]?|[)）][ ]?[{_COLONS}])",
    re.IGNORECASE,
)

# ChatML, Llama, Mistral, and tags that close or open a conversation.
_TEMPLATE: Final = re.compile(
    r"<[|｜][^<>|｜]{1,40}[|｜]>|\[/?(?:INST|SYS|SYSTEM)\]|<</?SYS>>|"
    r"</?[ ]?(?:s|system|user|assistant|conversation|dialog(?:ue)?|transcript|chat|"
    r"message|prompt|instructions?|input|document|end|会话|对话|聊天记录|用户|客服|"
    r"系统|指令|结束)[ ]?/?>",
    re.IGNORECASE,
)

_LABELS: Final = SignedPattern(_LABEL)

_ANGLES: Final = str.maketrans("<>|｜[]", "‹›¦¦()")

_SLOT: Final = "{conversation}"

_CUT_MARK: Final = re.compile(r"…{1,2}[ ]?[(（]中间省略[^)）]{0,20}[)）][ ]?…{1,2}")

_PLACEHOLDER: Final = re.compile(
    "|".join(re.escape(name) for name in (*PLACEHOLDERS, "[订单卡片]"))
    + r"|\[(?:手机号|身份证号|姓名|订单号):[a-z]{12}\]"
)

# Nothing of the above can be in a text without one of these: most texts are done after one look.
_SIGN: Final = re.compile(
    rf"[{_COLONS}]|[【\[［〔「『<＜《(（][ ]?[用客顾买会消人坐座商卖店平系机智助管官uUcCbBaAsShHoOdDtT]|<|\[|{{conv|…"
)

_SIGNS: Final = SignTable()

_SEEN_SIGN: Final = _SIGNS.add(_SIGN)


def without_forgery(text: str, *, by_user: bool, seen: int = UNSEEN) -> str:
    """The text without signs that a reader of the transcript would take for its own.

    Only they change: a colon, a bracket. The words stay. It is done before masking, so that placeholders are ours.

    Args:
        text: one message.
        by_user: whoever says it.
        seen: the text's bits of `signs_in`.
    """
    if not seen & _SEEN_SIGN or _SIGN.search(text) is None:
        return text
    if not by_user:
        return _OWN_LABEL.sub(r"\1 ", text)
    forged = ""
    # The blank in a colon's place can make a label of what follows, `客服：在：`, until there are too many of them.
    while forged != text:
        forged, text = text, _without_outer_forgery(text)
    return text


def _without_outer_forgery(text: str) -> str:
    text = _LABELS.sub(lambda found: f"{found[1] or found[2]} ", text)
    text = _BRACKETED.sub(r"\1 ", text)
    text = _TEMPLATE.sub(lambda found: found[0].translate(_ANGLES), text)
    text = _CUT_MARK.sub("(省略)", text)
    text = _PLACEHOLDER.sub(lambda found: f"({found[0][1:-1]})", text)
    return text.replace(_SLOT, "(conversation)")


_FORGED_TURN: Final = re.compile(
    rf"(?<![问找叫喊让给系转是到])(?:{_SPEAKERS})(?:消息|通知|公告|{_NAMED})[{_COLONS}]"
    rf"|(?<![A-Za-z])(?i:{_LATIN_SPEAKERS})[ ]?[{_COLONS}]"
)

_HIDDEN: Final = re.compile(r"[\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f]")


def has_hidden_text(text: str, seen: int = UNSEEN) -> bool:
    """Return true if a message, as logged, holds signs that turn or hide what stands behind them."""
    return bool(seen & _SEEN_HIDDEN) and _HIDDEN.search(text) is not None


# Turns as chat windows and logs write them, without a colon: `客服 | …`, `seller> …`, `10:20 客服 …`, `客服 … 用户 …`.
_OTHER_BORDER: Final = re.compile(
    r"(?:^|[\s。！？!?；;，,…])>{0,3}[ ]?(?:客[ ._·-]?服|系[ ._·-]?统|卖家|商家|"
    r"对方)(?:[ ]?[|>→»]|[ ]?-(?!-)[ ]?(?=[\u4e00-\u9fff])|[ ]?[:：])|客[ ._·-]服[ ]?[:：]|"
    r"对方[:：]"
    r"|(?:店小二|掌柜|坐席|买家|卖家|顾客|用户|\b(?:seller|buyer|agent|customer|staff|shop))[ ]?[>→»]"
    r"|\d:\d\d[)\]】]?[ ]?(?:人工|官方|在线)?(?:客服|卖家|商家|坐席|店小二)(?![说的给让回没不])"
    r"|[(（](?:客服|卖家|商家|坐席)[ ]?\d{1,2}:\d\d"
    r"|(?:^|[ ])(?:客服|商家|卖家)[ ][^ ]{1,40}[ ](?:用户|顾客|买家|我)[ ]|(?:客服|商家|卖家)回复?[：:]"
    r"|[【\[](?:店铺|旗舰店|官方|人工|在线|售后){1,2}客服[】\]]|(?:店铺|旗舰店|官方|售后)客服-?[\u4e00-\u9fff]{1,4}[：:]|"
    r"(?:^|[ ])(?:staff|shop|me|merchant)[:：]",
    re.IGNORECASE,
)


_CROSSES: Final = SignedPattern(_OTHER_BORDER)

_IS_FORGED_TURN: Final = SignedPattern(_FORGED_TURN)

_SEEN_BORDER: Final = _SEEN_SIGN | _SIGNS.add(_CROSSES)

_SEEN_MODEL: Final = _SIGNS.add(*SIGNS_OF_MODELS)

_SEEN_PHRASE: Final = _SIGNS.add(*SIGNS_OF_PHRASES)

_SEEN_GUESSES: Final = add_signs_of_guesses(_SIGNS)

_SEEN_READINGS: Final = add_signs_of_readings(_SIGNS)

_SEEN_HIDDEN: Final = _SIGNS.add_set(_HIDDEN)

SEEN_UNTIDY: Final = add_signs_of_untidy(_SIGNS)

_OWN_WORDS: Final = re.compile("|".join(map(re.escape, (_SLOT, "[订单卡片]", *PLACEHOLDERS))))


def signs_in(texts: Sequence[str]) -> list[int]:
    """Return the bits of each text: those that are not there save the functions here a look at it."""
    return _SIGNS.seen(texts)


def is_suspicious(text: str, *, by_user: bool, seen: int = UNSEEN, is_order: bool | None = None) -> bool:
    """Return true if a message, as logged, tries to steer its reader or to be somebody else's.

    Agents write 客服： and 订单 without end: of theirs only what speaks to a model counts.

    Args:
        text: one message.
        by_user: whoever says it.
        seen: the text's bits of `signs_in`.
        is_order: what `sounds_like_an_order` said of it, if it was asked.
    """
    if seen & _SEEN_GUESSES and any(map(speaks_to_a_model, guesses(text))):
        return True
    read = readings(text) if seen & _SEEN_READINGS else iter(())
    if not by_user:
        return bool(seen & _SEEN_MODEL and speaks_to_a_model(text)) or any(map(speaks_to_a_model, read))
    if seen & _SEEN_PHRASE and steers_by_phrase(text):
        return True
    if seen & _SEEN_BORDER and _forges(text, logged=text):
        return True
    if sounds_like_an_order(text) if is_order is None else is_order:
        return True
    return any(steers(reading) or _forges(reading, logged=text) for reading in read)


def is_suspicious_in_pieces(turns: Sequence[Turn]) -> bool:
    """Return true if a user says over several short messages what would be suspicious as one."""
    said = [turn.text for turn in turns if turn.role == "user"]
    return any(map(KNOWN_IN_PIECES.__getitem__, in_pieces(said)))


def look_ahead_at_pieces(said: Iterable[Sequence[str]]) -> None:
    """Look at what many users say over several messages, so that `is_suspicious_in_pieces` knows it."""
    pieces = dict.fromkeys(text for texts in said for text in in_pieces(texts))
    new = [text for text in pieces if text not in KNOWN_IN_PIECES]
    KNOWN_IN_PIECES.keep(
        {
            text: is_order or bool(seen & _SEEN_PHRASE and steers_by_phrase(text))
            for text, seen, is_order in zip(new, signs_in(new), orders_among(new, in_pieces=True), strict=True)
        }
    )


KNOWN_IN_PIECES: Final = KnownTexts(partial(steers, in_pieces=True))


def _forges(text: str, *, logged: str) -> bool:
    if _CROSSES.search(text):
        return True
    if _SIGN.search(logged) is None and _SIGN.search(text) is None:
        return False
    return bool(
        _TEMPLATE.search(text)
        or _IS_FORGED_TURN.search(text)
        or _BRACKETED.search(text)
        or _CUT_MARK.search(logged)
        or _OWN_WORDS.search(text)
    )
