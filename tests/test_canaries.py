"""Everything that runs leave behind, searched for every secret they were given and for the personal data of the logs.

Real commands at the DEBUG level against servers that speak the wire, after success and after failures of every kind.
"""

import base64
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack

import orjson
import pytest

from tests.builders.traces import Traces
from tests.conftest import ROOT
from tests.servers.bos import BosServer
from tests.servers.prefect import prefect_server
from tests.servers.qianfan import QianfanServer
from tests.servers.receiver import Receiver, receiver

pytestmark = pytest.mark.timeout(900)

DAY = "2026-11-22"

SECRETS = {
    name: f"canary-{name.lower().replace('_', '-')}-4f7a"
    for name in (
        "QIANFAN_ACCESS_KEY",
        "QIANFAN_SECRET_KEY",
        "QIANFAN_BEARER_TOKEN",
        "BCE_ACCESS_KEY_ID",
        "BCE_SECRET_ACCESS_KEY",
        "BCE_SESSION_TOKEN",
        "OPENAI_API_KEY",
        "PASSWORD_IN_OPENAI_BASE_URL",
        "KEFU_PSEUDONYM_KEY",
        "KEFU_WEBHOOK_URL",
        "KEFU_REPORT_WEBHOOK_URL",
        "KEFU_ALIVE_URL",
        "PREFECT_API_AUTH_STRING",
    )
}
LOGIN = f"admin:{SECRETS['PREFECT_API_AUTH_STRING']}"
BASIC = base64.b64encode(f"reader:{SECRETS['PASSWORD_IN_OPENAI_BASE_URL']}".encode()).decode()

# Invented. Each stands in a customer's message, in an attribute, or in what a model answers.
PERSONAL = {
    "mobile": "13971825064",
    "mobile with blanks": "139 7182 5065",
    "landline": "027-87561934",
    "name": "欧阳锦棠",
    "address": "珞喻东路918号7栋2单元1603室",
    "mail": "jintang.ouyang@example.com",
    "ID card": "420106198907214536",
    "in a broken line": "13971825066",
    "in an answer": "13971825067",
    "in an answer that is none": "13971825068",
}
VISIBLE = "shop-of-plain-words"

# What customers, agents and the model wrote: tables and reports show it, Prefect's database does not.
WORDS = ("杯子碎了", "马上为您补发", "另一个号码", "抱歉，请直接拨打")


def conversation(number: int) -> bytes:
    texts = [
        f"第{number}单的杯子碎了，我叫{PERSONAL['name']}，电话{PERSONAL['mobile']}，也可打{PERSONAL['landline']}",
        f"寄到湖北省武汉市洪山区{PERSONAL['address']}，收件人：{PERSONAL['name']}",
        f"另一个号码 {PERSONAL['mobile with blanks']}，邮箱 {PERSONAL['mail']}，身份证{PERSONAL['ID card']}",
    ]
    turns = [{"role": "user", "text": text} for text in texts]
    turns.insert(1, {"role": "agent", "text": f"好的，{PERSONAL['name']}先生，马上为您补发。"})
    said = {
        "conversation_id": f"c{number:04}",
        "messages": turns,
        "shop": VISIBLE,
        "收件人": PERSONAL["name"],
        "phone": PERSONAL["mobile"],
    }
    return orjson.dumps(said)


def answer(_: str, prompt: str) -> str:
    if "第1单" in prompt:
        return f"抱歉，请直接拨打{PERSONAL['in an answer that is none']}。"
    issue = f"杯子碎了，请联系{PERSONAL['in an answer']}"
    return orjson.dumps({"用户问题": issue, "客服方案": "补发", "是否接受": "是", "是否负面情绪": "否"}).decode()


@pytest.fixture(scope="module", params=["short", pytest.param("long", marks=pytest.mark.long)])
def traces(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Traces]:
    """A night of commands and of what can go wrong; the servers saw the secrets, which are then to be found nowhere."""
    folder, logs = tmp_path_factory.mktemp("traces"), tmp_path_factory.mktemp("logs")
    lines = [conversation(number) for number in range(40)]
    lines[7] = lines[7][:-40] + PERSONAL["in a broken line"].encode()
    (logs / f"{DAY}.jsonl").write_bytes(b"\n".join(lines))
    for name in ("home", "tmp"):
        (folder / name).mkdir()
    with ExitStack() as stack:
        qianfan = stack.enter_context(QianfanServer())
        qianfan.keys = SECRETS["QIANFAN_ACCESS_KEY"], SECRETS["QIANFAN_SECRET_KEY"]
        qianfan.grant(SECRETS["QIANFAN_BEARER_TOKEN"])
        qianfan.authorizations = {f"Bearer {SECRETS['OPENAI_API_KEY']}", f"Basic {BASIC}"}
        qianfan.answers = answer
        bos = stack.enter_context(
            BosServer(
                access_key_id=SECRETS["BCE_ACCESS_KEY_ID"],
                secret_access_key=SECRETS["BCE_SECRET_ACCESS_KEY"],
                session_token=SECRETS["BCE_SESSION_TOKEN"],
            )
        )
        bos.put(f"logs/{DAY}.jsonl", b"\n".join(lines))
        hook = stack.enter_context(receiver())
        debug = {"PREFECT_LOGGING_LEVEL": "DEBUG", "PREFECT_LOGGING_ROOT_LEVEL": "DEBUG", "QIANFAN_LOG_LEVEL": "DEBUG"}
        prefect = stack.enter_context(
            prefect_server(folder / "prefect", LOGIN, PREFECT_SERVER_LOGGING_LEVEL="DEBUG", **debug)
        )
        environment = {
            **prefect.environment(),
            **debug,
            "PYTHONPATH": str(ROOT),
            "HOME": str(folder / "home"),
            "TMPDIR": str(folder / "tmp"),
            "PREFECT_LOGGING_TO_API_ENABLED": "true",
            "QIANFAN_ACCESS_KEY": SECRETS["QIANFAN_ACCESS_KEY"],
            "QIANFAN_SECRET_KEY": SECRETS["QIANFAN_SECRET_KEY"],
            "QIANFAN_BASE_URL": qianfan.url,
            "QIANFAN_CONSOLE_API_BASE_URL": qianfan.url,
            "QIANFAN_IAM_BASE_URL": qianfan.url,
            "BCE_ACCESS_KEY_ID": SECRETS["BCE_ACCESS_KEY_ID"],
            "BCE_SECRET_ACCESS_KEY": SECRETS["BCE_SECRET_ACCESS_KEY"],
            "BCE_SESSION_TOKEN": SECRETS["BCE_SESSION_TOKEN"],
            "BOS_ENDPOINT": bos.endpoint,
            "OPENAI_BASE_URL": f"{qianfan.url}/v1",
            "OPENAI_API_KEY": SECRETS["OPENAI_API_KEY"],
            "KEFU_PSEUDONYM_KEY": SECRETS["KEFU_PSEUDONYM_KEY"],
            "KEFU_WEBHOOK_URL": f"{hook.url}/{SECRETS['KEFU_WEBHOOK_URL']}",
            "KEFU_REPORT_WEBHOOK_URL": f"{hook.url}/{SECRETS['KEFU_REPORT_WEBHOOK_URL']}",
            "KEFU_ALIVE_URL": f"{hook.url}/{SECRETS['KEFU_ALIVE_URL']}",
            "KEFU_SOURCE": f"{logs}/{{day}}.jsonl",
            "KEFU_WAREHOUSE": str(folder / "warehouse"),
            "KEFU_GIVE_UP_SECONDS": "1",
            "KEFU_ENDPOINT": "m",
            "KEFU_MAX_REJECT_RATIO": "0.5",
        }
        made = Traces(folder, environment)
        night(made, qianfan, bos, hook, whole=request.param == "long")
        assert not hook.posted.empty(), "a card was sent"
        yield made


def night(traces: Traces, qianfan: QianfanServer, bos: BosServer, hook: Receiver, *, whole: bool) -> None:
    """Success, a kill, a receiver and an endpoint that repeat what they refuse; as a whole, failures of every kind."""
    day = ("flows.summarize_day", "--day", DAY, "--overwrite")
    at_openai = (*day, "--summarizer", "openai")
    at_qianfan = (*day, "--summarizer", "qianfan")
    in_bos = ("--source", "bos://kefu-logs/logs/{day}.jsonl", "--warehouse", "bos://kefu-logs/tables")
    host = qianfan.url.removeprefix("http://")
    by_password = {
        "OPENAI_API_KEY": "",
        "OPENAI_BASE_URL": f"http://reader:{SECRETS['PASSWORD_IN_OPENAI_BASE_URL']}@{host}/v1",
    }

    by_token = {"QIANFAN_BEARER_TOKEN": SECRETS["QIANFAN_BEARER_TOKEN"]}

    def run(name: str, expected: int, *command: str, **others: str) -> None:
        code = traces.run(name, *command, others=others)
        assert code == expected, f"{name}: {code}\n{traces.output(name)[-4000:]}"

    run("day in BOS", 0, *at_qianfan, *in_bos)
    qianfan.behavior.latency_median, calls = 20.0, len(qianfan.arrivals)
    patient = (*at_openai, "--endpoint", "slow", "--give-up-seconds", "60")
    assert traces.run("killed", *patient, until=lambda: len(qianfan.arrivals) > calls) == -signal.SIGKILL
    qianfan.behavior.latency_median = 0.0
    hook.replies += [(500, SECRETS["KEFU_REPORT_WEBHOOK_URL"].encode())] * 10
    run("day by password", 0, *at_openai, **by_password)
    hook.replies.clear()
    repeat(qianfan, "OPENAI_API_KEY")
    run("refused key", 1, *at_openai, "--endpoint", "refused")
    if not whole:
        return

    for name, flags, secret, more in (
        ("refused password", at_openai, "PASSWORD_IN_OPENAI_BASE_URL", by_password),
        ("refused token", at_qianfan, "QIANFAN_BEARER_TOKEN", by_token),
    ):
        repeat(qianfan, secret)
        run(name, 1, *flags, "--endpoint", "refused", **more)
    qianfan.behavior.status = 500
    run("down", 1, *at_openai, "--endpoint", "down")
    qianfan.behavior.status = 0
    run("check", 1, "flows.check_setup", KEFU_SUMMARIZER="openai")
    run("logs", 0, "flows.try_logs", traces.environment["KEFU_SOURCE"].replace("{day}", DAY))
    run("day by token", 0, *at_qianfan, "--endpoint", "other", **by_token)
    qianfan.keys = "another", "pair"
    run("refused pair", 1, *at_qianfan, "--endpoint", "refused")
    bos.secret_access_key = "another"
    run("refused bucket", 1, *at_qianfan, *in_bos)
    nobody = {"OPENAI_API_KEY": "", "OPENAI_BASE_URL": by_password["OPENAI_BASE_URL"].replace(host, "127.0.0.1:9")}
    run("nobody there", 1, *at_openai, "--endpoint", "nobody", **nobody)
    for name, value in (
        ("OPENAI_API_KEY", f"{SECRETS['OPENAI_API_KEY']} and more"),
        ("OPENAI_BASE_URL", f"reader:{SECRETS['PASSWORD_IN_OPENAI_BASE_URL']}@{host}"),
        ("QIANFAN_BASE_URL", f"http://reader:{SECRETS['PASSWORD_IN_OPENAI_BASE_URL']}@{host}x"),
        ("KEFU_OPENAI_API_KEY", SECRETS["OPENAI_API_KEY"]),
    ):
        run(f"wrong {name}", 2, *at_openai, **{name: value})
    run("watch by a wrong address", 2, "deployments.watch", KEFU_WEBHOOK_URL=f"{SECRETS['KEFU_WEBHOOK_URL']}://x")
    hook.replies += [(500, SECRETS["KEFU_WEBHOOK_URL"].encode())] * 10
    begun = time.monotonic()
    traces.run("watch", "deployments.watch", until=lambda: time.monotonic() > begun + 15)


def repeat(qianfan: QianfanServer, secret: str) -> None:
    """Let the server refuse, and repeat in its error whatever it was sent."""
    qianfan.behavior.status, qianfan.behavior.error_type = 401, SECRETS[secret]
    qianfan.behavior.error_message = f"Incorrect key {SECRETS[secret]} for {{prompt}}"


def test_no_secret_is_left_anywhere(traces: Traces):
    assert traces.places_of(SECRETS.values()) == {}


def test_no_personal_data_is_left_anywhere(traces: Traces):
    assert traces.places_of(PERSONAL.values()) == {}


def test_no_words_of_a_conversation_are_in_prefects_database(traces: Traces):
    places = {place for found in traces.places_of(WORDS).values() for place in found}
    assert any(place.startswith("prefect/") for place in traces.places_of(["summarize-day"])["summarize-day"])
    assert [place for place in places if place.startswith("prefect/")] == []
    assert any(place.startswith("warehouse/") for place in places)


def test_the_search_finds_what_is_there(traces: Traces):
    assert any("summaries" in place for place in traces.places_of([VISIBLE])[VISIBLE])
