"""The sentences of a dialogue, and the user's issues by topic, each once."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

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

# What opens a message without saying anything: greetings, calls for a person, placeholders, menu entries.
_OPENING: Final = re.compile(
    r"^(?:(?:你好|您好|在吗|在么|在不在|在线吗|有人吗|有人在吗|有人|喂|哈喽|hello|hi|亲爱[的哒](?:顾客|客户|用户)?|尊敬的(?:顾客|客户|用户)|亲亲|亲|"
    r"我?想?请?问一下|我?想?请?问下|请问|是人工吗?|客服|人工客服|(?:我要|我想)?[转找]?人工(?:客服|服务)?|"
    r"\[[^\[\]]{1,12}\](?=[ ，,。！]|$)|早上好|上午好|中午好|下午好|晚上好|不好意思|打扰了|"
    r"没有?了(?=[ ，,])|那个|就是说?|然后)"
    r"[啊呀哦呢的哈哟]?[ ，,。！!?？~、:：]*)+",
    re.IGNORECASE,
)

_EMPTY_TALK: Final = re.compile(
    r"(?:好+[的滴吧哒嘞]?|嗯+|恩+|哦|噢+|喔+|是的?|对的?|谢+(?:你|您)?|多谢|感谢(?:你|您)?|行|可以|没有了?|没了|没事|不是|不用了?|ok|在|人呢|辛苦(?:你|您)?了?|"
    r"麻烦(?:你|您)?了?|知道了?|明白了?|收到|再见|拜拜|好评|稍等(?:一?下)?|等一?下|什么|怎么了?|怎么样|怎么弄|那?怎么办|为什么|好了|在不|您说|你说|快点|这个|这个件|就这个|你看下?|帮我看下|"
    r"(?:我?想?要?)?(?:咨询|请教|问|反映)(?:一下|下)?(?:您|你|你们)?(?:一?个|点)?(?:问题|事情?|情况)|(?:我的|这个|我说的)(?:问题|情况|意思|事情?)?.{0,4}(?:清楚|知道|明白|看到|了解)(?:吧|么|不)?|"
    r"(?:还|又)?[得的要]?(?:得)?(?:再)?麻烦(?:你|您|你们)?(?:一下|下|了)?|(?:等.{0,2})?我?(?:现在)?(?:先|再)?(?:过去|去|到)?.{0,4}(?:看一?下|看看|试试|试一下|找找|找一下|问问)|"
    r"我?(?:比较|很|挺|真的|这边)?(?:急|着急|急着用|急着要|急用|赶时间|等着用)|(?:之前|以前|刚才|上次|昨天)的?(?:问题|那个|事情?)?|(?:查|看|弄|搞|好|处理)(?:到|好|完)?了?(?:没有?|吗|么)|"
    r"(?:帮我)?(?:查一?查|查一?下|看一?看)|.{0,6}(?:单号|编号)[:：]?[\W\d_a-z数字订单]*|"
    r"(?:真是?|简直|都是|净|你)?(?:瞎?扯淡|扯犊子|垃圾|骗子|无语|服了|醉了|呵呵+|气死我?|搞笑|胡扯|胡说)(?:你们)?|"
    r"[\W\d_a-z]{1,24}|.{2,6}类?咨询|.{2,8}[(（].{2,4}端[)）]|(?:请)?选择.{0,6}订单|(?:这|那)?是?我?的?(?:个|一个)?订单号?)[啊呀哦呢了吗的哈吧]*(?:亲+|亲爱的|妹子|小妹|美女)?",
    re.IGNORECASE,
)

_ASKS: Final = ("?", "？", "吗", "么", "嘛", "呢", "没有", "不", "吧")

_WANT: Final = re.compile(
    r"怎么|怎样|如何|咋|为什么|为啥|什么时候|何时|啥时候|多久|几天|几点|能不能|能否|可不可以|可以.*[吗么?？]|能.*[吗么]|是不是|有没有|是否|没有?收到|没到|没发|还没|不了|不能|不上|"
    r"坏|错|少发?|漏|破|裂|退|换|修|取消|投诉|催|发票|开票|降价|价保|保价|价格保护|差价|优惠|改|地址|物流|快递|到货|到账|质量|故障|保修|安装|哪里|哪个|哪儿|在哪|多少|"
    r"想|要求|帮|申请|查|咨询|补|需要|我要"
)

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

# Asks for something new; a confirmation of what the agent explained does not.
_NEW: Final = re.compile(
    r"怎么|怎样|如何|为什么|为啥|什么时候|何时|多久|几天|几点|能不能|能否|可不可以|可以.{0,20}[吗么]|能.{0,20}[吗么]|帮|申请|我要|我想|想要|需要|哪里|哪个|哪儿|在哪|多少|还有个?问题"
)

_FOLLOWS: Final = re.compile(r"^(?:好的?|那|不行|哦|嗯|噢|而且|所以|就是?|因为|然后|不是|是的|对|最后|收到)")

_PLACEHOLDER: Final = re.compile(r"\[[^\[\]]{1,12}\]")

_SEVERAL: Final = 3  # issues of a conversation at most

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
                elif topic is not None and topic not in topics and _asks_anew(said) and len(issues) < _SEVERAL:
                    if topics == {None}:  # the first one was only half of it
                        issues[0] = _with(issues[0], said, None)[:LONGEST]
                    else:
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


def _with(before: str, said: str, topic: str | None) -> str:
    """A question led by the sentence before it, which may say what it is about."""
    if before and said not in before and (topic is None or len(said) < _SHORT):
        return f"{before.rstrip('?？')}，{said}"
    return said
