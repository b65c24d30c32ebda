"""The real UI in a real Chromium, as somebody on call uses it; screenshots of each step lie in test-output/."""

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from tasks.reporting.rules.pages.html import render_html
from tests.conftest import ROOT
from tests.servers.served import Served, served
from tests.tasks.reporting.rules.pages.test_page import statistics_of

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

OUTPUT = ROOT / "test-output"
WIDTH, HEIGHT = 1400, 1000
QUIET = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def machine(tmp_path_factory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("machine"), "sqlite", {}) as started:
        yield started


class Page:
    """A browser on the UI of a machine; every wait ends with a picture of what was waited for."""

    def __init__(self, browser: webdriver.Chrome, machine: Served) -> None:
        self.browser = browser
        self.machine = machine

    def open(self, path: str) -> None:
        self.browser.get(f"{self.machine.url}{path}")

    def log_in(self) -> None:
        """Give the login as a person does; the browser keeps it."""
        self.open("/")
        field = self._wait(lambda: next(iter(self._all(By.CSS_SELECTOR, "input[type=password]")), None), "login", 60.0)
        field.send_keys(self.machine.login(), Keys.ENTER)
        self.see("Dashboard")

    def see(self, what: str, seconds: float = 60.0) -> WebElement:
        """The first element whose own text contains `what`."""
        quoted = f"//*[not(self::script)][text()[contains(., {what!r})]]"
        return self._wait(
            lambda: next((element for element in self._all(By.XPATH, quoted) if element.is_displayed()), None),
            what,
            seconds,
        )

    def field(self, label: str) -> WebElement:
        """The control below a label of the form."""
        path = f"//label[.//*[normalize-space(text())={label!r}]]/following::*[self::input or self::textarea][1]"
        return self._wait(lambda: next(iter(self._all(By.XPATH, path)), None), label, 30)

    def fill_in_day(self, label: str, day: str) -> None:
        self.field(label).send_keys(day[5:7] + day[8:] + day[:4])  # as the picker shows it: month, day, year

    def click(self, text: str) -> None:
        path = f"//*[self::button or self::a or self::li][.//text()[normalize-space(.)={text!r}]]"
        button = self._wait(
            lambda: next((element for element in self._all(By.XPATH, path) if element.is_displayed()), None),
            f"button {text}",
            30,
        )
        self.browser.execute_script("arguments[0].scrollIntoView({block: 'center'}); arguments[0].click()", button)

    def keep(self, name: str) -> None:
        """A picture of the whole page."""
        height = self.browser.execute_script(
            "return Math.max(...[...document.querySelectorAll('*')].map(one => one.scrollHeight))"
        )
        self.browser.set_window_size(WIDTH, min(max(int(height) + 150, HEIGHT), 6000))
        self.browser.save_screenshot(str(OUTPUT / f"{name}.png"))
        self.browser.set_window_size(WIDTH, HEIGHT)

    def text(self) -> str:
        return self.browser.find_element(By.TAG_NAME, "body").text

    def _all(self, how: str, what: str) -> list[WebElement]:
        return list(self.browser.find_elements(how, what))

    def _wait(self, look: Callable[[], WebElement | None], what: str, seconds: float) -> WebElement:
        try:
            return WebDriverWait(self.browser, seconds, 0.3).until(lambda _: look() or False)
        except Exception as error:
            self.keep("not-found")
            raise AssertionError(
                f"{what!r} did not show on {self.browser.current_url}:\n{self.text()[:3000]}"
            ) from error


@pytest.fixture(scope="module")
def browser(tmp_path_factory) -> Iterator[webdriver.Chrome]:
    OUTPUT.mkdir(exist_ok=True)
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for argument in (
        *QUIET,
        f"--window-size={WIDTH},{HEIGHT}",
        f"--user-data-dir={tmp_path_factory.mktemp('chromium')}",
    ):
        options.add_argument(argument)
    service = webdriver.ChromeService(executable_path=shutil.which("chromedriver"))
    with webdriver.Chrome(options=options, service=service) as browser:
        browser.set_script_timeout(30)
        yield browser


@pytest.fixture(scope="module")
def page(browser: webdriver.Chrome, machine: Served) -> Page:
    made = Page(browser, machine)
    made.log_in()
    return made


def open_form(page: Page, deployment: str) -> None:
    found = page.machine.ask("GET", f"/deployments/name/{deployment}")
    page.open(f"/deployments/deployment/{found['id']}/run")
    page.see("Parameters")


def submit(page: Page) -> dict[str, Any]:
    """Press the button; the backfill that it started."""
    wanted = {"sort": "EXPECTED_START_TIME_DESC", "flows": {"name": {"any_": ["backfill-days"]}}}
    before = {run["id"] for run in page.machine.ask("POST", "/flow_runs/filter", wanted)}
    page.click("Submit")
    until = time.monotonic() + 60
    while time.monotonic() < until:
        for run in page.machine.ask("POST", "/flow_runs/filter", wanted):
            if run["id"] not in before:
                return dict(run)
        time.sleep(0.5)
    page.keep("not-submitted")
    raise AssertionError(f"no run was started:\n{page.text()[:3000]}")


def open_artifact(page: Page, key: str) -> None:
    """The latest artifact of a key, by the list that people find it in."""
    page.open("/artifacts")
    page.see(key)
    (found,) = page.machine.ask("POST", "/artifacts/latest/filter", {"artifacts": {"key": {"any_": [key]}}})
    page.open(f"/artifacts/artifact/{found['latest_id']}")


def test_deployments_say_what_they_do(page: Page):
    page.open("/deployments")
    page.see("backfill-days")
    page.see("回填")
    page.keep("deployments")
    found = page.machine.ask("GET", "/deployments/name/backfill-days/backfill")
    page.open(f"/deployments/deployment/{found['id']}?tab=Description")
    page.see("回填一段日期")
    page.keep("description")


def test_backfill_is_filled_in_run_and_read(page: Page):
    open_form(page, "backfill-days/backfill")
    page.see("第一天")
    page.fill_in_day("start", "2026-11-20")
    page.fill_in_day("end", "2026-11-22")
    page.keep("form")
    run = submit(page)
    page.open(f"/runs/flow-run/{run['id']}")
    page.see("backfill-")
    page.keep("run-begun")
    assert page.machine.wait(run["id"], seconds=400)["state_name"] == "Completed"
    page.see("Completed")
    page.keep("run-ended")

    page.click("Artifacts")
    page.see("回填结果")
    page.keep("run-artifacts")
    open_artifact(page, "backfill-2026-11-20-2026-11-22")
    page.see("2026-11-21")
    page.see("完成 done")
    page.keep("table-of-days")

    open_artifact(page, "report-2026-11-22")
    page.see("接受方案")
    page.keep("report")

    open_artifact(page, "progress-2026-11-22")
    page.see("已完成 done")
    page.keep("progress")

    open_artifact(page, "rejects-2026-11-22")
    page.see("怎么办 what to do")
    page.keep("rejects")


def test_the_full_report_opens_from_its_artifact_behind_the_login(page: Page):
    open_artifact(page, "report-2026-11-22")
    link = page.see("完整报告").get_attribute("href")
    assert link is not None
    assert link.startswith("http://")
    page.browser.get(link)
    assert "客服对话日报" not in page.browser.title, "nobody reads it without the login"
    page.browser.get(link.replace("://", f"://{page.machine.login()}@"))  # as the browser's own dialog is answered
    assert "客服对话日报" in page.browser.title
    bar = page.browser.find_element(By.CSS_SELECTOR, ".behind")
    conversation = bar.find_element(By.TAG_NAME, "li")
    assert not conversation.is_displayed()
    bar.find_element(By.TAG_NAME, "summary").click()
    assert conversation.is_displayed(), "a bar opens its conversations"
    page.keep("report-behind-a-bar")
    page.browser.find_element(By.ID, "calendar").click()
    page.see("2026-11")
    page.keep("calendar")


def test_wrong_input_shows_one_clear_sentence(page: Page):
    open_form(page, "backfill-days/backfill")
    page.fill_in_day("start", "2026-11-22")
    page.fill_in_day("end", "2026-11-20")
    run = submit(page)
    assert page.machine.wait(run["id"], seconds=180)["state_name"] == "Failed"
    page.open(f"/runs/flow-run/{run['id']}")
    page.see("is before the first")
    page.keep("refused")
    message = page.machine.run(run["id"])["state"]["message"]
    assert "2026-11-22" in message
    assert "\n" not in message


def test_missing_input_is_marked_in_the_form(page: Page):
    open_form(page, "backfill-days/backfill")
    page.click("Submit")
    page.see("required")
    page.keep("form-incomplete")


@pytest.mark.parametrize("kind", ["baidu-credentials", "bos-bucket", "summarizer-endpoint"])
def test_block_is_a_form_with_explanations(page: Page, kind: str):
    page.open(f"/blocks/catalog/{kind}/create")
    page.see("Block Name")
    page.keep(f"block-{kind}")


def test_saved_block_hides_its_secret(page: Page):
    secret = "a-secret-that-nobody-may-see"
    page.open("/blocks/catalog/baidu-credentials/create")
    page.field("Block Name").send_keys("keys")
    page.field("Secret Key (Optional)").send_keys(secret)
    page.click("Create")
    page.see("Paste this snippet")
    page.keep("block-saved")
    assert secret not in page.text()
    assert secret not in page.browser.page_source


def test_screenshots_are_not_committed():
    assert f"/{OUTPUT.name}/" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert Path(OUTPUT).is_dir()


# The words of visible column headings that go over more than one line.
BROKEN_WORDS = """
const broken = [], texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (texts.nextNode()) {
  const text = texts.currentNode, range = document.createRange();
  if (!text.parentElement.closest("thead th")) continue;
  for (const word of text.data.matchAll(/[A-Za-z]+/g)) {
    range.setStart(text, word.index);
    range.setEnd(text, word.index + word[0].length);
    if (range.getClientRects().length > 1) broken.push(word[0]);
  }
}
return broken;
"""


def test_the_report_fits_a_phone_in_both_languages_and_stays_short_on_paper(browser: webdriver.Chrome, tmp_path):
    statistics = statistics_of(400)
    (tmp_path / "report.html").write_text(render_html(statistics), encoding="utf-8")
    phone = {"width": 390, "height": 800, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", phone)
    browser.get_log("browser")  # what pages before had to complain of is theirs
    try:
        browser.get((tmp_path / "report.html").as_uri())
        assert not browser.find_element(By.ID, "calendar").is_displayed(), "a file leads nowhere"
        for title in ("客服对话日报", "Customer service"):
            assert title in browser.title
            assert browser.execute_script("return document.documentElement.scrollWidth") <= phone["width"]
            assert browser.execute_script(BROKEN_WORDS) == []
            browser.find_element(By.ID, "language").click()
        last = browser.find_elements(By.CSS_SELECTOR, ".example")[-1]
        assert not last.is_displayed()
        browser.print_page()
        assert not last.is_displayed(), "a meeting's page unfolds nothing"
        complaints = [entry["message"] for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
        assert complaints == [], "such as a style that the page's own policy forbids"
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
