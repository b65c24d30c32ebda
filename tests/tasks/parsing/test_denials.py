"""A denial is never read as its opposite, whatever stands between the negation and what it denies."""

import csv
import tomllib
from itertools import accumulate, product
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.domain.traditional import simplified
from tasks.parsing import lexicon
from tasks.parsing.lexicon import Kind, read_lexicon
from tasks.parsing.verdicts import accepted_of, negative_sentiment_of


def words(text: str) -> list[str]:
    return text.split()


NEGATIONS = words("没有 未 无 并未 毫无 从未 并没有 未曾 尚未")
VERBS = words("""表现出 流露 流露出 体现出 显露 透露出 表达 表示 展现 展露出 呈现 反映出 检测到 观察到 发现 察觉到 识别出 看出 感受到 感知到 捕捉到 监测到 出现
    产生 存在 带有 包含 含有 涉及 宣泄 发泄 释放 爆发 抒发 倾诉 传递 传达 散发 夹杂 抱有 怀有 显示 显现 暴露 激发 引发 说出""")
ADJECTIVES = [
    "",
    *words("""明显的 强烈的 较强的 任何 任何的 丝毫 一丝 半点 过多的 过度的 激烈的 严重的 轻微的 显著的 特别的 直接的 公开的
    哪怕一点 深深的 持续的 剧烈的 浓厚的 突出的 巨大的 极端的 多余的 实质性的 潜在的 具体的 其他 类似的 可见的 较大的 非常明显的 不必要的 莫名的 不该有的 压抑的 个人的"""),
]
FEELINGS = words("""愤怒 不满 失望 负面情绪 焦虑 烦躁 抱怨 指责 沮丧 怨气 敌意 不耐烦 抵触情绪 反感 委屈 愤怒、不满等负面情绪 焦急或不耐烦 怨言 牢骚 负面的情绪
    愤怒，失望，不满等负面情绪""")
REFUSALS = words("""无法 没法 没办法 没有 未 未能 没能 不 不能 不愿 不肯 不想 并未 从未 难以 不愿意 没有办法""")
CONSENTS = words("接受 同意 认可 采纳 赞同 答应")
UNSURE = words(
    """无法确认 无法确定 不能确定 难以判断 无法判断 没有迹象表明 没有证据表明 看不出 未说明 无从得知 不清楚"""
)

# Words of one to four characters of which the lexicon knows none, nor any part.
_KNOWN = {char for name in ("acceptance", "sentiment") for word in read_lexicon(name).kinds for char in word}
# Traditional characters are read as the simplified ones that they stand for: those may be known.
_UNKNOWN = sorted(
    character for character in map(chr, range(0x4E00, 0x9FA6)) if not {character, simplified(character)} & _KNOWN
)
UNKNOWN = st.text(alphabet=_UNKNOWN, min_size=1, max_size=4)

READS = {"accepted": accepted_of, "negative_sentiment": negative_sentiment_of}
LEXICONS = {"accepted": read_lexicon("acceptance"), "negative_sentiment": read_lexicon("sentiment")}
VERDICTS = {"true": True, "false": False, "null": None}


def corpus() -> list[tuple[str, bool | None, str]]:
    with Path(__file__).with_name("verdict_corpus.tsv").open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [(row["field"], VERDICTS[row["verdict"]], row["text"]) for row in rows]


@pytest.mark.parametrize("negation", NEGATIONS)
def test_no_denial_of_a_feeling_is_read_as_that_feeling(negation):
    texts = [
        f"用户{negation}{verb}{adjective}{feeling}" for verb, adjective, feeling in product(VERBS, ADJECTIVES, FEELINGS)
    ]
    tried = texts[NEGATIONS.index(negation) % 7 :: 7]  # the negations together try nearly all
    verdicts = [negative_sentiment_of(text) for text in tried]
    assert True not in verdicts, [text for text, verdict in zip(tried, verdicts, strict=True) if verdict][:5]
    assert verdicts.count(False) >= 0.95 * len(verdicts)


@pytest.mark.parametrize("consent", CONSENTS)
def test_no_denial_of_consent_is_read_as_consent(consent):
    for refusal, tail in product(REFUSALS, ["", "该方案", "这个结果", "客服的处理"]):
        assert accepted_of(f"用户{refusal}{consent}{tail}") is False, refusal
    for unsure in UNSURE:
        assert accepted_of(f"{unsure}用户{consent}") is None, unsure


@settings(deadline=None, max_examples=300)
@given(
    st.sampled_from([*NEGATIONS, "没", "不"]),
    UNKNOWN,
    st.sampled_from(["", "的", "了", "出", "到"]),
    st.sampled_from(FEELINGS),
    st.sampled_from(["", "用户", "对话中", "从内容看，用户"]),
)
def test_an_unknown_word_in_a_denial_leaves_it_denied_or_open(negation, unknown, ending, feeling, before):
    assert negative_sentiment_of(f"{before}{negation}{unknown}{ending}{feeling}") is not True
    assert accepted_of(f"{before}{negation}{unknown}{ending}接受") is not True
    assert accepted_of(f"{before}{negation}{unknown}{ending}拒绝") is not False


@settings(deadline=None, max_examples=200)
@given(
    st.sampled_from(["no", "not", "did not", "never", "without", "didn't"]), st.from_regex("[b-z]{5,9}", fullmatch=True)
)
def test_an_unknown_english_word_in_a_denial_leaves_it_denied_or_open(negation, unknown):
    kinds = LEXICONS["negative_sentiment"].kinds
    if kinds.get(unknown, Kind.OTHER) in (Kind.OTHER, Kind.BRIDGE):
        assert negative_sentiment_of(f"The user {negation} {unknown} anger") is not True


def test_the_corpus_is_read_as_it_is_labeled():
    rows = corpus()
    read = [READS[field](text) for field, _, text in rows]
    wrong = [(text, got) for (_, verdict, text), got in zip(rows, read, strict=True) if got is not verdict]
    opposite = [
        text
        for (_, verdict, text), got in zip(rows, read, strict=True)
        if None not in (got, verdict) and got is not verdict
    ]
    assert opposite == []
    assert len(wrong) <= 0.01 * len(rows), wrong


def test_no_unknown_word_between_others_makes_a_verdict_its_opposite():
    opposite = []
    for field, verdict, text in corpus():
        words = [word for clause in LEXICONS[field].clauses(text) for word, _ in clause]
        if verdict is None or text.isascii() or "".join(words) != text:  # the lexicon passes over blanks
            continue
        for at in accumulate(map(len, words[:-1]), initial=0):
            longer = f"{text[:at]}鼯鼠{text[at:]}"
            if READS[field](longer) is (not verdict):
                opposite.append(longer)
    assert opposite == []


@pytest.mark.parametrize("negation", ["没有", "并未", "从未", "没有表现出", "不曾"])
def test_no_listed_word_is_read_as_itself_behind_a_negation(negation):
    lists = tomllib.loads(Path(lexicon.__file__).with_name("verdicts.toml").read_text(encoding="utf-8"))
    for verdict_of, name, kind, verdict in (
        (negative_sentiment_of, "sentiment", "yes", True),
        (negative_sentiment_of, "sentiment", "no", False),
        (accepted_of, "acceptance", "yes", True),
        (accepted_of, "acceptance", "no", False),
    ):
        listed = [word for word in lists[name][kind].split() if not word.isascii()]
        assert [word for word in listed if verdict_of(f"用户{word}") is not verdict] == []
        assert [word for word in listed if verdict_of(f"用户{negation}{word}") is verdict] == []


@pytest.mark.parametrize(
    "denial",
    words("""用户没有因为客服道歉而{} 用户没有在客服解释后{} 用户没有像客服说的那样{} 用户没有任何{}的意思 用户没有半点{}的样子
    用户哪里会{} 用户何曾{} 难道用户会{}吗 不是用户{}，而是客服 用户没有就此{} 用户未对任何人{} 用户没有如客服预期{}
    没有一句话显示用户{} 找不到用户{}的证据 无任何迹象说明用户{} 没人看到用户{} 用户没有流露{}之意 用户未有{}之举 不存在用户{}的情况
    不能说用户{}"""),
)
def test_no_denial_of_a_sentence_is_read_as_its_opposite(denial):
    for word, read, shown in [
        *((word, accepted_of, True) for word in CONSENTS),
        *((word, accepted_of, False) for word in words("拒绝 反对 回绝")),
        *((word, negative_sentiment_of, True) for word in words("生气 不满 失望 抱怨 不耐烦")),
        *((word, negative_sentiment_of, False) for word in words("满意 平静 友好")),
    ]:
        assert read(denial.format(word)) is not shown, word


@pytest.mark.parametrize(
    "hardly",
    words("""很少 极少 少有 罕见地 鲜有 鲜少 甭 何曾 岂 假装 佯装 装作 误以为 本应 本该 原本会 杜绝 免于 避免"""),
)
def test_what_hardly_or_never_was_is_not_read_as_shown(hardly):
    assert accepted_of(f"用户{hardly}接受") is not True
    assert negative_sentiment_of(f"用户{hardly}抱怨") is not True


@pytest.mark.parametrize(
    "hardly",
    ["seldom", "refrained from", "avoided", "failed to", "pretended to", "was about to", "would have", "was asked to"],
)
def test_what_hardly_or_never_was_in_english_is_not_read_as_shown(hardly):
    assert accepted_of(f"The user {hardly} accept the offer") is not True
    assert negative_sentiment_of(f"The user {hardly} complain") is not True


@pytest.mark.parametrize(
    "tail", words("未果 失败 困难 无望 不足 没门 的可能性为零 是不可能的 的迹象没有出现 没有表现出来")
)
def test_an_end_that_takes_consent_back_leaves_none(tail):
    assert accepted_of(f"用户接受{tail}") is not True


@pytest.mark.parametrize("tail", words("未表现 并未流露 没有出现 均无 都没有 无从谈起 已排除 为零"))
def test_an_end_that_denies_a_mood_leaves_none(tail):
    assert negative_sentiment_of(f"用户抱怨、指责{tail}") is not True


@pytest.mark.parametrize("person", words("银行 空乘 护士 物业 法院 房东 店长 舅舅 室友 收件人 路人"))
def test_what_other_people_feel_or_accept_is_not_the_users(person):
    assert negative_sentiment_of(f"{person}非常生气") is None
    assert negative_sentiment_of(f"用户转述{person}的不满") is None
    assert accepted_of(f"{person}接受了该方案") is None


@pytest.mark.parametrize("client", words("家长 租客"))
def test_the_customer_of_a_trade_is_another_person_where_a_user_is_named(client):
    assert accepted_of(f"{client}接受了该方案") is True
    assert accepted_of(f"用户称{client}接受了该方案") is None
    assert negative_sentiment_of(f"用户转述{client}的不满") is None


@pytest.mark.parametrize("light", ["发", "退", "赔"])
def test_a_verb_of_one_character_may_belong_to_the_mood_behind_it(light):
    assert negative_sentiment_of(f"用户没有{light}怨言") is not True
    assert negative_sentiment_of(f"商家没有{light}，用户很生气") is True
