"""Acceptance and mood of a user, read off the words of a dialogue; None where the words give no sign."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from tasks.calling.rules.offline.sentences import EDGE, LONGEST_MESSAGE, remembered, sentences
from tasks.domain.pattern_signs import SignedPattern
from tasks.domain.records import Turn

_CLOSING: Final = re.compile(
    r"(?:还有|还需要|有没有|是否还有).{0,8}(?:其他|其它|别的|什么|问题|疑问)|可以(?:帮|为).{0,4}(?:到|您)|需要(?:帮|为|什么).{0,6}(?:助|您|么|吗)|评价|再见|祝您"
)

_WAIT: Final = re.compile(r"稍等|稍候|正在(?:为|帮)|(?:马上|这就).{0,4}(?:查|核实|看)")

_OFFERS: Final = re.compile(
    r"(?:为|帮|给|替)您?.{0,8}(?:申请|登记|反馈|催|安排|取消|提交|升级|补|退|改|拦截|开|办理|备注|延|换)|建议|可以|预计|尽快|会在|联系"
)

_NO_MORE: Final = re.compile(
    r"^(?:暂时|其他|目前)?(?:没有?了?|没啦|没|木有了?|没有?问题了?|不用了?|不需要了?|不用啦|无|没事了?|不了|可以了|好了)(?:吧|哦|啊|哈|呢|喔|的|啦)*(?:谢+|多谢|感谢|再见|[，,~～]|$)"
)

_REFUSAL: Final = re.compile(
    r"(?<![行还])不行(?!我|就|的话)|不接受|不同意|(?<!可)不可以(?!吗|么)|不用了|不要了|不想(?:要|等|换|退|再)|不需要了|不满意|不能接受|没用|解决不了|没(?:有)?解决|那我(?:退|投诉|不买)|"
    r"(?:要|去|会|就|我)(?:投诉|举报)|12315|差评|凭什么|骗|不合理|太(?:慢|久|差|贵)|还是(?:不|没)|等不(?:了|及)|那还是退|不认可|拒绝|没道理|什么速度|敷衍|推卸"
)

_GIVES_UP: Final = re.compile(r"算了|那不(?:要|买|换|退|改)了?")

_CONSENT: Final = re.compile(
    r"(?<!好)好+(?:的|滴|哒|吧|嘞|了|呢|啊|呀|哦|哈|嗒)|^好+$|^嗯+|^恩+|行[的吧啊]?$|^行(?!不|吗)|可以[的了啊呀]?$|^可以|知道了|知道[。，,]|明白|了解了?$|懂了|收到|没问题|同意|听你的|就这样|"
    r"^ok|好，|^好,|^那好|那就(?:这样|好|换|退|麻烦|等|先)|麻烦(?:你|您)?了|解决了|弄好了|搞定|可以用了|申请了$|"
    r"[👌👍🆗]|\[(?:ok|赞|强|好的?)\]|^哦了|^妥|^得嘞|^成[吧的，,。]|阔以|要得|^hao ?de|^[嗯恩][呢哼]|"
    r"试(?:试|一下)|我等等|那我(?:就)?等|抓紧|"
    r"(?:配|点|绑|填|弄|装|传|下|续|找|连|登|改|换|提交|申请|重置)(?:上|好|到|成功)了?$|成功了?$|^完美|^棒|快多了$|只(?:能|好)这样",
    re.IGNORECASE,
)

_THANKS: Final = re.compile(r"谢|感谢|辛苦|thank", re.IGNORECASE)

_ACKNOWLEDGED: Final = re.compile(r"^(?:哦|噢|喔|啊|额|呃)+[哦的好]?$")

_QUESTION: Final = re.compile(r"(?:可以|行|好)(?:的)?(?:吗|么|不|嘛)|[?？]$|(?:吗|么)$")

_REFUSED_CONSENT: Final = re.compile(r"(?:不|没|别|怎么|哪|才|能)(?:太|是|会|怎么|有|能)?$")

_ANGRY: Final = re.compile(
    r"投诉|举报|差评|垃圾|骗|坑人|坑爹|太坑|真坑|巨坑|气死|气人|无语|敷衍|忽悠|失望|恶心|受不了|烦死|烦人|太烦|搞什么|搞毛|不负责|过分|耍我|耍人|玩我|差劲|火大|生气|愤怒|不满(?![\d\[一二三四五六七八九十百足])|你们.{0,8}根本|"
    r"糟糕|奇葩|什么(?:破|鬼|态度|东西|玩意|烂|垃圾|服务|速度|质量|破烂)|破(?:东西|玩意|平台|服务|公司|网|软件)|凭什么|太(?:慢|差|过分|离谱|垃圾|让人|烂|气|黑)|离谱|12315|消协|消费者协会|工商局|工信部|妈的|妈蛋|他妈|尼玛|你妹|特么|"
    r"tmd|\btm\b|\bsb\b|我操(?!作)|操你|操蛋|我靠|卧槽|我擦|傻|滚|王八|混蛋|流氓|强盗|黑心|无耻|无良|不要脸|不讲理|推卸|推来推去|推诿|踢皮球|再也不(?:买|来|用|会)|扯淡|扯犊子|要疯|疯了|眼瞎|从来没.{0,4}这么慢|没人(?:管|理|接|处理|回)|浪费.{0,4}(?:时间|钱)|"
    r"态度(?:太|很|真|真的|极|极其|非常|及其|这么|那么|有点|好|比较|如此|实在|特别|十分)?(?:差|恶劣|不好|不行)|什么意思啊|欺负|欺骗|欺诈|霸王|乱(?:扣|收)|偷(?:扣|跑)|吃(?:相|人)|抓狂|崩溃|郁闷|伤不起|坑死|慢死|卡死|急死|累死|烂透|烂得|给跪|呵呵|服了|醉了|寒心|心寒|后悔|说话不算|言而无信|出尔反尔|虚假|太不|"
    r"每个小时追|[😡😠🤬😤😒🙄😭👎]|\[(?:怒|抓狂|鄙视|衰|怒骂|黑线|弱|泪|伤心|生病|委屈|失望|哼|左哼哼|右哼哼|吐|悲伤|白眼|骷髅|大骂|发怒|流泪|快哭了|撇嘴|打脸|崩溃|悲催|无语)\]",
    re.IGNORECASE,
)

# Of a mood, too, but no refusal of what the agent proposes.
_SORE: Final = re.compile(
    r"头大|(?:真|很|太|让人|令人)头疼|闹心|糟心|心累|堵心|我(?:也)?(?:是)?(?:真)?晕|晕死|花儿?都谢|没(?:啥|什么|个)?用[啊呀!！]|有(?:啥|什么|个|毛)(?:鸟|屁|卵)?用|鸟用|没帮(?:到|上|我)|影响.{0,3}(?:很|太)?不好|没(?:有)?诚信|"
    r"不像话|悲催|第一次(?:遇|碰|见)[到见]?(?:这样|这种)的?(?:情况|事|服务|问题|客服|店|商家)|搞错(?:没有|吧)|有没有搞错|换(?:其他|其它|别的|别家)(?:品牌|家|平台|店)|不敢(?:再)?买|搞得我|什么(?:逻辑|规矩|玩法)|"
    r"随便(?:降价|涨价|取消|改|扣)|等不起|耽误(?:我|事|时间)|不了了之|一拖再拖|拖(?:了|到)?(?:这么|那么)久|没(?:有)?信用|不讲信用|糊弄|应付(?:我|人)|打发我|耍赖|"
    r"摆设|打发|叫花子|瞎话|糊涂|乱七八糟|一塌糊涂|合着|倒霉|没.{0,3}道理|踢.{0,3}球|皮球|活人|一问三不知|这破|坑[了人我爹]|违约的|打死(?:也|都)不|"
    r"(?:通管|邮管|邮政|监管|信访|物价|质监|市场监督)局|银监|银保监|保监|工商|消保|媒体|律师|法院|起诉|曝光|黑猫|123(?:00|05|15|28|45)|打假|仲裁"
)

# Two of these are a complaint.
_UNEASY: Final = re.compile(
    r"怎么(?:还|又|这么|一直|老是|就没)|到底|究竟|还要(?:等|几天)|等了|都(?:快|已经)?(?:过了?)?(?:几|好几|[一二两三四五六七八九十\d]+|\[\w+\])(?:多)?(?:天|号|个?小时|周|个?月|点)|这都|又(?:是|要)?[^，。\s]{0,3}天|"
    r"一直(?:没|不|在|显示)|又(?:坏|错|没|断|出)|太久|[这那怎]么久|好久(?!不见)|每次都|总是|老是|说好|明明|根本|居然|竟然|不合理|不满意|[!！]{2}|[?？]{3}|怎么回事|什么情况|"
    r"为什么(?:还|不|没|这么|那么|拒绝)|咋(?:还|这么)|用不了|打不通|占线|没(?:信号|反应)|掉线|我都|难道|非要|不要告诉我|也太|麻烦死|白(?:跑|等|花)|骚扰|难受|很难看|还不(?:发|派|送|退|处理|给|来)"
)

# Likewise, but they don't unsettle what was accepted.
_URGING: Final = re.compile(
    r"到(?:现在|今天|目前|这会儿?).{0,6}(?:没|还|不)|连.{1,8}(?:都|也)(?:没|不)|仍(?:然|旧)?(?:不|没|未)|无人(?:接|管|理|处理|回)|你还(?:让|叫|给|说)|(?:上次|之前|昨天|早就).{0,12}(?:就说|就联系|就答应|就反映)|"
    r"(?:要|还)不要这样|也该|赶紧(?:的|给|安排|处理|发|退|送)"
)

# What a complaint is made of wherever people complain: how long and how often, without a word, demands.
_REPROACH: Final = re.compile(
    r"(?:[两二三四五六七八九十几好半多\d]|\[数字x?\])个?多?(?:天|小时|钟头|星期|周|月|晚上|下午|上午|早上)(?:了|都|没|还|也)|"
    r"第[三四五六七八九十\d]+[次回天遍趟]|[三四五六七八九十百\d](?:[次遍回趟]|个(?:电话|窗口|客服|部门))(?:了|都|[，,。！!]|$)|回回|又又|[两三四五六七八九十]个?(?:人|部门).{0,4}(?:都|每)|"
    r"到现在|好不容易|半夜|(?:说得|承诺|保证|拍胸脯).{0,8}[，,].{0,12}(?:现在|结果|却|又)|莫名|突然|无缘无故|凭空|擅自|私自|说(?:封|扣|停|断|取消|清零|涨|没|改)就|也不(?:通知|说|提前|告|给|接|回)|没(?:有)?(?:人(?:管|理|回|接|来)|说法|下文|动静|通知|音讯)|"
    r"给我(?:赔|解决|恢复|个?说法|一个)|必须(?:给|退|赔|今天|马上|解决)|退钱|退费|赔钱|我不管|我不认|给?个?(?:说法|交代)|"
    r"折腾|跑了.{0,3}[趟次]|请了?.{0,3}假|害(?:我|得)|受够|没完|放我?鸽子|"
    r"哪有|谁(?:看得|吃得|受得|敢|还)|干嘛[?？]|你们(?:这|就|还|自己|知道|一句|管|到底|也)|"
    r"还要我|还(?:得|让)我|又(?:要|让|叫)我|还(?:扣|收)(?:我|了)|才(?:几|一)天就|下次(?:不|再也|打死)|(?<!什么)毛病[吧吗了]"
)

# Four of these are.
_RESTLESS: Final = re.compile(
    r"急|快点|催|还(?:没|未)(?:有)?(?:发|到|送|给|处理|解决|退|动|收|派|回|充|更新|见)|还要多久|人呢|好几(?:次|天|遍)|[三四五六七八九]次|没有?解决|搞不(?:懂|明白|定)|没人|错了|真是"
)

_DENIED: Final = re.compile(
    r"(?:(?<![是这])不|没|没有|不会|(?<!是)不是|别|未|并非|不算|谈不上|不用|从不让人)(?:想|要|有|是|很|太|再|会|去)?$"
)

_REASSURED: Final = re.compile(r"不(?:着|用|太)?急|不着急|别急|着急用$|加急|紧急")

_ABOUT: Final = re.compile(r"(?:如何|怎么|怎样|能不能|可以)(?:才能)?(?:投诉|举报)|投诉(?:电话|渠道|流程|入口|单)")

_POLITE: Final = re.compile(
    r"请问|你好|您好|麻烦|劳驾|请教|方便|不好意思|打扰|拜托|能(?:不能)?帮|可以(?:吗|么)|[呀哦哈呢嘛哒]$|嘻|哈哈|^(?:在吗|亲)|搞定|好了$|[可能行]了$|[😊😄😁😀🙏🌹]",
)

# What the agent says over and over, and the user after them.
_TWICE: Final = re.compile(r"([\u4e00-\u9fff]{2,3})[，,]?\1")

_ASKS_OR_TELLS: Final = re.compile(r"[吗么啥咋谁?？\d\[]|怎[么样]|什么|多久|哪|^[没无不]|希望|差不多")

_IS_POLITE: Final = SignedPattern(_POLITE)

_IS_UNEASY: Final = SignedPattern(_UNEASY)

_IS_ANGRY: Final = SignedPattern(_ANGRY)

_IS_SORE: Final = SignedPattern(_SORE)

_REFUSES: Final = SignedPattern(_REFUSAL)

_CONSENTS: Final = SignedPattern(_CONSENT)

_REPEATED: Final = 8  # characters of a message that says something when it comes again

_ANY_WORDS: Final = 4  # characters; a greeting alone tells nothing

_SIGNS: Final = 2

_BRIEF: Final = 3  # messages of a user who wrote only to complain: one sign will do


class _Message(NamedTuple):
    """A message of the user's, without their questions about how to complain, and the signs of a mood in it."""

    text: str
    is_angry: bool
    uneasy: Sequence[str]
    restless: Sequence[str]
    said_twice: str
    is_calm: bool


def acceptance_of(turns: Sequence[Turn], since: int) -> bool | None:
    """The user's acceptance by their words from turn `since` on. The last clear sign counts; thanks alone accept."""
    plan = turns[since - 1].text if since else ""
    verdict: bool | None = None
    gave_up = False
    signs: set[str] = set()
    for said, before in _said_after(turns, since):
        kind = _kind_of(said)
        if _closes(before) and _NO_MORE.match(said):
            verdict = True if verdict is None and not (gave_up or signs) else verdict
        elif kind == "refuses":
            verdict, gave_up = False, False
        elif kind == "gives up":
            verdict, gave_up = None, True
        elif kind == "is angry":
            verdict = False
        elif kind == "consents":
            renewed = _offers(before)
            offered = renewed or before is plan or not _WAIT.search(before)
            if (verdict is not False and not gave_up and offered) or renewed:
                verdict, gave_up = True, False
                signs.clear()
        elif kind == "thanks":
            verdict = True if verdict is None and not (gave_up or signs) else verdict
        elif not kind:
            signs.update(_uneasy_words(said))
    if gave_up:
        return False if verdict is None and not _ended_kindly(turns) else None
    if verdict is None and len(signs) >= _SIGNS:
        return False
    return verdict


def mood_of(turns: Sequence[Turn]) -> bool | None:
    """The user's mood: one strong word or several impatient ones are a complaint; None for few or no words."""
    uneasy: set[str] = set()
    restless: set[str] = set()
    said_before: set[str] = set()
    calm = False
    heard = ""
    for turn in turns:
        if turn.role != "user":
            heard = turn.text[:LONGEST_MESSAGE]
            continue
        message = _message(turn.text[:LONGEST_MESSAGE])
        if message.is_angry:
            return True
        uneasy.update(message.uneasy)
        restless.update(message.restless)
        text = message.text
        if len(text) >= _REPEATED and "[" not in text:
            if text in said_before:
                restless.add("repetition")
            said_before.add(text)
        if message.said_twice and message.said_twice in heard:
            return True  # 核实核实，就会核实
        calm |= message.is_calm
    signs = len(uneasy) + len(restless) / 2 + talks_back(turns)
    brief = sum(turn.role == "user" for turn in turns) <= _BRIEF
    if signs >= _SIGNS or (uneasy and brief and not calm):
        return True
    if signs >= 1 and not _ended_kindly(turns):
        return None
    return False if calm else None


def talks_back(turns: Sequence[Turn]) -> bool:
    """Return true where the user's last word on the agent's answer neither takes it, nor asks or tells anything."""
    last = max((index for index, turn in enumerate(turns) if turn.role == "user"), default=0)
    text = turns[last].text[:LONGEST_MESSAGE] if turns else ""
    answers = any(turn.role == "agent" for turn in turns[:last])
    return answers and len(text) >= _REPEATED and _is_mere_talk(text)


@remembered
def _kind_of(said: str) -> str:
    """Return the first clear sign in a sentence of the user's; "" where there is none."""
    asks = _QUESTION.search(said) is not None
    if not asks and _stands(_REFUSES, said, _DENIED):
        return "refuses"
    if _GIVES_UP.search(said):
        return "gives up"
    if _stands(_IS_ANGRY, said, _DENIED):
        return "is angry"
    if not asks and _stands(_CONSENTS, said, _REFUSED_CONSENT):
        return "consents"
    if _THANKS.search(said):
        return "thanks"
    return "acknowledges" if _ACKNOWLEDGED.match(said) else ""


@remembered
def _uneasy_words(said: str) -> Sequence[str]:
    return _IS_UNEASY.findall(said)


@remembered
def _closes(heard: str) -> bool:
    """Return true for an agent's message that asks for more questions or says goodbye."""
    return _CLOSING.search(heard) is not None


@remembered
def _offers(heard: str) -> bool:
    return _OFFERS.search(heard) is not None


@remembered
def _message(said: str) -> _Message:
    text = _ABOUT.sub("", said)
    if _stands(_IS_ANGRY, text, _DENIED) or _stands(_IS_SORE, text, _DENIED):
        return _Message(text, True, (), (), "", False)
    uneasy: Sequence[str] = ()
    restless: Sequence[str] = ()
    if not _REASSURED.search(text):
        uneasy = _apart(text, (_IS_UNEASY, _URGING, _REPROACH))
        restless = [word for word in _RESTLESS.findall(text) if not any(word in sign for sign in uneasy)]
    twice = _TWICE.search(text)
    polite = len(text) >= _ANY_WORDS and _IS_POLITE.search(text) is not None
    calm = polite or _THANKS.search(text) is not None or _stands(_CONSENTS, text, _REFUSED_CONSENT)
    return _Message(text, False, uneasy, restless, twice[1] if twice else "", calm)


@remembered
def _is_mere_talk(text: str) -> bool:
    return not any(pattern.search(text) for pattern in (_THANKS, _CONSENTS, _IS_POLITE, _ASKS_OR_TELLS))


def _apart(text: str, signs: Iterable[SignedPattern | re.Pattern[str]]) -> list[str]:
    """The signs in a text that don't overlap: 又过了两天还没 is one."""
    found = sorted(
        (match.span() for sign in signs for match in sign.finditer(text)), key=lambda span: (span[0], -span[1])
    )
    apart: list[str] = []
    end = 0
    for start, stop in found:
        if start >= end:
            apart.append(text[start:stop])
            end = stop
    return apart


def _said_after(turns: Sequence[Turn], since: int) -> Iterator[tuple[str, str]]:
    """The user's sentences from a turn on, each with the agent's message before it."""
    before = turns[since - 1].text if 0 < since <= len(turns) else ""
    for turn in turns[since:]:
        if turn.role != "user":
            before = turn.text
            continue
        for sentence in sentences(turn.text):
            yield sentence.strip(EDGE), before


def _ended_kindly(turns: Sequence[Turn]) -> bool:
    return _is_kind(next((turn.text for turn in reversed(turns) if turn.role == "user"), ""))


@remembered
def _is_kind(last: str) -> bool:
    return bool(_THANKS.search(last) or _CONSENTS.search(last)) and not _QUESTION.search(last)


def _stands(words: SignedPattern, text: str, denial: re.Pattern[str]) -> bool:
    """Return true if one of the words occurs without a denial right in front of it."""
    return any(denial.search(text, max(found.start() - 4, 0), found.start()) is None for found in words.finditer(text))
