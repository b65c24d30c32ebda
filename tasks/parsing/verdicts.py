"""Read a sentence on acceptance or mood as true, false, or null, as a careful human would.

A value is a word (`是`, `No`), a sentence, or both (`否，用户坚持退款`). A sentence is cut into clauses, a clause
into the words of a lexicon (verdicts.toml), and read from left to right:

- A negation turns the next verdict around, two do not (并非不接受). It reaches over bridges (没有表现出不满), over
  what a preposition brings (没有因为快递慢而生气) and along a list (没有愤怒、不满等情绪), and ends at an event that it
  denies: 没收到货很生气 is anger. A word that the lexicon does not know leaves open which of the two it is, and so
  the verdict behind it is null, never the opposite. Words that only look like negations (非常, 不得不) are listed.
- A denial behind the verdict (负面情绪不明显) turns it around, too, and for the mood a denial of nothing in particular
  (没有表现出来, 几乎没有) is one of it. A bare negation that ends a verdict's clause asks about it (接受了没有), and a
  low degree (负面情绪程度低) unsettles it.
- A hedge (可能, 未明确), a question (是否) or a condition (如果) leaves a verdict unsettled; so does a negation of its
  extent (没有完全接受, not fully accepted).
- What the agent accepts, refuses or feels says nothing of the user, nor does the mood of a third person; nor does what
  the agent asks the user to do.
- A product, title or illness called after a mood is none; what somebody had reason for (有发火的理由) is left open.

Where humans would argue, this is the rule:

- Acceptance: people change their minds, so what they settle on last counts (起初拒绝，最后同意了; 从不接受到接受).
  Grudging and broad acceptance (勉强, 无奈, 基本) is acceptance; partial acceptance (部分接受; 接受退货，但拒绝付运费)
  is null, and so are neither accepting nor refusing, and not yet (尚未接受). Not refusing is accepting. Doing what the
  agent proposed (已按指引操作, 选择了换货) and gestures (耐心等待, 坚持退款) count where nothing plainer is said,
  thanks where there is nothing else; that it is not clear (感谢，但未明确是否接受) is plainer.
- Negative sentiment: shown once is shown, however the conversation ended (开始有些着急，最后表示感谢 is true).
- A leading 是 or 否 that its own explanation contradicts is null; partial acceptance contradicts both.
- A number is a verdict only as 0 or 1: the scale of 0.9 or 8/10 is not known, but for content (满意度 2/5).
- Several words (是，否) are those of several issues: accepted is what all say, negative sentiment what one says.
"""

import re
import unicodedata
from typing import Final

from tasks.domain.traditional import simplified
from tasks.parsing.clauses import Claim, claims_of
from tasks.parsing.lexicon import Lexicon, read_lexicon
from tasks.parsing.no_mood import is_any, names_no_mood
from tasks.parsing.several import labeled_parts, listed_parts, numbered_parts
from tasks.parsing.unsaid import hangs_on_more, with_condition, with_doubt

_YES_WORDS: Final = "是 是的 真 对 对的 正确 有 有的 存在 算是 yes y true t 1 1.0 100% √ ✓ ✔ ✅ ⭕ ○ ◯"

_NO_WORDS: Final = "否 非 假 错 错误 不 不是 不是的 没有 没 不存在 no n false f 0 0.0 0% × ✗ ✘ ❌"

_WORDS: Final = {**dict.fromkeys(_YES_WORDS.split(), True), **dict.fromkeys(_NO_WORDS.split(), False)}

_LEADS: Final = frozenset(word[0] for word in (*_WORDS, "无"))

# Words that name a mood, or that there is none, alone.
_MOOD_WORDS: Final = {
    **dict.fromkeys(["负", "neg"], True),
    **dict.fromkeys(["正", "中", "pos", "neu", "无", "none", "nil", "没有情绪", "无情绪"], False),
}

_ANSWER: Final = "|".join(sorted(map(re.escape, {*_WORDS, "无"}), key=len, reverse=True))

# 无/平静 and 无、平和, but 否/未明确 leaves it open.
_LEAD: Final = re.compile(
    rf"(?!n[./]a)({_ANSWER})(?:[,.。;!:()\]】|—-](?:(?!\d)|(?<=[^\d].))"
    r"|(?<=[是的否有无没])[/、](?!\d|未|无法|不确定|不明|难以|是|否|有|无|没|部分))"
)

# A verdict parted by a blank only; two characters behind it, for 是 否 may be a word written with blanks.
_BLANK_LEAD: Final = re.compile(r"(是的?|否|对的?|yes|true|false|[yn10]) (?=[^\sa-z]{2})")

_NUMBER: Final = re.compile(r"[-+]?\d+(?:\.\d+)?(?:\s?/\s?\d+|\s?%|分)?")

# A choice's letter or number before its text: A. 是, (1) 否, 1、有.
_CHOICE: Final = re.compile(rf"\(?(?:[a-d]|\d{{1,2}})[.、)](?!\d) ?(?=\S)|[a-d] ?\( ?(?=(?:{_ANSWER}) ?\)\W*$)")

_CHOOSES: Final = frozenset("(abcd-+0123456789")

# A name that says nothing of the field, before its value.
_NAMED: Final = re.compile(
    r"(?:判断|判定|判别|结论|答案|结果|回答|回复|答|值|取值|选项|状态|标签|标注|分类|类别|输出|识别|最终|answer|result|verdict|label|value|output)"
    r"(?:结果|结论|答案|为|是)?:"
)

# The field's name, when a bare verdict follows; in front of a sentence it is a verdict itself: 【情绪激动】用户催促.
_BRACKETED: Final = re.compile(r"^[【\[]([^【】\[\]:]{1,16})[】\]]:?(?=(?:是|否|有|无|没有)(?:[,.。;!]|$))")

# The field's name before its value; 不接受：… is no name, it is the value itself.
_ECHO: Final = re.compile(
    r"(?=[^:]{0,16}(?:是否|有无|与否)|[^:不没未无拒]{0,24}:)"
    r"[^:,.。;!?(]{0,12}(?:接受|同意|认可|采纳|方案|情绪|accept|sentiment|negative)[^:,.。;!?(]{0,4}:"
    r"|(?:是否)?负面:(?=(?:是|否|有|无|没有)$)"
)

# A product or a title called after a mood: 《焦虑时代》, “无忧无怒”礼盒.
_TITLE: Final = re.compile(
    """(?<=.)《[^《》]{1,40}》|(?P<called>名[为叫]|叫做|买[了的是]{0,2}|[拍订]下|选购|订购)?[“"「『‘][^“”"「」『』‘’]{1,20}[”"」』’](?(called)|(?="""
    "款|牌|系列|套装|套餐|礼盒|公仔|玩具|玩偶|商品|产品|品牌|店|旗舰店|一?[书歌剧]|课|活动|按钮|按键|选项|栏目|页面|图案|字样))"
)

_MARKUP: Final = re.compile(r"[\"'“”‘’「」『』《》*_`~#>\u200b-\u200f\u2060\ufeff]+")

_NOT_SHOWN: Final = "(?:未|没有|并未)(?:体现|表现|显现|出现|发现|检测到|见)"

# A mood or an offer under its own name, and what is said of it: anger: no, 愤怒：无；失望：有.
_ANSWERED: Final = re.compile(rf"(?<![^,;。])(?!是否)([^:,;。]{{1,24}}): ?({_ANSWER}|{_NOT_SHOWN})(?:[,;。]|$)")

# The same in brackets or as a number: 愤怒(无), 抱怨次数:0, 不满程度0/10.
_BRACKETED_ANSWER: Final = re.compile(rf"(?<=[^,;。:()])\(({_ANSWER}|无)(?:\)(?=[,;。]|$)|$)")

_NONE_COUNTED: Final = re.compile(
    r"(?<=[\u4e00-\u9fff])(?:[:=]|为)? ?0(?:\.0+)?(?: ?/ ?\d{1,3}|%|分|次|级|条)?(?=[,;。]|$)"
)

# Nothing is known of what a name asks for: 焦虑程度：未知.
_UNKNOWN: Final = re.compile(
    r"[^:,;。]{1,24}: ?(?:未知|不详|不明|未明确|不确定|无法判断|无法确定|未提及|待定|n/a|unknown|unclear|null)$"
)

# A colon before a degree: 接受度：低.
_DEGREE: Final = re.compile(r": ?(?=(?:较|很|偏|极|非常|比较|不|略)?(?:高|低|强|弱|中等?|一般|零|0)(?:[,。.;!]|$))")

# A measure that is not known to be one of a verdict: 负面情绪得分：0.1, 接受概率 60%.
_MEASURED: Final = re.compile(
    r"[^,;。:(]{1,16}(?:得分|评分|打分|分数|分值|概率|可能性|指数|值|score|probability|likelihood)(?:为|是|:| )* ?[+-]?"
    r"(?!0(?:\.0+)?(?:分|%|/|$))\d+(?:\.\d+)?(?: ?/ ?\d+|%|分)?"
)

# How content the customer was, on a scale: 满意度 2/5, 满意度：40%.
_RATED: Final = re.compile(
    r"(?:满意(?:程)?度|satisfaction)(?: ?(?:评分|得分|打分|level|score|rating))?(?:为|是|仅|只有|:|is|was| ){0,3}"
    r"(?:(?P<low>low|poor|very low)\b|(?P<points>\d{1,3}(?:\.\d{1,3})?)[分星]?"
    r"(?:(?: ?/ ?|,?\(?满分(?:为|是)? ?| out of )(?P<of>\d{1,3})|(?P<percent> ?%))?[分星)]*)"
)

# A time or a sum that is not full: 购买不满七天.
_SHORT_OF: Final = re.compile(
    r"不满(?=[\d一二两三四五六七八九十半百千]{1,6}个?(?:[元块岁件]|(?:年|月|天|日|周|小时)(?![没未不还都才又再就])))"
)

# 著急 and 帶著, as traditional characters write 着, but 顯著 and 著名.
_ASPECT: Final = re.compile("(?<![显名卓昭土原编专论巨])著(?![名作称述书录])")

_DASHES: Final = dict.fromkeys(map(ord, "‐‑‒–―−"), "-")

_TAG: Final = re.compile(r"</?[a-zA-Z][a-zA-Z0-9]{0,9}(?:\s[^<>]{0,60})?/?>")

_CHINESE_SPACE: Final = re.compile(r"(?<![a-z]) | (?![a-z])")

_PICTURE: Final = re.compile("[✓✔✅✗✘❌√×\U0001f000-\U0001faff\u2600-\u27bf\u2b00-\u2bff\ufe0e\ufe0f\u20e3]+")

# A mark behind a field's name: 是否接受：√, 接受×.
_TICKED: Final = re.compile(
    r"^([^:不没未无拒非]{1,12}(?::|(?<=接受|同意|负面|情绪)))(?:([√✓✔✅☑])|[×✗✘❌❎])\ufe0f?[,.。;!]*$"
)

_EDGES: Final = " ,.。;:!、-—…()[]{}【】"

_STOPS: Final = ",。;!"

_PARTICLE: Final = "[的了吧啊呀哦呢啦滴哒嘛嘞哈~]*+"

# The customer's own words, whole (用户回复：嗯嗯，可以的) or before more (不行，必须退款).
_OWN_WORDS: Final = re.compile(
    r"(?:用户|客户|顾客)?(?:最后|最终)?(?:表示|回复|说|称|回答|回应|答复|回|答){0,2}(?:道|了)?:?"
    rf"(?:(?P<no>(?:还是|[那这]个?样?)?我?(?:不(?:行|可以|好|必|用|需要|要|愿意|了|干)|免了|no(?: way)?){_PARTICLE})"
    rf"|(?P<yes>(?:(?:那|那就|也)?(?:嗯++|好++|可以|行|ok|okay|没问题|没事|成|妥|收到|明白|了解|知道|同意|就这样|先这样|这样|愿意|[👍👌]){_PARTICLE},?){{1,12}}))"
    r"(?:,?(?:谢谢|感谢|多谢|麻烦|辛苦|请|尽快)[^不没别未但拒]{0,16})?"
)

# What the customer says within a sentence: 用户回复“好的，那我等等”.
_QUOTED: Final = re.compile("(?<=.)[“\"「『‘']([^“”\"「」『』‘’']{1,40})[”\"」』’']")

_OWN_WITHIN: Final = 40  # characters

_FEW, _MANY = 0.4, 0.8  # of the points of a scale

_LONGEST_CHOICE: Final = 32  # characters

_LONGEST: Final = 2_000  # characters; what is not said within them is not said

_ACCEPTANCE: Final = read_lexicon("acceptance")

_SENTIMENT: Final = read_lexicon("sentiment")


def accepted_of(text: str) -> bool | None:
    """Return true where the user accepted the agent's offer, false where not, None where it is open."""
    if (word := _WORDS.get(text)) is not None:
        return word
    lead, sentence, several = _parts(_QUOTED.sub(_spoken, text[:_LONGEST]), _ACCEPTANCE)
    if several:
        verdicts = {accepted_of(part) for part in several}
        return verdicts.pop() if len(verdicts) == 1 else None
    if lead is None and len(sentence) < _OWN_WITHIN and (own := _OWN_WORDS.match(sentence)):
        more = sentence[own.end() :]
        if not more:
            return own["yes"] is not None
        if own["no"] and more[0] in _STOPS:
            lead, sentence = False, more[1:]
    claims = claims_of(with_condition(sentence), _ACCEPTANCE)
    if lead is None and not claims:  # the field's name was the verdict: Accepted: he ships it back
        claims = claims_of(with_condition(_undressed(text)), _ACCEPTANCE)
    settled = _settled([claim for claim in claims if not claim.conditional])
    if lead and settled is None and hangs_on_more(sentence):
        return None
    if settled is None and any(claim.partial and (lead or not claim.conditional) for claim in claims):
        return None
    return _agreed(lead, settled)


def _spoken(quoted: re.Match[str]) -> str:
    """The quotation with a plain word of consent or refusal for the one that it begins with."""
    words = simplified(unicodedata.normalize("NFKC", quoted[1]).lower())
    own = _OWN_WORDS.match(words)
    if own is None or (own.end() < len(words) and words[own.end()] not in _STOPS and own[0][-1] not in _STOPS):
        return quoted[0]
    said = f"表示{'可以' if own['yes'] else '不可以'}"
    # 从“不同意”改口为“可以”: a way from one to the other
    return said if quoted.string[quoted.start() - 1] in "从由为成到" else f"{said},{words[own.end() :]}"


def negative_sentiment_of(text: str) -> bool | None:
    """Return true where the user showed negative sentiment, false where not, None where it is open."""
    if (word := _WORDS.get(text)) is not None:
        return word
    lead, sentence, several = _parts(text, _SENTIMENT)
    if several:
        return _shown([negative_sentiment_of(part) for part in several])
    if lead is None and (mood := _MOOD_WORDS.get(sentence)) is not None:
        return None if sentence == "中" and ("负面" in text or "程度" in text) else mood
    claims = claims_of(sentence, _SENTIMENT)
    if not claims:  # 😭 等了一周
        claims = claims_of("".join(_PICTURE.findall(text)), _SENTIMENT)
    values = _moods([claim for claim in claims if not (claim.conditional or claim.silent)])
    if not values and lead is None:
        denied = not claims and names_no_mood(sentence, _SENTIMENT)
        return False if denied else is_any(sentence, _SENTIMENT)
    return _agreed(lead, _shown(values))


def _moods(claims: list[Claim]) -> list[bool | None]:
    """The values of the claims that count: not of pressing where a mood is named, nor of calm that is in doubt."""
    named = [claim for claim in claims if claim.plain or claim.sign is False] or claims
    sure = [claim for claim in named if claim.value is not None or claim.sign] or named
    return [claim.value for claim in sure]


def _shown(values: list[bool | None]) -> bool | None:
    return True if True in values else None if None in values else False if values else None


def _parts(text: str, lexicon: Lexicon) -> tuple[bool | None, str, list[str]]:
    """A leading verdict, the sentence behind it in plain form, and the verdicts of several issues."""
    normal = _undressed(text)
    if normal[:1] in _CHOOSES and _NUMBER.fullmatch(normal):
        return _WORDS.get(normal), "", []
    plain = _unnamed(normal[choice.end() :] if (choice := _CHOICE.match(normal)) else normal)
    if plain in _WORDS:
        return _WORDS[plain], "", []
    several = numbered_parts(normal) or _several(plain, lexicon)
    if several or _UNKNOWN.match(plain) or _MEASURED.fullmatch(plain) or _is_a_choice(plain, lexicon):
        return None, "", several
    plain = _answered(plain)
    if plain[:1] in _LEADS and (lead := _LEAD.match(plain)):
        word = _WORDS.get(lead[1], False if lexicon is _SENTIMENT else None)
        return word, with_doubt(plain[lead.end() :].strip(_EDGES)), []
    return None, with_doubt(plain), []


def _is_a_choice(plain: str, lexicon: Lexicon) -> bool:
    """Return true for words that the field may have, none of them chosen: 正面/负面, accepted|rejected."""
    if len(plain) > _LONGEST_CHOICE or not ("/" in plain or "|" in plain):
        return False
    words = [claims_of(word, lexicon) for word in re.split(r"[/|]", plain)]
    return {claims[0].value for claims in words if len(claims) == 1} >= {True, False}


def _several(plain: str, lexicon: Lexicon) -> list[str]:
    if ":" in plain and (parts := labeled_parts(plain, lambda name: bool(claims_of(name, lexicon)))):
        return parts
    return listed_parts(plain, _WORDS, _LEAD.match) if plain[:1] in _LEADS else []


def _answered(plain: str) -> str:
    """The text with a sentence for what stands under a mood's or an offer's own name."""
    if "满意" in plain or "satisfaction" in plain:
        plain = _RATED.sub(_rating, plain)
    if "0" in plain:
        plain = _NONE_COUNTED.sub("为0", plain)
    if "(" in plain and not _LEAD.match(plain):
        plain = _BRACKETED_ANSWER.sub(r":\1", plain)
    if ":" in plain:
        plain = _ANSWERED.sub(lambda named: f"{'有' if _WORDS.get(named[2]) else '没有'}{named[1]}。", plain)
    return plain


def _rating(rated: re.Match[str]) -> str:
    """A word for how content the customer was, where the points are few or many of those that the scale has."""
    if rated["low"]:
        return "不满意"
    scale = 100 if rated["percent"] else int(rated["of"] or 0)
    part = float(rated["points"]) / scale if scale else 0.5
    return "不满意" if part <= _FEW else "满意" if part >= _MANY else "某物"


def _undressed(text: str) -> str:
    """The text in half-width, small, simplified characters, without markup or, where there is more, pictures."""
    normal = unicodedata.normalize("NFKC", _TITLE.sub("某物", text[:_LONGEST])).translate(_DASHES)
    if "<" in normal:
        normal = _TAG.sub("", normal)
    normal = " ".join(_MARKUP.sub("", normal).lower().split())
    normal = _DEGREE.sub("", simplified(normal))
    if "著" in normal:
        normal = _ASPECT.sub("着", normal)
    if "满" in normal:
        normal = _SHORT_OF.sub("不足", normal)
    if mark := _TICKED.match(normal.replace(" ", "")):
        return f"{mark[1].rstrip(':')}:{'是' if mark[2] else '否'}"
    if _PICTURE.search(normal) and (bare := _PICTURE.sub(",", normal).strip(_EDGES)):
        return bare
    return normal


def _unnamed(normal: str) -> str:
    """The text without blanks between Chinese characters, and without the field's name before the value."""
    plain = normal
    if " " in normal:
        if blank := _BLANK_LEAD.match(normal):
            normal = f"{blank[1]},{normal[blank.end() :]}"
        plain = _CHINESE_SPACE.sub("", normal)
    if plain[:1] in ("【", "["):
        plain = _BRACKETED.sub(r"\1:", plain)
    plain = plain.replace("=", ":").strip(_EDGES)
    if ":" in plain:
        for name in (_NAMED, _ECHO):
            if echo := name.match(plain):
                value = plain[echo.end() :].strip(" ")
                plain = value if _NUMBER.fullmatch(value) else value.strip(_EDGES)
    return plain


def _agreed(lead: bool | None, explained: bool | None) -> bool | None:
    if lead is None or explained is None:
        return explained if lead is None else lead
    return lead if lead == explained else None


def _settled(claims: list[Claim]) -> bool | None:
    """Return the value of several claims when the last one counts, but for what is granted behind it (尽管起初拒绝)."""
    while len(claims) > 1 and claims[-1].granted:
        claims = claims[:-1]
    if not any(claim.plain for claim in claims):
        values = [claim.value for claim in claims if not claim.courteous] or [claim.value for claim in claims]
        return None if None in values or not values else values[-1]
    value: bool | None = None
    last: Claim | None = None  # that the value is of
    for claim in claims:
        since = last is not None and claim.later and not last.later
        if claim.silent:
            last = claim if claim.partial else last
            if claim.turning or claim.later:
                value = None
        elif claim.plain or (since and not claim.gesture):
            parts = last is not None and not claim.later and _parts_with(last, value, claim)
            value, last = (None, claim._replace(partial=True)) if parts else (claim.value, claim)
        elif since and not claim.courteous and claim.value is not value:
            value = None
    return value


def _parts_with(last: Claim, value: bool | None, claim: Claim) -> bool:
    """Return true where neither is accepted nor refused, or one thing is accepted and another refused."""
    neither = last.negated and claim.negated and value is not claim.value
    return neither or last.partial or (value is True and claim.value is False)
