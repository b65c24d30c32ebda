"""Dialogues in one string: whose label begins which message, and which lines are none of anybody's."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from tasks.domain.records import Turn
from tasks.reading.rules.dialogue import MESSAGES_LIMIT, new_turn, plain_text
from tasks.reading.rules.speakers import AGENT_WORDS, SYSTEM_WORDS, USER_WORDS, Speaker, speaker_of
from tasks.reading.rules.utterances import Utterance

_DATE: Final = r"(?:\d{4}[-/.年]\d{1,2}[-/.月]\d{1,2}日?|\d{1,2}[-/.]\d{1,2}[-/.](?:\d{4}|\d\d))"

_OF_DAY: Final = (
    r"(?:(?:上午|下午|中午|晚上|凌晨)\s?)?\d{1,2}[:：]\d{2}(?:[:：]\d{2}(?:\.\d{1,6})?)?(?:\s?[AaPp]\.?[Mm]\.?)?"
)

_DATED: Final = rf"{_DATE}(?:[ \t,，T]{{1,3}}|(?<=日)){_OF_DAY}"

_MARKS: Final = r"(?:(?:[-*•·>#+]{1,3}|\d{1,4}[.)、])[ \t]{1,4}|\*\*|__|~){0,6}"

# A label's line: marks of a list or a quotation, a time, a name, a colon. Bounded everywhere, so that it stays linear.
_LINE: Final = re.compile(
    rf"[ \t\u3000\ufeff\u200e]*+{_MARKS}"
    rf"(?:[\[(（【]?(?P<time>{_DATED}|{_OF_DAY})[\])）】]?[ \t]{{0,3}}(?P<dash>[-–—|][ \t]{{1,3}})?{_MARKS})?"
    r"(?P<open>[\[【(（<「])?(?P<name>[^\s:：﹕∶\[\]【】<>「」,，。！？!?;；、\"“”][^:：﹕∶\n,，。！？!?;；\"“”]{0,40}?)"
    r"(?:[\]】)）>」]?(?:\*\*|__)?[ \t]{0,8}[:：﹕∶]|[\]】>」](?=\s))(?:\*\*|__)?"
)

# 千牛, 旺旺: NAME(2026-11-22 10:00:00): text. QQ, 七鱼: NAME 2026-11-22 10:00:00, with the text on the lines below.
_NAME_AND_TIME: Final = re.compile(
    rf"[ \t\u3000\ufeff]*+(?P<name>[^\s(（\[【\d,，;；|\t][^(（,，;；|\t\n]{{0,30}}?)[ \t]{{0,4}}"
    rf"[(（]?(?P<time>{_DATED})[)）]?[ \t]{{0,4}}"
    r"(?:[:：][ \t]{0,4}|$)"
)

# NAME 10:00 or NAME (10:00:22): text, where the name's side is known.
_NAME_AND_CLOCK: Final = re.compile(
    rf"[ \t\u3000\ufeff]*+(?P<name>[^\s(（\[【\d,，;；|\t][^(（,，;；|\t\n]{{0,30}}?)(?:[ \t]{{1,4}}|[ \t]{{0,4}}[(（])"
    rf"(?P<time>{_OF_DAY})[)）]?[ \t]{{0,4}}(?:[:：][ \t]{{0,4}}|$)"
)

_ENDS_IN_HOUR: Final = re.compile(r"[\s(（午上晨]\d{1,2}$")

_TIME_AND_NAME: Final = re.compile(
    rf"[ \t\u3000\ufeff]*+[\[(（【]?(?P<time>{_DATED})[\])）】]?[ \t]{{1,4}}(?P<name>\S{{1,24}})[ \t]*$"
)

_TIMED_NOTICE: Final = re.compile(
    rf"[\u200e\ufeff]?\[?(?P<time>{_DATE}[ ,，]{{1,3}}{_OF_DAY})\]?(?:[ \t]-[ \t]|[ \t]{{1,2}})\S"
)

# What stands before a colon without being anybody's name.
_NO_NAMES_WORDS: Final = (
    "地址 电话 手机 手机号 姓名 收件人 收货人 收货地址 订单 订单号 订单编号 单号 快递单号 运单号 物流单号 "
    "时间 日期 金额 价格 数量 型号 颜色 尺码 规格 商品 链接 备注 注 注意 说明 问 答 原因 方案 例如 比如 "
    "如下 温馨提示 提示 网址 邮箱 账号 密码 编号 状态 渠道 来源 主题 标题 http https note ps re fw fwd "
    "total price order date time phone address email tel 会话id 会话编号 开始时间 结束时间"
)

_NO_NAMES: Final = frozenset(_NO_NAMES_WORDS.split())

_SHOP: Final = re.compile(r"[^:：\s]{1,30}[:：][^:：\s]{1,30}|.{0,30}(?:旗舰店|专卖店|专营店|官方店|自营店|企业店)")

_COLON: Final = re.compile(r"[:：﹕∶\]】>」]")

_DATE_INSIDE: Final = re.compile(_DATED)

_LABEL_CHARACTERS: Final = 160

_ADDRESSED: Final = re.compile("联系|致电|添加|询问|咨询|拨打|请|转|找|给|回复")


def _alternatives(words: str, *, latin: bool) -> str:
    chosen = [word for word in words.split() if word.isascii() is latin and len(word) > 1 and word not in _NO_LABELS]
    return "|".join(sorted(chosen, key=lambda word: (-len(word), word)))


# Roles that are ordinary words in a sentence, and so no labels in the midst of one.
_NO_LABELS_WORDS: Final = (
    "通知 旁白 事件 人工 管家 店员 商户 顾问 顧問 專員 店铺 店鋪 model admin shop store contact lead "
    "member a q note info template activity trigger inbound incoming outbound outgoing expert consultant "
    "passenger patient caller requester shopper subscriber tool function event service operator waiter "
    "guest consumer ai csr rep sys usr merchant employee teammate automation workflow notification notice "
    "developer"
)

_NO_LABELS: Final = frozenset(_NO_LABELS_WORDS.split())

# And those that often stand before a colon within a message, and so are no labels anywhere.
_NO_LABELS_AT_ALL_WORDS: Final = (
    "通知 旁白 事件 人工 店铺 店鋪 model contact lead note info template activity trigger tool function "
    "event service shop store a q subscriber total 员工 企业 官方 助手 小助手 小二 接待 学员 specialist"
)

_NO_LABELS_AT_ALL: Final = frozenset(_NO_LABELS_AT_ALL_WORDS.split())

_USER_LABELS: Final = f"{_alternatives(USER_WORDS, latin=False)}|{_alternatives(USER_WORDS, latin=True)}"

_AGENT_LABELS: Final = (
    f"(?:人工|智能|在线|售前|售后|机器人)?客服(?:人员|人員|专员|專員)?|{_alternatives(AGENT_WORDS, latin=False)}"
    f"|{_alternatives(AGENT_WORDS, latin=True)}"
)

_SYSTEM_LABELS: Final = f"{_alternatives(SYSTEM_WORDS, latin=False)}|system"

_BRACKETS: Final = "【[(（"

_LABEL_HERE: Final = re.compile(
    r"(?<![a-z])(?<!联系)(?<!致电)(?<!添加)(?<!询问)"
    rf"(?:(?P<user>{_USER_LABELS})|(?P<agent>{_AGENT_LABELS})|(?P<system>{_SYSTEM_LABELS}))"
    r"(?:[ _-]?(?:\d{1,8}|[A-Za-z]\d{0,4}(?![A-Za-z])))?(?:[(（\[【][^()（）\[\]【】\n]{0,24}[)）\]】])?"
    r"[】\])）]?[ \t]{0,8}[:：﹕∶]",
    re.I,
)

_LATIN: Final = "|".join(_alternatives(words, latin=True) for words in (USER_WORDS, AGENT_WORDS)) + "|system"

# Plain words alone, which re finds ten times faster than labels.
_LABEL_WORD: Final = re.compile(
    "|".join(
        [
            *sorted(
                (
                    word
                    for words in (USER_WORDS, f"{AGENT_WORDS} 售前客服 售后客服 机器人客服", SYSTEM_WORDS)
                    for word in _alternatives(words, latin=False).split("|")
                ),
                key=lambda word: (-len(word), word),
            ),
            _LATIN,
            _LATIN.title(),
            _LATIN.upper(),
        ]
    )
)

_LABELS_A_LINE: Final = 2


class Transcript(NamedTuple):
    """A dialogue in one string: what stands before it, its messages, and where the first one begins.

    `strangers` are names that begin a message and that nobody said whose they are, each with how often.
    """

    preamble: str
    utterances: list[Utterance]
    start: int
    strangers: Mapping[str, int] = {}


class Label(NamedTuple):
    """The beginning of a message: who speaks (None: a stranger), when, and where its text begins in its line."""

    speaker: Speaker | None
    name: str
    time: str | None
    end: int
    sure: bool


@dataclass(frozen=True, slots=True)
class LabelReader:
    """Finds the labels of a transcript's lines.

    Args:
        roles: names and the sides they are on; `*` is for all others.
        names: names that begin messages in this log, though nobody said whose they are.
    """

    roles: Mapping[str, Speaker] = field(default_factory=dict)
    names: frozenset[str] = frozenset()

    def label(self, line: str) -> Label | None:
        """The label that a line begins with, if any."""
        if not self.roles and (plain := plain_label(line)):
            return Label(plain[0], line[: plain[1]], None, plain[1] + 1, sure=True)
        start = line[:_LABEL_CHARACTERS]
        dated = len(line) < _LABEL_CHARACTERS and _DATE_INSIDE.search(start) is not None
        if dated and (headline := self._headline(start, _NAME_AND_TIME)):
            return headline
        found = _LINE.match(start) if _COLON.search(start) else None
        if found:
            clocked = self._headline(start, _NAME_AND_CLOCK) if _ENDS_IN_HOUR.search(found["name"]) else None
            if clocked and clocked.speaker:
                return clocked
            name = found["name"].strip(" *_\t")
            speaker = self.speaker(name)
            timed = found["time"] is not None
            if speaker or self._is_stranger(name, timed, found):
                return Label(speaker, name, found["time"], found.end(), sure=speaker is not None)
        return self._headline(start, _TIME_AND_NAME) if dated else None

    def speaker(self, name: str) -> Speaker | None:
        """The side of a name."""
        if self.roles and (speaker := self.roles.get(name)):
            return speaker
        speaker = _label_speaker(name)
        return speaker or (self.roles.get("*") if name in self.names else None)

    def _is_stranger(self, name: str, timed: bool, found: re.Match[str]) -> bool:
        if name in self.names:
            return True
        dated = timed and (found["dash"] is not None or len(found["time"]) > 5)
        return dated and len(name) <= 24 and name.lower() not in _NO_NAMES

    def _headline(self, line: str, form: re.Pattern[str]) -> Label | None:
        found = form.match(line)
        if not found:
            return None
        name = found["name"].strip().strip("[]【】")
        if name.rstrip(":： ").lower() in _NO_NAMES or (
            _COLON.search(name) and line[found.end("time") :][:1] not in ")）"
        ):
            return None
        speaker = self.speaker(name)
        if speaker is None and _SHOP.fullmatch(name):
            speaker = "agent"
        return Label(speaker, name, found["time"], found.end(), sure=True)


# The labels of nearly every line of a transcript, without the marks that others may have around them.
_PLAIN: Final[Mapping[str, Speaker]] = {
    form: speaker
    for words in (USER_WORDS, AGENT_WORDS)
    for word in words.split()
    if word not in _NO_LABELS_AT_ALL and (speaker := speaker_of(word))
    for form in {word, word.title()}
}

_PLAIN_CHARACTERS: Final = 12


def plain_label(line: str) -> tuple[Speaker, int] | None:
    """The side of a plain label that a line begins with, and the place of its colon."""
    end = line.find("：", 0, _PLAIN_CHARACTERS)
    if end < 0:
        end = line.find(":", 0, _PLAIN_CHARACTERS)
    speaker = _PLAIN.get(line[:end]) if end > 0 else None
    return (speaker, end) if speaker else None


NO_ROLES: Final = LabelReader()


def split_transcript(text: str, reader: LabelReader = NO_ROLES) -> Transcript:
    """The messages that speakers' labels (`用户：`, `[客服 小林]:`) begin; none when there is no label.

    Labels count at line starts when both sides have one there, or two lines have one; else wherever they stand.
    What follows without a label belongs to the message before, but a line that another speaker's name begins does
    not: it is the message of a stranger.
    """
    labels = _labels_at_line_starts(text, reader)
    if len(labels) < _LABELS_A_LINE and len({label.speaker for _, label in labels}) < _LABELS_A_LINE:
        anywhere = _labels_anywhere(text)
        if len(anywhere) > len(labels):
            return _split(text, anywhere, {})
    found, strangers = _with_sides(labels)
    if not any(label.speaker in ("user", "agent") or label.sure for _, label in labels):
        return Transcript(text.strip(), [], 0, strangers)
    return _split(text, found, strangers)


def plain_transcript(text: str) -> list[Turn] | None:
    """The turns of a transcript whose every line begins with a plain label; None where one does not."""
    turns: list[Turn] = []
    labels = 0
    for line in text.split("\n"):
        if not line or line.isspace():
            continue
        plain = plain_label(line)
        if plain is None:
            return None
        speaker, end = plain
        labels += 1
        said = line[end + 1 :].strip()
        if "<" in said or "&#" in said:
            said = plain_text(said)
        if said and speaker != "system":
            turns.append(new_turn((speaker, said, None)))
    return turns if _LABELS_A_LINE <= labels <= MESSAGES_LIMIT else None


def _labels_at_line_starts(text: str, reader: LabelReader) -> list[tuple[int, Label]]:
    labels = []
    start = 0
    label_of = reader.label
    for line in text.split("\n"):
        if line and (label := label_of(line)):
            labels.append((start, label))
        elif line[:1] in _NOTICE_BEGINS and (found := _TIMED_NOTICE.match(line)):
            labels.append((start, Label("system", "", found["time"], 0, sure=False)))
        start += len(line) + 1
    return labels


_NOTICE_BEGINS: Final = frozenset("0123456789[\u200e")


def _with_sides(labels: list[tuple[int, Label]]) -> tuple[list[tuple[int, int, Speaker, str | None]], dict[str, int]]:
    """The labels with their sides, and the strangers among them.

    Where a shop's account speaks (千牛's `店铺:小美`), the one other name is the buyer's.
    """
    unknown = {label.name for _, label in labels if label.speaker is None}
    by_shop = unknown and any(label.speaker == "agent" and _SHOP.fullmatch(label.name) for _, label in labels)
    buyer = next(iter(unknown)) if len(unknown) == 1 and by_shop else None
    strangers: dict[str, int] = {}
    found: list[tuple[int, int, Speaker, str | None]] = []
    for start, (speaker, name, time, end, _) in labels:
        side = speaker or ("user" if name == buyer else None)
        if side is None:
            strangers[name] = strangers.get(name, 0) + 1
        found.append((start, start + end, side or "system", time))
    return found, strangers


def _split(text: str, labels: list[tuple[int, int, Speaker, str | None]], strangers: Mapping[str, int]) -> Transcript:
    if not labels:
        return Transcript(text.strip(), [], 0)
    ends = [*(label[0] for label in labels[1:]), len(text)]
    utterances = [
        Utterance(speaker, text[begin:end].strip(), time)
        for (_, begin, speaker, time), end in zip(labels, ends, strict=True)
    ]
    return Transcript(text[: labels[0][0]].strip(), utterances, labels[0][0], strangers)


def _labels_anywhere(text: str) -> list[tuple[int, int, Speaker, str | None]]:
    labels: list[tuple[int, int, Speaker, str | None]] = []
    end = 0
    for word in _LABEL_WORD.finditer(text):
        if word.start() >= end and (found := _LABEL_HERE.match(text, word.start())):
            start = found.start() - (found.start() > 0 and text[found.start() - 1] in _BRACKETS)
            side: Speaker = "user" if found["user"] else "agent" if found["agent"] else "system"
            labels.append((start, found.end(), side, None))
            end = found.end()
    return labels


_SPEAKERS_KEPT: Final = 4_096
_known_labels: dict[str, Speaker | None] = {}


def _label_speaker(name: str) -> Speaker | None:
    """The side of a label's name; remembered, because a log has few."""
    try:
        return _known_labels[name]
    except KeyError:
        pass
    word = _SUFFIX_AT_END.sub("", name) or name
    speaker = speaker_of(name) or speaker_of(word)
    if speaker is None and " " in word and not word.isascii():
        speaker = speaker_of(word.partition(" ")[0])
    if word.lower() in _NO_NAMES or word.lower() in _NO_LABELS_AT_ALL or _ADDRESSED.search(name):
        speaker = None
    if len(_known_labels) >= _SPEAKERS_KEPT:
        _known_labels.clear()
    _known_labels[name] = speaker
    return speaker


_SUFFIX_AT_END: Final = re.compile(
    r"(?:[ _-]?(?:\d{1,10}|[A-Za-z]\d{0,4}))?(?:[(（\[【][^()（）\[\]【】\n]{0,24}[)）\]】])?$"
)


def begins_with_label(line: str, reader: LabelReader = NO_ROLES) -> bool:
    """True for a line that begins with a speaker's label."""
    label = reader.label(line)
    return label is not None and (label.speaker is not None or label.sure)


def frequent_names(lines: list[str]) -> frozenset[str]:
    """Names that begin so many lines that they must be speakers', though no word says whose side they are on."""
    counts: dict[str, int] = {}
    known = 0
    for line in lines:
        found = _LINE.match(line)
        if not found:
            continue
        name = found["name"].strip(" *_\t")
        if _label_speaker(name):
            known += 1
        elif len(name) <= 16 and name.lower() not in _NO_NAMES and not name.isdecimal():
            counts[name] = counts.get(name, 0) + 1
    enough = max(3, len(lines) // 50)
    return frozenset(name for name, count in counts.items() if count >= enough) if known >= 2 else frozenset()
