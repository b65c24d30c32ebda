import ast
import re
import string
from pathlib import Path

import pytest

from tasks.domain.records import Reason
from tasks.golden.rules.drift import FIELDS
from tasks.reporting.rules.texts import (
    LABELS,
    REASONS,
    Bilingual,
    attribute_title,
    reason_label,
    reason_todo,
    translate,
)

DOMAIN = Path(__file__).parents[4] / "tasks" / "reporting"
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def slots(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}


@pytest.mark.parametrize("key", [key for key in LABELS if key != "switch_language"])
def test_labels_are_whole_in_both_languages(key):
    zh, en = LABELS[key]
    assert slots(zh) == slots(en)
    assert en.strip()
    assert not CHINESE.search(en)
    assert CHINESE.search(zh) or slots(zh)


def test_reasons_are_all_named_in_both_languages():
    assert set(REASONS) == set(Reason)
    assert not any("同上" in todo.zh or "above" in todo.en for _, todo in REASONS.values())  # rows come in any order
    for label, todo in REASONS.values():
        assert all(label)
        assert all(todo)
        assert not CHINESE.search(label.en + todo.en)


WAYS = ("up", "down")


def test_labels_are_all_used():
    """Each key stands as a literal somewhere, or is one of the names that code puts together."""
    sources = [
        path.read_text(encoding="utf-8")
        for path in [
            *{*DOMAIN.glob("rules/**/*.py")} - {DOMAIN / "rules" / "texts.py", DOMAIN / "rules" / "sentences.py"},
            *DOMAIN.glob("templates/*.jinja"),
        ]
    ]
    put_together = {f"found_{name}_{way}" for name in ("negative", "accepted", "volume", "span_volume") for way in WAYS}
    put_together |= {f"{what}_{measure}" for what in ("story", "measure") for measure in ("negative", "not_accepted")}
    put_together |= {f"subject_{dimension}" for dimension in ("plan_phrase", "channel", "theme", "plan_theme")}
    put_together |= {"subject_agent", "subject_shop", "detail_negative", "detail_not_accepted", "measure_volume"}
    put_together |= {"no_words", "no_plans", "words_note", "plans_note"}
    put_together |= {f"golden_{name}" for name in ("right", "said", "usable", *FIELDS)}
    put_together |= {f"title_{period}" for period in ("day", "week", "month", "span")}
    unused = {key for key in LABELS if not any(f'"{key}"' in text or f"'{key}'" in text for text in sources)}
    assert unused == put_together


def test_labels_hold_no_key_twice():
    tree = ast.parse((DOMAIN / "rules" / "texts.py").read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict):
            keys = [key.value for key in node.keys if isinstance(key, ast.Constant)]
            assert len(keys) == len(set(keys))


def test_say_fills_in_both_languages():
    assert translate("subject_channel", key="{zh} %s") == Bilingual("渠道“{zh} %s”", "channel “{zh} %s”")
    assert translate("lede_no_topics", read=12_345).en == "Conversations read: 12,345."
    assert translate("found_rejected", share="9%", reason=Bilingual("空", "Empty")).zh.count("空") == 1


def test_reason_label_shows_reasons_of_other_versions_as_they_are():
    assert reason_label("empty") == Bilingual("没有内容", "Empty")
    assert reason_label("from_the_future") == Bilingual("from_the_future", "from_the_future")
    assert reason_todo("from_the_future") == Bilingual("", "")


def test_an_attribute_that_logs_often_have_has_a_name_and_a_shop_s_own_keeps_its_own():
    assert attribute_title("shop", "shop") == (("按店铺", "By shop"), ("店铺", "Shop"))
    assert attribute_title("vip_level", "vip_level") == (("按 vip_level", "By vip_level"), ("vip_level", "vip_level"))
