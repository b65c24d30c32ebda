import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.themes.rules.discovery import Occurrence, Search, discover

KNOWN = [
    f"{what}{how}"
    for what in ("退款", "快递", "发票", "优惠券", "安装师傅", "赠品", "保修", "换货", "评价", "会员")
    for how in ("什么时候到", "怎么还没来", "可以改吗", "找不到了", "为什么不行", "在哪里看", "要多久", "能快点吗")
]
NEW = [
    f"{who}{said}"
    for who in ("你们主播", "主播昨晚", "那个主播", "直播时主播", "主播自己")
    for said in ("答应送的呢", "说能便宜", "讲的不一样", "保证今天发", "承诺可以退", "念的口令没用")
]


def texts(rng: random.Random, known: int, new: int) -> list[Occurrence]:
    counted = Counter([rng.choice(KNOWN) for _ in range(known)] + [rng.choice(NEW) for _ in range(new)])
    neighbors = ("gift", "complaint_compensation", "other")
    return [
        Occurrence(text, text, neighbors[number % 3] if text in NEW else "refund_progress", count)
        for number, (text, count) in enumerate(counted.items())
    ]


def reference(rng: random.Random, size: int) -> dict[str, int]:
    return Counter(rng.choice(KNOWN) for _ in range(size))


@pytest.mark.parametrize("seed", range(10))
def test_discover_finds_a_theme_of_two_percent_and_nothing_else(seed):
    rng = random.Random(seed)
    found = discover(texts(rng, 1960, 40), reference(rng, 8000))
    assert [proposal.keywords[0] for proposal in found] == ["主播"]
    (proposal,) = found
    assert proposal.conversations == 40
    assert proposal.share == pytest.approx(0.02)
    assert proposal.share_before == 0
    assert sum(count for _, count in proposal.themes) == 40
    assert len(proposal.themes) == 3  # it hides among its neighbors
    assert set(proposal.examples) <= set(NEW)
    assert len(set(proposal.examples)) == 6


@pytest.mark.parametrize("seed", range(10))
def test_discover_proposes_nothing_on_a_quiet_day(seed):
    rng = random.Random(100 + seed)
    assert discover(texts(rng, 2000, 0), reference(rng, 8000)) == []


def test_discover_does_not_propose_again_what_was_decided():
    rng = random.Random(1)
    assert discover(texts(rng, 1960, 40), reference(rng, 8000), known=["主播"]) == []


def test_discover_proposes_no_sentence_that_many_send():
    day = [
        *texts(random.Random(1), 1900, 0),
        Occurrence("打卡领现金活动口令八八八", "打卡领现金活动口令八八八", "", 100),
    ]
    assert discover(day, reference(random.Random(2), 8000)) == []


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.text("退货快递主播 ab", max_size=8), st.integers(1, 30)), max_size=40, unique_by=lambda x: x[0]
    ),
    st.dictionaries(st.text("退货快递 ab", max_size=8), st.integers(1, 30), max_size=20),
)
def test_discover_counts_no_conversation_twice_and_keeps_to_its_limits(day, before):
    search = Search(min_conversations=5, most=3)
    occurrences = [Occurrence(text, text, "other", count) for text, count in day]
    found = discover(occurrences, before, search=search)
    assert len(found) <= 3
    assert sum(proposal.conversations for proposal in found) <= sum(count for _, count in day)
    for proposal in found:
        assert proposal.conversations >= 5
        assert proposal.share > proposal.share_before
        assert set(proposal.examples) <= {text for text, _ in day}
