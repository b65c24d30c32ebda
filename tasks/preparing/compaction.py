"""Shorter dialogues with the same meaning: boilerplate that a model need not read goes before it is paid for.

What a user says in their own words always stays; of a user's messages only the cards go that the shop's page put
there. Of an agent's messages whole clauses go, where a clause is nothing but boilerplate (`AGENT_RULES`), and so do
sentences that the agent has said before. A clause that a user may answer ("请稍等", "还有其他问题吗？") leaves a short
form behind, so that the "好的" after it is not taken for an answer to something else. No side is ever left silent.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import Final, NamedTuple

from tasks.domain.entities import open_entities
from tasks.domain.pattern_signs import SignedPattern
from tasks.domain.records import Turn
from tasks.domain.sign_table import EDGE, SignTable


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of boilerplate: `pattern` must match a whole clause, which becomes `short`.

    `why` gives the reason why it is dispensable, for people who read or extend the table.
    """

    name: str
    why: str
    pattern: str
    short: str = ""


_FILLER = (
    r"(?:亲爱的|亲|您好|你好|好的|嗯|哦|那|这边|这里|我|小妹|妹子|妹纸|小二|客服|先|还|也|再|就|请|麻烦|辛苦|劳烦)*"
)

_PARTICLE = r"(?:哦|哟|呢|哈|呀|啊|啦|喔|哒|的|吧|了|噢|亲|您|谢谢)*"

AGENT_RULES: Final = (
    Rule(
        "vocative",
        "names nobody",
        r"亲爱[的哒](?:顾客|客户|用户|会员)?|亲+|(?:尊敬的)?(?:顾客|客户|会员)(?:您好)?",
    ),
    Rule(
        "greeting",
        "opens every conversation, and asks nothing that the user would not say anyway",
        r"(?:您好|你好|在的|在呢|在|欢迎(?:光临|咨询).{0,12}|.{0,16}(?:很|非常)?高兴(?:能)?为您服务|.{0,12}竭诚为您服务|"
        r".{0,4}请问?有?什么(?:问题)?.{0,6}(?:可以|能|需要).{0,4}(?:帮|为)(?:到|助|您|你).{0,8}|有什么(?:问题|事情).{0,12}(?:处理|解决|帮).{0,6})",
    ),
    Rule(
        "anything else",
        "the same question at every end; users answer it with 没有了",
        r".{0,6}(?:请问|您看|看看)?.{0,4}(?:还有|有没有|是否还有|还需要).{0,6}(?:其他|其它|别的|什么).{0,12}(?:帮|为您|服务|效劳|咨询|处理).{0,8}",
        "还有其他问题吗？",
    ),
    Rule(
        "wait",
        "says that an answer will come; users acknowledge it with 好的",
        r"(?:您|请|稍|耐心)*(?:稍等|稍候|等待|等)(?:一下|片刻|一会儿?|会儿?|下)?(?:.{0,4}分钟)?",
        "请稍等",
    ),
    Rule(
        "looking",
        "says that the agent is looking, not what was found",
        r"(?:马上|正在|立即|立刻)(?:为|帮|给)您(?:.{0,3})(?:查询|核实|查看|处理|看)(?:.{0,3}(?:一下|下|中|处理))?",
    ),
    Rule(
        "rating request",
        "asks for a grade; users acknowledge it with 好的",
        r".{0,24}(?:评价|好评|打分|五星|满意度|点亮|打赏).{0,20}|.{0,6}点击.{0,14}(?:“\+”|\+|小红心|心形|笑脸).{0,6}",
        "请评价",
    ),
    Rule(
        "closing",
        "thanks, apologies for nothing in particular and good wishes",
        r"(?:感谢|谢谢)您?(?:对.{1,10}的|的)?(?:支持|理解|光临|惠顾|咨询|信任|配合|耐心等待)?(?:和(?:支持|理解|信任))?|"
        r"祝.{1,20}(?:愉快|开心|快乐|幸福|如意|顺利|发财|多多|生意兴隆)|再见|拜拜|么么哒|.{0,4}期待.{0,6}再次.{0,8}|"
        r"(?:您)?(?:太)?(?:不客气|别客气|不用谢|客气)|.{0,6}(?:应该做|分内之事|分内的事).{0,2}|"
        r".{0,6}(?:很|也|真)?(?:高兴|荣幸).{0,4}(?:遇到|帮).{2,24}|怠慢.{0,14}|.{0,4}多多包[含涵]",
    ),
)

_AGENT_CLAUSE = SignedPattern(
    re.compile("|".join(f"(?P<r{i}>{_FILLER}(?:{rule.pattern}){_PARTICLE})" for i, rule in enumerate(AGENT_RULES)))
)

# Words that make a clause worth keeping whatever it looks like: something was found, promised, refused or asked for.
_SUBSTANCE = re.compile(
    r"\d|退|换|赔|补|发货|订单|快递|物流|地址|发票|密码|账号|链接|截图|照片|电话|不能|无法|不支持|抱歉|"
    r"核实到|已经?(?:为|帮|给)|建议|申请|预计|到账|取消"
)

_LONGEST_BOILERPLATE = 48

_SHORTEST_REPEAT = 8

_REMEMBERED_CHARACTERS: Final = 128

_REMEMBERED_TEXTS: Final = 1 << 12

_CLAUSES = re.compile(r"[^，,。！？!?~～；;\s]+[，,。！？!?~～；;\s]*|[，,。！？!?~～；;\s]+")

_COMMAS = "，,"

_ENDS = "，,。！？!?~～；; "

# Faces such as (>^ω^<), ^_^ and ∩_∩: never words, digits or Chinese inside.
_FACE = re.compile(r"[(（]?[>≧^*~]{0,6}[\^∩￣≧>][_ω▽.oO￣]{1,3}[\^∩￣≦<][<≦^*~]{0,6}[)）/]{0,6}|O\(∩_∩\)O[~/]{0,6}")

_FACE_SIGNS = re.compile(r"[\^∩￣≧]")

_VALUE = r"(?:\[[^\[\]]{0,40}\]|NaN(?:[-:]NaN)*|[A-Za-z0-9.:/￥¥-]{1,40})"

_LABEL = r"(?:(?:咨询|查询)?(?:订单编号|订单号|商品ID|商品编号|商品编码|订单金额|下单时间))"

_CLOCK = r"(?:\[[^\[\]]{0,40}\]|NaN(?::NaN)*|\d{1,2}:[\d:]{2,5})"

_CARD = SignedPattern(
    re.compile(
        rf"\[?{_LABEL}[:：] ?(?:{_VALUE}(?: {_CLOCK})?)?"
        rf"(?:[，,;； ]{{0,6}}{_LABEL}[:：] ?(?:{_VALUE}(?: {_CLOCK})?)?)+(?: ?\])?"
    )
)

_CARD_SHORT = "[订单卡片]"

_CARDS = re.compile(r"\[订单卡片\](?:[ ，,]*\[订单卡片\])+")

# Only the page's own words stand between: whatever else a user types there is theirs.
_CLICKED = re.compile(
    r"^顾客通过点击(?:[A-Za-z]{1,8}+|网页|移动端|客户端|小程序|咚咚|在线|咨询|客服|商品|店铺|订单|详情|页面?|链接|卡片|入口|"
    r"按钮|图标|聊天|窗口|[的中上里“”\"]|\[[\u4e00-\u9fff]{2}x\]){1,8}信息发送[:：] ?"
)

_UNTIDY = re.compile(
    r"[\x00-\x1f\x7f-\xa0\xad\u1680\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff\ud800-\udfff&\\]"
)

_LITERAL_BREAK = re.compile(r"\\[nrt]")

_INVISIBLE = re.compile(
    r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\xad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)


def add_signs_of_untidy(table: SignTable) -> int:
    """Add bits to a table, and return them together: a text without any of them is `tidy`."""
    blank = frozenset(" ")
    edge = frozenset(EDGE)
    return table.add_set(_UNTIDY) | table.add([(blank, blank), (edge, blank), (blank, edge)])


def tidy(text: str) -> str:
    """The text as one line that any encoding takes.

    HTML entities are opened, written-out and real line breaks and runs of blanks become one space, invisible and
    control characters and lone surrogates go.
    """
    if "  " not in text and text == text.strip(" ") and _UNTIDY.search(text) is None:
        return text
    if "&" in text:
        text = open_entities(text)
    if "\\" in text:
        text = _LITERAL_BREAK.sub(" ", text)
    return " ".join(_INVISIBLE.sub("", text).split())


def compact(turns: tuple[Turn, ...]) -> tuple[Turn, ...]:
    """The turns without boilerplate, those left empty gone; a side that has spoken keeps at least one turn.

    The texts are expected to be tidy.
    """
    said: set[str] = set()
    texts = [_compact_user(turn.text) if turn.role == "user" else _compact_agent(turn.text, said) for turn in turns]
    if not all(texts):
        for role in ("user", "agent"):
            side = [i for i, turn in enumerate(turns) if turn.role == role]
            if side and not any(texts[i] for i in side):
                longest = max(side, key=lambda i: len(turns[i].text))
                texts[longest] = turns[longest].text
    return tuple(
        [
            turn if text == turn.text else Turn(turn.role, text, turn.time)
            for turn, text in zip(turns, texts, strict=True)
            if text
        ]
    )


def _compact_user(text: str) -> str:
    if "信息发送" in text:
        text = _CLICKED.sub("", text)
    if "单" in text or "商品" in text:
        shorter = _CARD.sub(_CARD_SHORT, text)
        if shorter is not text:
            text = _CARDS.sub(_CARD_SHORT, shorter).strip()
    return text


def _compact_agent(text: str, said: set[str]) -> str:
    """The text without boilerplate clauses and without sentences in `said`, which takes in the new ones."""
    parted = _remembered(text) if len(text) <= _REMEMBERED_CHARACTERS else _parted(text)
    if said.isdisjoint(parted.repeatable):
        said |= parted.keys
        return parted.text
    kept = []
    for sentence, key, is_long in parted.sentences:
        if not (is_long and key in said):
            said.add(key)
            kept.append(sentence)
    return _joined([*kept, parted.rest])


class _Parted(NamedTuple):
    """An agent's message in sentences, each with the key by which it is known when it comes again.

    `text` is what is left of it where none came before. Only long sentences go when they come again: `repeatable` are
    their keys.
    """

    text: str
    sentences: tuple[tuple[str, str, bool], ...]
    rest: str
    keys: frozenset[str]
    repeatable: frozenset[str]


def _parted(text: str) -> _Parted:
    if _FACE_SIGNS.search(text):
        text = " ".join(_FACE.sub(" ", text).split())
    sentences: list[tuple[str, str, bool]] = []
    keys: set[str] = set()
    repeatable: set[str] = set()
    sentence = ""
    changed = False
    for piece in _CLAUSES.findall(text):
        short = _short_form(piece)
        if short is None:
            sentence += piece
        else:
            changed = True
            if short:
                sentence += short + " "
        if piece[-1] in _COMMAS or not sentence:
            continue
        key = sentence.rstrip(_ENDS)
        is_long = len(sentence) >= _SHORTEST_REPEAT
        if is_long and key in keys:
            changed = True
        else:
            keys.add(key)
            sentences.append((sentence, key, is_long))
        if is_long:
            repeatable.add(key)
        sentence = ""
    left = _joined([*(said for said, _, _ in sentences), sentence]) if changed else text
    return _Parted(left, tuple(sentences), sentence, frozenset(keys), frozenset(repeatable))


# What agents say comes from a stock of phrases, and whole messages come again.
_remembered = lru_cache(maxsize=_REMEMBERED_TEXTS)(_parted)


def _joined(sentences: Iterable[str]) -> str:
    return " ".join(word for word, _ in groupby("".join(sentences).strip(_COMMAS + " ").split()))


@lru_cache(maxsize=1 << 15)
def _short_form(piece: str) -> str | None:
    """The replacement of a boilerplate clause, punctuation included; None for a clause with content.

    Remembered, since agents' clauses come from a stock of phrases.
    """
    clause = piece.rstrip(_ENDS)
    if not clause or len(clause) > _LONGEST_BOILERPLATE:
        return None
    found = _AGENT_CLAUSE.fullmatch(clause)
    if found is None or found.lastgroup is None:
        return None
    rule = AGENT_RULES[int(found.lastgroup[1:])]
    if rule.name not in ("vocative", "looking", "wait") and _SUBSTANCE.search(clause):
        return None
    return rule.short
