"""The sentences of a dialogue, and the user's issues by topic, each once."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from tasks.calling.rules.offline.phrases import alternatives
from tasks.domain.pattern_signs import SignedPattern
from tasks.domain.records import Turn

LONGEST: Final = 80  # characters of a quoted sentence

LONGEST_MESSAGE: Final = 4_000  # characters of a message that are read

EDGE: Final = " ，,。！!~～；;、…：:"

_SENTENCE: Final = re.compile(r"[^。！？!?~～；;\s]+[。！？!?~～；;]*")

# A blank inside a sentence: between Chinese and Latin, or before a unit.
_INNER_BLANK: Final = re.compile(
    r"(?<=[带的了个是用把把装有和与\w])[ \u00a0](?=[A-Za-z]{2,}[A-Za-z0-9]*[\u4e00-\u9fff])"
)

# What the shop's page writes into a customer's message.
_CARD: Final = re.compile(
    r"\[订单编号[:：].{0,160}?\]\]|(?:顾客|用户)通过点击.{0,40}?信息发送[:：]|您选择了一个订单进行咨询|"
    r"(?:咨询)?(?:订单编?号|订单金额|下单时间|商品(?:ID|编号)|订单)\s{0,2}[:：]\s{0,2}[\[\]￥\w.-]{0,40}|"
    r"\[(?:订单|商品|链接|图片|视频|语音|表情|快照)[^\[\]]{0,12}\]"
)

_HAS_CARD: Final = SignedPattern(_CARD)

_HAS_BLANK: Final = SignedPattern(_INNER_BLANK)

_OPENING: Final = re.compile(
    rf"^(?:(?:{alternatives('opening')})[啊呀哦呢的哈哟]?[ ，,。！!?？~、:：]*)+", re.IGNORECASE
)

_EMPTY_TALK: Final = re.compile(
    rf"(?:{alternatives('empty_talk')})[啊呀哦呢了吗的哈吧]*(?:亲+|亲爱的|妹子|小妹|美女)?", re.IGNORECASE
)

_ASKS: Final = ("?", "？", "吗", "么", "嘛", "呢", "没有", "不", "吧")

_WANT: Final = re.compile(alternatives("want"))

# The topic of an issue, by what is asked; the order decides where several fit.
_TOPICS: Final = {
    "price": re.compile(r"价保|价格保护|保价|差价|降价|买贵|便宜"),
    "invoice": re.compile(r"发票|开票|抬头|税号|专票|增票|普票"),
    "return": re.compile(r"退货|退掉|退回|拒收|退换|不想要"),
    "refund": re.compile(r"退款|退钱|返还|返现|到账|退到|退费"),
    "exchange": re.compile(r"换货|换新|补发|调换|换个"),
    "coupon": re.compile(r"优惠券|优惠|满减|红包|积分|[京金]豆|E卡|券"),
    "cancel": re.compile(r"取消"),
    "change": re.compile(
        r"(?:改|换|变更|写错|填错).{0,8}(?:地址|电话|号码|手机号|收货人|联系方式|时间)|地址.{0,6}(?:改|错)"
    ),
    "delivery": re.compile(
        r"物流|发货|到货|送到|送达|配送|派送|几点到|(?:什么|啥)时候.{0,4}到|到了?哪|能到|还没到|快递|没收到|没有收到|催[单件货投派送一下]|签收"
    ),
    "installation": re.compile(r"安装|师傅"),
    "fault": re.compile(r"坏|故障|质量|破|裂|漏|开不了|打不开|没反应|不能用|用不了|没声音|维修|保修|售后"),
    "account": re.compile(r"登录|登不上|密码|验证码|绑定|账号|实名|注销"),
    "payment": re.compile(r"付款|支付|白条|分期|扣款|扣费|充值|话费"),
    "missing": re.compile(r"少发|漏发|少了|缺了|空盒"),
    "network": re.compile(r"网速|信号|宽带|流量|套餐|掉线|断网"),
}

_NEW: Final = re.compile(alternatives("new"))

_FOLLOWS: Final = re.compile(r"^(?:好的?|那|不行|哦|嗯|噢|而且|所以|就是?|因为|然后|不是|是的|对|最后|收到)")

_PLACEHOLDER: Final = re.compile(r"\[[^\[\]]{1,12}\]")

_SEVERAL: Final = 3  # issues of a conversation at most

_HALF: Final = 16  # characters; a shorter issue that names no topic needs the sentence that does

_NAME: Final = 6  # characters; a shorter sentence only names what is asked about behind it

_SHORT: Final = 8  # characters; a shorter question may need the sentence before it


# Sentences are looked at for issues, plans and verdicts in turn, and come again in other conversations.
remembered = lru_cache(maxsize=1 << 13)


def sentences(text: str) -> Sequence[str]:
    """The sentences of a message, in order, without what the shop's page wrote into it."""
    return _sentences(text[:LONGEST_MESSAGE])


@remembered
def _sentences(text: str) -> Sequence[str]:
    return tuple(_SENTENCE.findall(_HAS_BLANK.sub("", _HAS_CARD.sub(" ", text))))


@remembered
def bare(sentence: str) -> str:
    """The sentence without its greeting and its end mark."""
    return _OPENING.sub("", sentence).strip(EDGE)


def is_question(sentence: str) -> bool:
    """Return true if a sentence asks a question."""
    return sentence.endswith(_ASKS)


@remembered
def topic_of(text: str) -> str | None:
    """The topic of a text, None where it names none."""
    return next((topic for topic, words in _TOPICS.items() if words.search(text)), None)


def issues_of(turns: Sequence[Turn]) -> list[str]:
    """The user's issues, each as a sentence of theirs: the first request, then the first sentence of each other topic.

    Where nothing is asked or wanted it is the first sentence with any content.
    """
    issues: list[str] = []
    topics: set[str | None] = set()
    first = ""
    for turn in turns:
        if turn.role != "user":
            continue
        before = ""
        for sentence in sentences(turn.text):
            said = bare(sentence)
            topic = topic_of(said)
            if not _has_content(said, topic):
                continue
            if (_asks(sentence) and len(said) > 2) or topic is not None:
                if not issues:
                    issues.append(_with(before or first, said, topic)[:LONGEST])
                    topics.add(topic)
                elif before == issues[0] and len(before) < _NAME and _asks(sentence):
                    issues[0] = _with(before, said, None)[:LONGEST]  # 发票，能开专票吗
                    topics.add(topic)
                elif topic is not None and topics == {None} and (_asks_anew(said) or _completes(issues[0], said)):
                    issues[0] = _with(issues[0], said, None)[:LONGEST]  # the first one was only half of it
                    topics.add(topic)
                elif topic is not None and topic not in topics and _asks_anew(said) and len(issues) < _SEVERAL:
                    issues.append(said[:LONGEST])
                    topics.add(topic)
            if len(said) > 2 or topic is not None:
                first = first or said
            before = said
    return issues or ([first[:LONGEST]] if first else [])


@remembered
def _asks(sentence: str) -> bool:
    """Return true if a sentence asks or wants something."""
    return is_question(sentence.rstrip(EDGE)) or _WANT.search(bare(sentence)) is not None


@remembered
def _has_content(said: str, topic: str | None) -> bool:
    if len(said) < 2 or _EMPTY_TALK.fullmatch(said.rstrip("?？")):
        return False
    return topic is not None or "[" not in said or len(_PLACEHOLDER.sub("", said).strip(EDGE)) > 3


def _asks_anew(said: str) -> bool:
    return _NEW.search(said) is not None and _FOLLOWS.match(said) is None


def _completes(issue: str, said: str) -> bool:
    """Return true for a short issue that names no topic, where the sentence that does is no mere reply."""
    return len(issue) < _HALF and _FOLLOWS.match(said) is None


def _with(before: str, said: str, topic: str | None) -> str:
    """A question led by the sentence before it, which may say what it is about."""
    if before and said not in before and (topic is None or len(said) < _SHORT):
        return f"{before.rstrip('?？')}，{said}"
    return said
