import base64
import hashlib
import re
import xml.etree.ElementTree as ET
from datetime import UTC, date, datetime, timedelta
from functools import cache
from html.parser import HTMLParser

import pyarrow as pa
import pytest

from tasks.calling.rules.offline.summary import OFFLINE_MODEL
from tasks.reporting.rules.context import Context
from tasks.reporting.rules.formatting import clip, interval_range, percent, share_text
from tasks.reporting.rules.pages.html import render_html, render_picture
from tasks.reporting.rules.pages.markdown import render_markdown
from tasks.reporting.rules.pages.page import make_page
from tasks.reporting.rules.statistics import DayStatistics, Proportion
from tasks.reporting.rules.texts import translate
from tests.builders import day_statistics
from tests.builders.summary_days import HOSTILE, rejects, run, summaries

DAY = day_statistics.DAY
VOID = {"meta", "br", "img", "link", "input", "hr"}
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def statistics_of(
    count: int, seed: int = 1, rejected: int = 0, runs: list | None = None, day: date = DAY, **kind
) -> DayStatistics:
    rows = summaries(count, seed, day=day, **kind)
    return day_statistics.statistics_of(rows, rejects=[rejects(rejected)], runs=runs, day=day)


def later(**values) -> dict:
    """A run that finished after the usual one."""
    return run(finished_at=datetime(2026, 11, 23, 9, tzinfo=UTC), **values)


DAYS = {
    "full": cache(lambda: statistics_of(600, rejected=30)),
    "small": cache(lambda: statistics_of(9, rejected=1)),
    "hostile": cache(lambda: statistics_of(400, hostile=True, rejected=5)),
    "offline": cache(lambda: statistics_of(80, model=OFFLINE_MODEL)),
    "unknown": cache(lambda: statistics_of(120, unknown=1.0)),
    "calm": cache(lambda: statistics_of(120, negative_scale=0.0, unknown=0.0)),
    "rejected": cache(lambda: statistics_of(0, rejected=40)),
    "empty": cache(lambda: day_statistics.statistics_of(runs=[])),
}


@pytest.fixture(params=DAYS)
def statistics(request) -> DayStatistics:
    return DAYS[request.param]()


class Page(HTMLParser):
    """Checks nesting; collects elements and the text that each language shows."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[tuple[str, dict[str, str | None]]] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.shown: dict[str, list[str]] = {"zh": [], "en": []}
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        assert len(attributes) == len(attrs), "an attribute twice"
        self.elements.append((tag, attributes))
        if tag not in VOID:
            self.open.append((tag, attributes))

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open
        assert self.open.pop()[0] == tag

    def handle_data(self, data):
        names = {tag for tag, _ in self.open}
        if names & {"style", "script", "title"}:
            return
        hidden = {attributes.get("class") for _, attributes in self.open}
        for language, other in (("zh", "en"), ("en", "zh")):
            if other not in hidden:
                self.shown[language].append(data)

    def text(self, language: str) -> str:
        return " ".join(" ".join(self.shown[language]).split())


def test_render_html_is_well_formed_and_needs_no_network(statistics):
    html = render_html(statistics)
    page = Page(html)
    names = {tag for tag, _ in page.elements}
    assert not names & {"img", "link", "iframe", "object", "embed", "base", "form", "use", "image", "a"}
    for _, attributes in page.elements:
        assert not set(attributes) & {"href", "src", "style", "xlink:href", "srcset", "action"}
        assert not any(name.startswith("on") for name in attributes)
    code = "".join(re.findall(r"<(?:style|script)>(.*?)</(?:style|script)>", html, re.DOTALL))
    assert "//" not in re.sub(r"^\s*// .*$", "", code, flags=re.MULTILINE)
    assert "url(" not in code
    assert "@import" not in code


def test_render_html_lets_only_its_own_style_and_script_run(statistics):
    html = render_html(statistics)
    page = Page(html)
    policy = next(
        attributes["content"]
        for tag, attributes in page.elements
        if attributes.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy is not None
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    for tag in ("style", "script"):
        (inside,) = re.findall(f"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
        digest_of_code = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest_of_code}'" in policy


def test_render_html_makes_hostile_texts_inert():
    html = render_html(statistics_of(700, hostile=True))
    harmless = render_html(statistics_of(700))
    kinds = [sorted({tag for tag, _ in Page(text).elements}) for text in (html, harmless)]
    assert kinds[0] == kinds[1]
    assert html.count("<script") == html.count("<style") == 1
    shown = Page(html).text("zh")
    for text in HOSTILE:
        if text in {case.plan for case in statistics_of(700, hostile=True).examples}:
            assert " ".join(clip(text).split()) in shown
    assert not re.search(r"[\x00-\x08\u202a-\u202e\u2066-\u2069]", html)


def test_headline_names_the_commonest_themes_and_never_what_fits_none():
    context = Context(theme_names={"shipping_fee": ("运费", "Shipping fee"), "refund": ("退款", "Refund")})
    page = make_page(statistics_of(600), context)
    assert page.lede[0].zh == "当天共 600 次对话，最常见的来意是运费、logistics_progress、退款。"


def test_headline_names_words_where_no_theme_has_enough_conversations():
    assert "客户说得最多的是" in make_page(statistics_of(9), Context()).lede[0].zh


@pytest.mark.parametrize(("heading", "words"), [("客户在问什么", "issues"), ("客服给了什么方案", "plans")])
def test_both_reports_tell_what_was_asked_and_offered_and_how_often_it_was_accepted(heading, words):
    statistics = statistics_of(700)
    groups = getattr(statistics, words).groups[:12]
    assert groups
    html = Page(render_html(statistics)).text("zh").partition(f" {heading} ")[2]
    markdown = render_markdown(statistics).partition(f"## {heading}\n")[2].partition("\n## ")[0]
    for group in groups:
        share = group.outcomes.accepted("yes")
        assert f" {group.key} {share.whole} {percent(share)} {share.part}/{share.whole} " in html
        assert f"| {group.key} | {share.whole} | {share_text(share)}" in markdown


def test_render_html_shows_both_languages_whole(statistics):
    page = Page(render_html(statistics))
    assert CHINESE.search(page.text("zh"))
    english = page.text("en")
    told = {case.issue for case in statistics.examples} | {case.plan for case in statistics.examples}
    told |= {case.accepted_text for case in statistics.examples} | {
        case.negative_sentiment_text for case in statistics.examples
    }
    told |= {group.key for group in (*statistics.issues.groups, *statistics.plans.groups, *statistics.channels)} | {
        "中文"
    }
    for text in sorted((" ".join(clip(text).split()) for text in told if text), key=len, reverse=True):
        english = english.replace(text, "")
    assert not CHINESE.search(english)


def test_render_html_declares_its_language_and_labels():
    page = Page(render_html(DAYS["full"]()))
    assert ("html", {"lang": "zh-CN"}) in page.elements
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    for tag, attributes in page.elements:
        if "aria-labelledby" in attributes:
            assert attributes["aria-labelledby"] in ids
        if attributes.get("class") in ("zh", "en"):
            assert (attributes["class"], attributes["lang"]) in (("zh", "zh-CN"), ("en", "en"))
        if tag == "svg":
            assert attributes.get("aria-hidden") == "true"


def test_the_table_of_themes_says_how_many_it_leaves_out():
    statistics = statistics_of(40)
    page = make_page(statistics, Context())
    themed = [group for group in statistics.themes if group.key]
    shown = {driver.row.label.zh: driver.row.outcomes.total for driver in page.drivers}
    left = [group.outcomes.total for group in themed if group.key not in shown]
    assert left
    assert page.drivers_rest == translate("more_groups", groups=len(left), count=sum(left))
    assert page.drivers_rest.zh in render_markdown(statistics)
    assert make_page(statistics_of(700), Context()).drivers_rest is None


def test_words_that_are_left_out_are_counted_as_words():
    statistics = statistics_of(700)
    page = make_page(statistics, Context())
    left = len(statistics.issues.groups) - len(page.words.rows)
    assert left
    assert page.words.rest == translate("more_words", groups=left)


def test_renderings_are_the_same_every_time():
    for render in (render_html, render_markdown, render_picture):
        assert render(DAYS["hostile"]()) == render(DAYS["hostile"]())


def test_renderings_show_the_headline_figures_with_their_counts():
    statistics = DAYS["full"]()
    negative, accepted = statistics.outcomes.negative("yes"), statistics.outcomes.accepted("yes")
    for text in (Page(render_html(statistics)).text("zh"), render_markdown(statistics), render_picture(statistics)):
        for share in (negative, accepted):
            assert f"{share.part}/{share.whole}" in text
            assert f"{share.value:.1%}" in text
        assert str(statistics.conversations) in text


@pytest.mark.parametrize("render", [render_html, render_markdown, render_picture])
def test_renderings_say_when_rules_made_the_summaries(render):
    assert "规则摘要，非模型" in render(DAYS["offline"]())
    assert "规则摘要" not in render(DAYS["full"]())


def test_renderings_say_first_what_could_not_be_read_and_count_it_in_the_coverage():
    unread = {"unread_files": 2, "unread_conversations": 411, "outside_day": 17}
    statistics = statistics_of(38, rejected=2, runs=[run(), later(**unread)])
    assert statistics.coverage == Proportion(38, 40 - 2 + 411)
    html, markdown = Page(render_html(statistics)).text("zh"), render_markdown(statistics)
    for text in (html, markdown):
        said = text.index("有 2 个日志文件无法读取，约 411 次对话在其中")
        assert said < text.index("共 40 次对话") < text.index("38/449")
        assert "98%" not in text
    assert "其他日期的对话，未计入" in markdown
    assert "411" in render_markdown(statistics, language="en").partition("Customers spoke")[0]
    mended = statistics_of(40, runs=[run(**unread), later()])
    assert mended.coverage == Proportion(40, 40)
    assert "无法读取" not in render_markdown(mended).partition("## ")[0]


def test_renderings_name_the_currency_of_the_cost_unless_there_are_several():
    assert "¥3.66" in render_markdown(statistics_of(20, runs=[run(currency="¥"), run(currency="¥")]))
    assert "1.83 CNY" in render_markdown(statistics_of(20, runs=[run(currency="CNY")]))
    several = render_markdown(statistics_of(20, runs=[run(currency="¥"), run(currency="$")]))
    assert "| 3.66 |" in several


def test_renderings_say_which_part_rules_made():
    statistics = day_statistics.statistics_of(summaries(30, model=OFFLINE_MODEL), summaries(70, 2))
    for text in (render_html(statistics), render_markdown(statistics)):
        assert "其中 30.0% (30/100) 为规则摘要，非模型" in text
        assert "来自多个模型或提示词" in text


@pytest.mark.parametrize(
    ("day", "sentence"),
    [
        ("empty", "没有读到任何对话"),
        ("rejected", "没有一次得到摘要"),
        ("calm", "没有发现负面情绪。"),
        ("unknown", "无法判断"),
    ],
)
def test_renderings_of_unusual_days_say_so(day, sentence):
    statistics = DAYS[day]()
    assert sentence in render_html(statistics)
    assert sentence in render_markdown(statistics)
    assert "nan" not in render_html(statistics).lower().replace("finance", "")
    assert "None" not in render_markdown(statistics)


def test_renderings_do_not_speak_of_channels_and_hours_that_no_log_names():
    rows = summaries(12)
    for name, empty in (("channel", [""] * 12), ("started_at", [None] * 12)):
        field = rows.schema.field(name)
        rows = rows.set_column(rows.schema.get_field_index(name), field, pa.array(empty, field.type))
    statistics = day_statistics.statistics_of(rows)
    for text in (Page(render_html(statistics)).text("zh"), render_markdown(statistics)):
        assert "日志没有写明渠道。" in text
        assert "日志没有写明时间。" in text
        assert "（未注明）" not in text
    assert "Nothing stands out overall." in render_markdown(statistics_of(12), language="en")


def test_renderings_compare_with_the_days_before():
    history = {DAY - timedelta(days=back): statistics_of(500, back, negative_scale=0.3).metrics for back in range(1, 8)}
    statistics = statistics_of(600, 9)
    for text in (
        Page(render_html(statistics, Context(history=history))).text("zh"),
        render_markdown(statistics, Context(history=history)),
    ):
        assert "前一天 500" in text
        assert "前 7 天日均 500" in text
        assert "高于前 7 天的" in text
        assert "个百分点" in text
    assert "前一天" not in Page(render_html(statistics)).text("zh")


def test_renderings_of_a_span_show_each_day():
    days = {
        day: [summaries(200 + back, back, day=day)]
        for back, day in ((back, DAY - timedelta(days=back)) for back in range(6, -1, -1))
    }
    lost = {day: [rejects(3)] for day in days}
    published = [day_statistics.statistics_of(*days[day], rejects=lost[day], day=day) for day in days]
    whole = day_statistics.statistics_of_days(days, lost)
    assert whole.conversations == sum(statistics.conversations for statistics in published)
    context = Context(days=tuple(map(day_statistics.figures_of, published)))
    for text in (render_html(whole, context), render_markdown(whole, context)):
        assert "2026-11-16 星期一 至 2026-11-22 星期日" in text
        for statistics in published:
            assert f"{statistics.start}" in text
            assert f"{statistics.conversations:,}" in text


def test_renderings_of_a_span_mark_the_day_from_which_another_model_answers():
    models = ("first", "first", "second", "second")
    days = [
        statistics_of(30, model=model, day=DAY - timedelta(days=back))
        for model, back in zip(models, range(3, -1, -1), strict=True)
    ]
    for render in (render_html, render_markdown):
        figures = tuple(map(day_statistics.figures_of, days))
        text = render(days[-1], Context(days=figures))
        assert re.search(rf"{DAY - timedelta(days=1)} [^|]{{1,90}}? ◆", text)
        assert "模型或提示词与前一天不同" in text
        assert "◆" not in render(days[-1], Context(days=figures[:2]))


def test_render_markdown_tables_are_well_formed(statistics):
    text = render_markdown(statistics)
    for block in text.split("\n\n"):
        lines = block.split("\n")
        if not lines[0].startswith("|"):
            continue
        assert re.fullmatch(r"\|(?: ---:? \|)+", lines[1])
        for line in lines:
            assert line.startswith("| ")
            assert line.endswith(" |")
            assert line.count("|") == lines[0].count("|")


def test_render_markdown_makes_no_link_where_backslashes_are_taken_away_first():
    text = render_markdown(statistics_of(700, hostile=True)).replace("\\", "")
    assert not re.search(r"(?:https?|ftp)://|www\.|[-.\w+]@[-\w]+\.", text, re.IGNORECASE)


def test_render_markdown_holds_no_markup_from_cells():
    text = re.sub(
        r"\\[!-/:-@\[-`{-~]", "", render_markdown(statistics_of(700, hostile=True))
    )  # without what is escaped
    assert "&#" not in text, "Prefect's UI would show it so"
    assert not re.search(r"[<`\\]|!\[|\]\(|https?://|www\.", text, re.IGNORECASE)
    for line in text.split("\n"):
        assert not line.startswith("#") or re.fullmatch(r"#{1,2} [^#]+", line)
        assert line.count("*") in (0, 2, 4)


@pytest.mark.parametrize("day", DAYS)
def test_render_markdown_in_english_holds_no_chinese_of_its_own(day):
    statistics = DAYS[day]()
    text = render_markdown(statistics, language="en")
    rows = [line for line in text.split("\n") if not line.startswith("|")]
    own = "\n".join(rows)
    for group in (*statistics.issues.groups, *statistics.plans.groups, *statistics.channels):
        own = own.replace(group.key or " ", "")
    assert not CHINESE.search(own)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_render_picture_is_a_small_svg_of_its_own(statistics, language):
    text = render_picture(statistics, language=language)
    root = ET.fromstring(text)
    assert (root.get("width"), root.get("height")) == ("900", "520")
    assert re.findall(r"\w+://[^\"'\s]*", text) == ["http://www.w3.org/2000/svg"]
    assert len(text) < 20_000


@pytest.mark.parametrize(
    ("text", "expected"),
    [("a\nb\t\x00c", "a b c"), ("\u202eabc\u200b", "abc"), ("长" * 200, "长" * 159 + "…"), ("", "")],
)
def test_clip_gives_one_visible_line(text, expected):
    assert clip(text) == expected


def test_interval_range_is_for_few_only():
    assert interval_range(Proportion(1, 8)) == "2–47%"
    assert interval_range(Proportion(10, 80)) == ""
    assert interval_range(Proportion(0, 0)) == ""
