import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.domain.errors import UsageError
from tasks.themes.assigner import load_classifier, load_taxonomy, open_assigner
from tasks.themes.rules.assigning import Assigner
from tasks.themes.rules.normalizing import normalize
from tasks.themes.rules.patterns import NO_RULE, first_matches, parse_rules
from tasks.themes.rules.taxonomy import OTHER

ASSIGNER = open_assigner()

HELD_OUT = tomllib.loads(Path(__file__).with_name("heldout.toml").read_text(encoding="utf-8"))

TEXTS = sorted({text for texts in HELD_OUT.values() for text in texts})


@settings(max_examples=60, deadline=None)
@given(st.lists(st.none() | st.text(max_size=40), max_size=20))
def test_assign_gives_every_text_one_theme_of_the_taxonomy_and_no_text_none(texts):
    themes = ASSIGNER.assign(pa.array(texts, pa.string())).to_pylist()
    assert [theme is None for theme in themes] == [not (text or "").strip() for text in texts]
    assert set(themes) - {None} <= set(ASSIGNER.taxonomy.ids)


@settings(max_examples=30, deadline=None)
@given(st.permutations(["退货运费谁出", "发票抬头错了", "在吗", "什么时候发货", "什么时候发货", ""]))
def test_assign_gives_a_text_the_same_theme_whatever_is_beside_it(texts):
    together = ASSIGNER.assign(pa.array(texts)).to_pylist()
    assert together == [ASSIGNER.assign(pa.array([text]))[0].as_py() for text in texts]


@pytest.mark.parametrize("times", [1, 8])
def test_assign_gives_the_theme_of_the_highest_score_with_every_texts_first_rule(times):
    folder = Path(__file__).parents[3] / "tasks" / "themes" / "data"
    parsed = parse_rules((folder / "rules.toml").read_text(encoding="utf-8"))
    rules = [replace(rule, weight=times * rule.weight) for rule in parsed]
    plain = normalize(pa.array(TEXTS))
    scores, found = load_classifier().scores(plain), first_matches(rules, plain)
    without_rules = scores.argmax(axis=1)
    for text in np.flatnonzero(found != NO_RULE):
        rule = rules[found[text]]
        scores[text, load_classifier().themes.index(rule.theme)] += rule.weight
    best = scores.argmax(axis=1)
    assert (best != without_rules).any() or times == 1
    themes = [load_classifier().themes[number] for number in best]
    assert Assigner(load_taxonomy(), rules, load_classifier()).assign(pa.array(TEXTS)).to_pylist() == themes


@pytest.mark.parametrize(
    ("text", "theme"),
    [
        ("质量太差了想退货", "return_request"),
        ("质量太差了", "quality_defect"),
        ("退货的运费谁出", "shipping_fee"),
        ("赠品怎么没寄", "gift"),
        ("价保的钱什么时候到账", "price_protection"),
        ("什么时候发货", "urge_shipment"),
        ("什么时候有货", "stock_presale"),
        ("什么时候退款到账", "refund_progress"),
        ("什么时候上门安装", "installation"),
        ("取消以后怎么退款", "refund_progress"),
        ("这个是自营的吗", "product_info"),
        ("这两款哪个更省电", "product_info"),
        ("用户怀疑台灯不是正品", "quality_defect"),
        ("这个是不是正品", "product_info"),
        ("我想问一下这个订单退款周期要多久 谢谢", "refund_progress"),
        ("查询订单号", OTHER),
        ("广东省", OTHER),
        ("多久", OTHER),
    ],
)
def test_assign_keeps_the_borders(text, theme):
    assert ASSIGNER.assign(pa.array([text]))[0].as_py() == theme


def test_load_taxonomy_has_eight_groups_and_other():
    taxonomy = load_taxonomy()
    assert len(taxonomy.groups) == 9
    assert len(taxonomy.ids) == len(set(taxonomy.ids)) == 29
    assert taxonomy.ids[-1] == OTHER
    for theme in taxonomy.themes:
        assert theme.definition
        assert len(theme.examples) >= 5
        assert theme.name_zh


def test_load_taxonomy_names_everything_that_is_wrong(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text(
        'groups = [{ id = "a" }]\n[[themes]]\nid = "X y"\ngroup = "a"\n[[themes]]\nid = "b"\ngroup = "nowhere"\n'
    )
    with pytest.raises(UsageError, match=r"'X y'.*nowhere.*'other' is missing"):
        load_taxonomy(str(file))
    with pytest.raises(UsageError, match="can't be read"):
        load_taxonomy(str(tmp_path / "none.toml"))


@pytest.fixture
def own(tmp_path):
    """A shop's taxonomy of which the classifier knows nothing."""
    file = tmp_path / "mine.toml"
    file.write_text(
        """
groups = [{ id = "pets", name_zh = "宠物", name_en = "Pets" }, { id = "other", name_zh = "其他", name_en = "Other" }]
[[themes]]
id = "grooming"
group = "pets"
name_zh = "洗护"
keywords = ["洗澡", "美容"]
examples = ["狗狗多久洗一次毛", "猫咪能不能用这个洗毛"]
[[themes]]
id = "feeding"
group = "pets"
name_zh = "喂养"
keywords = ["猫粮"]
examples = ["幼犬一天喂几顿", "小猫不吃东西怎么喂"]
[[themes]]
id = "other"
group = "other"
name_zh = "其他"
""",
        encoding="utf-8",
    )
    return open_assigner(str(file))


@pytest.mark.parametrize(
    ("text", "theme"),
    [
        ("约个美容", "grooming"),
        ("这个猫粮一包多少克", "feeding"),
        ("大狗一天喂几顿", "feeding"),
        ("兔子多久洗一次毛", "grooming"),
        ("明天下雨", OTHER),
        ("谢谢", OTHER),
    ],
)
def test_a_shops_own_taxonomy_is_assigned_by_keywords_and_likeness(own, text, theme):
    assert own.assign(pa.array([text]))[0].as_py() == theme


def test_a_retired_theme_is_assigned_no_more():
    taxonomy = load_taxonomy()
    retired = tuple(replace(theme, retired=True) for theme in taxonomy.themes if theme.id == "gift")
    assigner = open_assigner(accepted=retired)
    assert "gift" in assigner.taxonomy.ids
    assert assigner.assign(pa.array(["赠品怎么没寄"]))[0].as_py() != "gift"
