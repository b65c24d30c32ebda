"""What a sentence says of acceptance and of mood: true, false, or null, as a careful human would say.

A value is a word (`是`, `No`), a sentence, or both (`否，用户坚持退款`). A sentence is read clause by clause. In a
clause, the words that carry a verdict (接受, 拒绝, 不满, 平和 …) are found longest first, each negation before such a
word turns it around (so 并非不接受 is an acceptance), and a hedge (未明确, 可能, 是否 …) leaves the clause without one.

- Acceptance: the last clause with a verdict counts, since people change their minds (一开始拒绝，后来同意了).
- Negative sentiment: any negative clause counts, however the conversation ended; calm is only what is said to be.
- A leading 是 or 否 and a sentence that says the opposite contradict each other: null.
"""

import re
import unicodedata

_TRUE_WORDS = "是 是的 对 有 yes y true t 1 接受 已接受 同意 √ ✓ ✔ ✅"
_FALSE_WORDS = "否 不 不是 没有 没 无 no n false f 0 none 不接受 未接受 拒绝 × ✗ ✘ ❌"

# Each kind: what it does to the clause it stands in.
_HEDGES = (
    "未明确|没有明确|没明确|不明确|不确定|未确定|无法确定|无法判断|难以判断|不好判断|无法得知|不得而知|不清楚|未知|不详|未提及|没有提及|没提及|"
    "未提到|没有提到|未说明|未表明|没有表明|未表态|没有表态|未表示|没有表示|未回应|没有回应|未回复|没有回复|未置可否|未体现|"
    "暂未|尚未|还未|可能|似乎|好像|或许|也许|大概|疑似|是否|能否|有待|待定|待确认|考虑|犹豫|部分|如果|假如|若|"
    "n/a|unknown|unclear|not sure|maybe|not mentioned|以为|应该|估计|看情况|再说|再看"
)
_NEGATIONS = (
    "并没有|并没|没有|从未|并未|并不是|并不|并非|不是|绝不|毫不|毫无|未能|未曾|未见|无法|不再|不愿|不肯|不想|不太|不怎么|"
    "不予|不会|不能|不|没|未|非|无|别|勿|not|no|never|didn't|doesn't|without"
)
_ACCEPTING = (
    "接受|无奈接受|无奈同意|同意|认可|采纳|赞同|答应|愿意|满意|应允|配合|理解|谅解|照办|会尝试|试试|表示感谢|致谢|感谢|道谢|好的|可以接受|没有异议|无异议|没意见|没有意见|"
    "没有疑问|accepted|accepts|accept|agreed|agrees|agree|satisfied"
)
_DECLINING = (
    "不愿意|不情愿|拒绝|反对|放弃|抵触|坚持要求|坚持退|坚持要|要求投诉|要投诉|投诉|异议|质疑|不满|不认同|不买账|"
    "rejected|rejects|reject|refused|refuses|refuse|declined"
)
_UPSET = (
    "负面情绪|负面|负向|消极情绪|消极|不满意|不满|不高兴|不开心|不耐烦|不愉快|不悦|不爽|不快|不信任|不认同|生气|气愤|气恼|愤怒|愤慨|恼火|发火|恼怒|怒气|激动|"
    "投诉|失望|着急|焦急|焦虑|担心|担忧|忧虑|急躁|烦躁|烦恼|厌烦|厌恶|抱怨|埋怨|怨言|怨气|委屈|讽刺|嘲讽|挖苦|质疑|指责|责怪|谩骂|辱骂|骂人|威胁|"
    "沮丧|郁闷|无奈|难过|伤心|崩溃|受骗|被骗|欺骗|糟糕|差评|异常情绪|情绪波动|反感|抵触|怀疑|negative|angry|upset|frustrated|annoyed|dissatisfied|unhappy"
)
_CALM = (
    "满意|平和|平静|平稳|稳定|冷静|友好|友善|礼貌|正面|正向|积极|中性|中立|正常|愉快|愉悦|开心|高兴|良好|温和|耐心|感谢|致谢|道谢|理解|"
    "客气|positive|neutral|calm|satisfied|happy|polite"
)
# Somebody else's acceptance or mood says nothing of the user's.
_OTHERS = re.compile(r"^(?:但|而|然后|最后|同时)?客服(?!的?(?:方案|建议|提议|处理|解释|安排|答复|回复))")
_CLAUSE_ENDS = re.compile(r"[，,。.；;！!？?\n]|但是|但|不过|然而|后来|最后|最终|随后|之后|却")
_NOISE = re.compile(r"[\s\u200b\ufeff\"'“”‘’「」*_`]+")
_LEAD = re.compile(r"^(是的|是|否|有|无|没有|yes|no|true|false|对|不是)[，,。.；;：:！!（(\-—]", re.IGNORECASE)
_LONGEST = 2_000

_TRUE = frozenset(_TRUE_WORDS.split())
_FALSE = frozenset(_FALSE_WORDS.split())


def _words(positive: str, negative: str) -> re.Pattern[str]:
    kinds = {"hedge": _HEDGES, "yes": positive, "no": negative, "negation": _NEGATIONS}
    # At one place the longest word of all kinds wins: 不满意 before 不满 before 不.
    ranked = sorted(
        ((word, kind) for kind, words in kinds.items() for word in words.split("|")), key=lambda pair: -len(pair[0])
    )
    seen: dict[str, str] = {}
    for word, kind in ranked:
        seen.setdefault(word, kind)
    groups = "|".join(f"(?P<{kind}{number}>{re.escape(word)})" for number, (word, kind) in enumerate(seen.items()))
    return re.compile(groups)


_KIND = re.compile(r"\d+$")
_ACCEPTANCE = _words(_ACCEPTING, _DECLINING)
_SENTIMENT = _words(_UPSET, _CALM)


def accepted_of(text: str) -> bool | None:
    """Whether the user accepted what the agent offered."""
    plain, lead = _plain(text)
    if plain in _TRUE:
        return True
    if plain in _FALSE:
        return False
    verdicts = [verdict for clause in _clauses(plain) if (verdict := _verdict(clause, _ACCEPTANCE)) is not None]
    return _settled(lead, verdicts[-1] if verdicts else None)


def negative_sentiment_of(text: str) -> bool | None:
    """Whether the user showed negative sentiment."""
    plain, lead = _plain(text)
    if plain in _TRUE - {"接受", "已接受", "同意"}:
        return True
    if plain in _FALSE - {"不接受", "未接受", "拒绝"}:
        return False
    verdicts = [verdict for clause in _clauses(plain) if (verdict := _verdict(clause, _SENTIMENT)) is not None]
    return _settled(lead, any(verdicts) if verdicts else None)


def _plain(text: str) -> tuple[str, bool | None]:
    normal = unicodedata.normalize("NFKC", text[:_LONGEST]).lower()
    plain = _NOISE.sub("" if not normal.isascii() else " ", normal).strip(" ,.;:!，。；：！、()[]（）")
    found = _LEAD.match(plain)
    if not found:
        return plain, None
    return plain, found[1] in _TRUE


def _clauses(plain: str) -> list[str]:
    return [clause for clause in _CLAUSE_ENDS.split(plain) if clause and not _OTHERS.match(clause)]


def _verdict(clause: str, words: re.Pattern[str]) -> bool | None:
    verdict, turned = None, False
    for found in words.finditer(clause):
        kind = _KIND.sub("", found.lastgroup or "")
        if kind == "hedge":
            return None
        if kind == "negation":
            turned = not turned
            continue
        verdict = (kind == "yes") != turned
        # A negation reaches over a chain (没有不满或抱怨) until something new is said.
        if clause[found.end() : found.end() + 1] not in ("、", "或", "和", "及", "与", "/"):
            turned = False
    return verdict


def _settled(lead: bool | None, sentence: bool | None) -> bool | None:
    if lead is None or sentence is None:
        return sentence if lead is None else lead
    return lead if lead == sentence else None
