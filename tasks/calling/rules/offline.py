"""A summary by rules, without any model: the embedded default and the floor that models are compared with.

It quotes and does not understand: the issue and the plan are sentences of the dialogue, acceptance and mood are read
off words. Irony, several issues in one conversation and anything said between the lines pass it by. Where the words
say nothing about acceptance it says 未明确.
"""

import re
from collections.abc import Sequence
from typing import Final

import orjson

from tasks.domain.records import Turn

OFFLINE_MODEL: Final = "offline-rules"

OFFLINE_VERSION: Final = "offline-v1"

_SENTENCE = re.compile(r"[^。！？!?~～；;\s]+[。！？!?~～；;]*")

_EDGE = " ，,。！!~～；;、…"

_LONGEST = 80

_WORTH_ADDING = 4

_QUESTION = re.compile(r"[?？]$|(?:吗|么|嘛|呢|没有|不)$")

# What opens a message without saying anything: greetings, calls for a person, placeholders, menu entries.
_OPENING = re.compile(
    r"^(?:(?:你好|您好|在吗|在么|在不在|在线吗|有人吗|有人在吗|有人|喂|哈喽|hello|hi|亲爱的|亲|我?想?请?问一下|我?想?请?问下|请问|"
    r"客服|人工客服|(?:我要|我想)?[转找]?人工(?:客服|服务)?|"
    r"\[[^\[\]]{1,12}\](?=[ ，,。！]|$)|早上好|上午好|下午好|晚上好|不好意思|打扰了)"
    r"[啊呀哦呢的]?[ ，,。！!?？~、:：]*)+",
    re.IGNORECASE,
)

_EMPTY_TALK = re.compile(
    r"(?:好+[的滴吧哒]?|嗯+|哦+|是的?|对的?|谢+|行|可以|没有了?|没了|不是|ok|在|[\W\d_a-z]{1,12}|.{2,6}类?咨询|.{2,8}[(（].{2,4}端[)）]|(?:请)?选择.{0,6}订单)?[啊呀哦呢了]*",
    re.IGNORECASE,
)

_WANT = re.compile(
    r"怎么|如何|为什么|为啥|什么时候|何时|多久|几天|能不能|能否|可不可以|可以.*[吗么?？]|是不是|有没有|没有?收到|没到|没发|不了|不能|不上|坏|错|少发?|漏|"
    r"破|裂|退|换|修|取消|投诉|催|发票|降价|价保|保价|差价|优惠|地址|物流|快递|到货|到账|质量|故障|保修|安装|哪里|哪个|多少|想|要求|帮"
)

_PROPOSAL = re.compile(
    r"建议|可以|为您|帮您|给您|替您|需要您|麻烦您|请您|您(?:先|再|可)|申请|退款|退货|换货|补发|补偿|赔|维修|重新|联系|预计|会在|小时|工作日|点击|"
    r"路径|操作|登记|反馈|催促|催一?下|安排|取消|拦截|开具|下载|转接|无法|不能|不支持|没有?办法|不可以|支持|免费|保修|发货|发出|送达|到账|承担|核实"
)

_DONE = re.compile(r"已经?(?:为|帮|给|替)?您?|建议|会(?:为|帮|给|在)|预计|无法|不能|不支持")

_ASKING = re.compile(
    r"(?:请问|还有|稍等|稍候|正在为您|马上为您|为您(?:查询|核实)|帮您(?:查询|查看|看)|评价|祝您|感谢|为您服务|高兴|您好|帮到|可以帮|提供.{0,6}(?:订单|单号))"
)

_REFUSAL = re.compile(
    r"不行|不接受|不同意|不可以|不用了|不要了|不想|不需要了|算了|不满意|不能接受|没用|解决不了|那我(?:退|投诉|不买)|(?:要|去|会|就)(?:投诉|举报|退货)|"
    r"12315|差评|凭什么|骗|不合理|太(?:慢|久|差|贵)|还是(?:不|没)|等不(?:了|及)"
)

_CONSENT = re.compile(
    r"好+(?:的|滴|哒|吧|嘞|了|呢|啊|呀)|^好+$|^嗯+|行[的吧啊]?$|^行|可以[的了啊]?$|^可以|谢|感谢|知道了|明白|了解了|懂了|收到|没问题|辛苦|同意|听你的|就这样|"
    r"^ok|好，|^好,|^那好|那就(?:这样|好|换|退|麻烦)|麻烦(?:你|您)了|解决了|弄好了|搞定"
)

_CONSENT_QUESTION = re.compile(r"(?:可以|行|好)(?:的)?(?:吗|么|不|嘛)|[?？]$")

_REFUSED_CONSENT = re.compile(r"(?:不|没|别|怎么|哪|才)(?:太|是|会|怎么|有|能)?$")

_ANGRY = re.compile(
    r"投诉|举报|差评|垃圾|骗|坑人|坑爹|太坑|气死|气人|无语|敷衍|忽悠|失望|恶心|受不了|烦死|烦人|太烦|搞什么|不负责|过分|耍我|耍人|差劲|火大|生气|愤怒|不满|"
    r"糟糕|奇葩|什么(?:破|鬼|态度|东西|玩意)|破(?:东西|玩意|平台)|凭什么|太(?:慢|差|过分|离谱|垃圾|让人)|离谱|12315|消协|消费者协会|工商局|妈的|tmd|傻|滚|"
    r"不讲理|推卸|踢皮球|再也不(?:买|来)|扯淡|扯犊子|要疯|眼瞎|从来没.{0,4}这么慢|没人管|浪费.{0,4}时间|态度(?:太|很|真)?(?:差|恶劣)|什么意思啊|欺负|欺骗|霸王",
    re.IGNORECASE,
)

_UNEASY = re.compile(
    r"怎么(?:还|又)|到底|还要(?:多久|等)|等了|都(?:几|[一二两三四五六七八九十\d]+)(?:天|个?小时|周|个?月)|急|一直(?:没|不)|又(?:坏|错|没)|"
    r"太久|每次都|总是|说好|郁闷|不合理|不满意|[!！]{2}|[?？]{3}|怎么回事"
)

_DENIED = re.compile(
    r"(?:(?<!是)不|没|没有|不会|(?<!是)不是|别|未|并非|不算|谈不上|不用|从不让人)(?:想|要|有|是|很|太|再|会|去)?$"
)

_REASSURED = re.compile(r"不(?:着|用)?急|不着急|别急")


def summarize_offline(turns: Sequence[Turn]) -> str:
    """The four-key JSON text that a trained model would answer.

    An issue or plan that was not found is left out; 是否接受 is 是, 否 or 未明确; 是否负面情绪 is 是 or 否.
    """
    answer: dict[str, str] = {}
    if issue := _issue(turns):
        answer["用户问题"] = issue
    plan, since = _plan(turns)
    if plan:
        answer["客服方案"] = plan
    answer["是否接受"] = _acceptance(turns[since:]) if plan else "未明确"
    answer["是否负面情绪"] = "是" if _is_negative(turns) else "否"
    return orjson.dumps(answer).decode()


def _issue(turns: Sequence[Turn]) -> str:
    """The user's first sentence that wants something, led by the one before it; else the first with content."""
    first = ""
    for turn in turns:
        if turn.role != "user":
            continue
        before = ""
        for sentence in _SENTENCE.findall(turn.text):
            said = _OPENING.sub("", sentence).strip(_EDGE)
            if len(said) < 3 or _EMPTY_TALK.fullmatch(said.rstrip("?？")):
                continue
            if _WANT.search(said):
                together = f"{before}，{said}" if before and before != said else said
                return together[:_LONGEST]
            first = first or said
            before = said
    return first[:_LONGEST]


def _plan(turns: Sequence[Turn]) -> tuple[str, int]:
    """The agent's two most substantial sentences, and the index of the turn after the first of them.

    Where nothing sounds like a proposal, the longest statement is what the agent had to say.
    """
    found: dict[str, tuple[int, int]] = {}
    statement, stated = "", 0
    for index, turn in enumerate(turns):
        if turn.role != "agent":
            continue
        for sentence in _SENTENCE.findall(turn.text):
            said = _OPENING.sub("", sentence).strip(_EDGE)
            asks = bool(_ASKING.search(sentence))
            score = _substance(said, asks)
            if score > 0:
                found.setdefault(said, (score, index))
            elif len(said) > max(len(statement), 3) and not (asks or _QUESTION.search(said)):
                statement, stated = said, index
    if not found:
        return statement[:_LONGEST], stated + 1 if statement else len(turns)
    best = sorted(found, key=lambda said: -found[said][0])
    first = best[0]
    second = next((said for said in best[1:] if said not in first and first not in said), "")
    if not second or found[second][0] < _WORTH_ADDING:
        return first[:_LONGEST], found[first][1] + 1
    both = [said for said in found if said in (first, second)]
    return "；".join(said[:_LONGEST] for said in both), found[both[0]][1] + 1


def _substance(said: str, asks: bool) -> int:
    """How much of a proposal an agent's sentence is; 0 for none. `asks`: it has the words of small talk."""
    if len(said) < 4:
        return 0
    score = 2 * min(len(set(_PROPOSAL.findall(said))), 3)
    if not score:
        return 0
    if _DONE.search(said):
        score += 2
    if len(said) >= 12:
        score += 1
    if _QUESTION.search(said):
        score -= 3
    if asks:
        score -= 4
    return max(score, 0)


def _acceptance(turns: Sequence[Turn]) -> str:
    """What the user's last telling words after the plan say of it."""
    for turn in reversed(turns):
        if turn.role != "user":
            continue
        for sentence in reversed(_SENTENCE.findall(turn.text)):
            said = sentence.strip(_EDGE)
            if _stands(_REFUSAL, said, _DENIED):
                return "否"
            if not _CONSENT_QUESTION.search(said) and _stands(_CONSENT, said, _REFUSED_CONSENT):
                return "是"
    return "未明确"


def _is_negative(turns: Sequence[Turn]) -> bool:
    """Whether the user complains: one strong word, or two signs of impatience, repetition among them."""
    signs: set[str] = set()
    said_before: set[str] = set()
    for turn in turns:
        if turn.role != "user":
            continue
        if _stands(_ANGRY, turn.text, _DENIED):
            return True
        if not _REASSURED.search(turn.text):
            signs.update(_UNEASY.findall(turn.text))
        if len(turn.text) >= 8 and "[" not in turn.text:
            if turn.text in said_before:
                signs.add("repetition")
            said_before.add(turn.text)
    return len(signs) >= 2


def _stands(words: re.Pattern[str], text: str, denial: re.Pattern[str]) -> bool:
    """Whether one of the words is there without a denial right in front of it."""
    return any(denial.search(text, max(found.start() - 4, 0), found.start()) is None for found in words.finditer(text))
