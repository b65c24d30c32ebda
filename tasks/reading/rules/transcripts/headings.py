"""Lines between the conversations of a file: headings, rules and marks of an end."""

import re
from typing import Final

from tasks.reading.rules.transcripts.labels import DATE, OF_DAY

# -----, = = =, &&&&, ..........
RULE: Final = re.compile(
    r"\s*(?:([-=*#_—~─━])(?:[ \t]{0,2}\1){2,}"
    r"|([&$@※◆◇★☆●■□▲＝－＊＃／\\|>])(?:[ \t]?\2){3,}|([.·+%])(?:[ \t]?\3){4,})\s*"
)

HEADING: Final = re.compile(r"\s*([^\s:：][^:：]{0,30})[:：](.*)")

ID_HEADING: Final = re.compile(
    r"[\s#*=\-~_—–+|【\[(（<《]*(?:(?:会话|對話|对话|會話|咨询|通话|工单)\s*(?:ID|编号|編號|号|標識|标识)"
    r"|(?:session|conversation|dialog|dialogue|chat|ticket|call)[ _-]?id)\s*[:：]",
    re.I,
)

# 对话1：, 【会话 2】, === Conversation 3 ===, 第4通
NUMBERED: Final = re.compile(
    r"[\s#*=\-~_—–+|【\[(（<《]*(?:第\s{0,2}(?:\d{1,8}|[一二三四五六七八九十百]{1,5})\s{0,2}(?:通|个|條|条|段|次|场|場)(?:会话|对话|會話|對話|通话|咨询)?"
    r"|(?:会话|对话|會話|對話|通话|咨询|dialogue|dialog|conversation|session|chat|call|ticket)\s{0,2}[#＃nN°o.]{0,3}\s{0,2}(?:(?P<id>(?:[A-Za-z]{1,4}[-_]?)?\d{1,20})|[一二三四五六七八九十百]{1,5})(?:\s?(?:of|/)\s?\d{1,8})?)"
    rf"[\s】\])]{{0,3}}(?:\s?[(（\[]?{DATE}[ T]?(?:{OF_DAY})?[)）\]]?)?"
    r"[\s】\])）>》*=\-~_—–+|:：]*",
    re.I,
)

# #1, 1., (1), No. 1, 一、: a number alone, which counts the conversations of a file where it stands above the first.
_COUNT: Final = re.compile(
    r"(?=.*[^\d\s])[\W_]{0,8}(?:no|nr|例|样本|样例|案例)?[\W_]{0,3}"
    r"(?P<number>\d{1,6}|[一二三四五六七八九十]{1,3}(?=[^\w\s]))[\W_]{0,8}",
    re.I,
)

# 1. 漏水, 二、发票, （3）退款: a number and a title.
_TITLED_COUNT: Final = re.compile(
    r"[\s#*【\[(（]{0,6}(?P<number>\d{1,3}|[一二三四五六七八九十]{1,3})\s?[.．、)）\]】:：]{1,2}\s{0,3}(?![\d\s]).{1,40}"
)

_LONGEST_COUNT: Final = 32

NUMERALS: Final = "一二三四五六七八九十"

# Chat started on 2026-11-21 09:15:10, --- 会话开始 ---
STARTED: Final = re.compile(
    r"[\s#*=\-~_—–【\[(（]{0,40}(?:(?:会话|對話|对话|會話|聊天|通话|咨询)(?:已)?(?:开始|開始|接入|建立)"
    r"|(?:new )?(?:chat|conversation|session) (?:started|begins?|opened)\b).{0,60}"
    r"|[\s#*=\-~_—–【\[(（]{0,40}(?:新的?(?:会话|对话)|new (?:chat|conversation|session))[\s#*=\-~_—–】\])）:：]{0,40}",
    re.I,
)

# 【会话结束】, --- Chat ended ---
ENDED: Final = re.compile(
    r"[\s#*=\-~_—–【\[(（<]{1,40}(?:(?:本次|当前)?(?:会话|對話|对话|會話|聊天|通话|咨询|服务)(?:已)?(?:结束|結束|关闭|關閉)"
    r"|(?:end of (?:chat|conversation|session)|(?:chat|conversation|session) (?:has )?(?:ended|closed)))"
    rf"[，, ]{{0,2}}(?:{DATE}[ T]?)?(?:{OF_DAY})?[\s】\])）>》*=\-~_—–#。.]{{1,40}}",
    re.I,
)

# A mark or a word alone that ends a conversation: <|endoftext|>, [END], ===END===, 会话结束
END_ALONE: Final = re.compile(
    r"\s{0,8}(?:(?P<mark><hr\s?/?>|</s>|<\|endoftext\|>|[\[<【]\s?(?:END|结束|完)\s?[\]>】]|[-=*#]{2,40}\s?END\s?[-=*#]{2,40}|EOF)"
    r"|(?:本次|当前)?(?:会话|對話|对话|會話|聊天|通话|咨询|服务)已?(?:结束|結束|关闭|關閉)[。.]?"
    r"|(?:chat|conversation|session) (?:has )?(?:ended|closed)[.]?)\s{0,8}",
    re.I,
)

LONGEST_END: Final = 60


def count_in(line: str) -> int:
    """The number that a line is, and nothing else; 0 for any other line."""
    found = _COUNT.fullmatch(line) if len(line) < _LONGEST_COUNT else None
    return _number(found["number"]) if found else 0


def titled_count_in(line: str) -> int:
    """The number that stands before a title; 0 for any other line."""
    found = _TITLED_COUNT.fullmatch(line)
    return _number(found["number"]) if found else 0


def _number(digits: str) -> int:
    """The value of 12 or 十二; 0 for numerals that are none."""
    if digits.isdecimal():
        return int(digits)
    tens, ten, ones = digits.rpartition("十")
    if len(tens) > 1 or len(ones) > 1 or "十" in tens:
        return 0
    return ((NUMERALS.index(tens) + 1 if tens else 1) * 10 if ten else 0) + (NUMERALS.index(ones) + 1 if ones else 0)
