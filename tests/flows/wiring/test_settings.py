import re
from datetime import date
from pathlib import Path
from typing import get_args

import pytest
from prefect.utilities.callables import parameter_schema
from prefect.utilities.schema_tools.validation import ValidationError as PrefectValidationError
from prefect.utilities.schema_tools.validation import validate

from flows.backfill_days import backfill_days
from flows.expire_files import expire_files
from flows.summarize_day import summarize_day
from flows.wiring.commands.flags import parser
from flows.wiring.services import check_settings, open_source, open_summarizer, open_warehouse, quota_of
from flows.wiring.settings import Settings, flags, load_settings
from flows.wiring.source_names import source_of
from tasks.domain.errors import StoreRefused, UsageError
from tests.servers.bos import BosServer

DAY = date(2026, 11, 22)


def open_everything(settings):
    config = load_settings(settings)
    open_source(config, DAY)
    open_warehouse(config)
    open_summarizer(config)
    quota_of(config)


def test_help_names_every_summarizer():
    told = re.findall("[a-z-]+", flags()["summarizer"].description)
    assert set(get_args(Settings.model_fields["summarizer"].annotation)) <= set(told)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"summarizer": "qianfan", "endpoint": "x"}, "QIANFAN_ACCESS_KEY"),
        ({"summarizer": "qianfan"}, "--endpoint"),
        ({"summarizer": "openai", "endpoint": "x"}, "OPENAI_BASE_URL"),
        ({"source": "bos://logs/{day}"}, "BCE_ACCESS_KEY_ID"),
        ({"shards": 3}, "--shards"),
        ({"shards": 0}, "--shards"),
        ({"source": "s3://logs"}, "s3://"),
        ({"source": "logs/{month}"}, "{day}"),
        ({"source": "logs/{day"}, "{day}"),
        ({"source": "logs/{day[0]}"}, "{day}"),
        ({"rpm": 0}, "--rpm"),
        ({"rpm": "many"}, "--rpm"),
        ({"timezone": "Mars/Olympus"}, "Mars/Olympus"),
        ({"nonsense": 1}, "nonsense"),
        ({"qianfan_secret_key": "x"}, "qianfan_secret_key"),
        ({"prompt": "none"}, "sft-v1"),
        ({"shared_quota": "a/b", "rpm": 60}, "--shared-quota"),
        ({"shared_quota": "sft"}, "--rpm or --tpm"),
    ],
)
def test_wrong_settings_are_refused_in_one_line(settings, words):
    with pytest.raises(UsageError, match=re.escape(words)) as refused:
        open_everything(settings)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("setting", [{"timezone": "Mars/Olympus"}, {"rpm": "many"}, {"summarizer": "tea leaves"}])
def test_a_wrong_value_is_quoted_once(setting, monkeypatch):
    ((name, value),) = setting.items()
    with pytest.raises(UsageError, match=f"^--{name}: ") as refused:
        load_settings(setting)
    monkeypatch.setenv(f"KEFU_{name.upper()}", value)
    with pytest.raises(UsageError, match=f"^KEFU_{name.upper()}: ") as refused_there:
        load_settings({})
    assert str(refused.value).count(value) == str(refused_there.value).count(value) == 1


@pytest.mark.parametrize("name", ["OPENAI_BASE_URL", "QIANFAN_BASE_URL", "QIANFAN_CONSOLE_API_BASE_URL"])
@pytest.mark.parametrize("address", ["nonsense", "user:do-not-show@host/v1", "http://", "https:///v1"])
def test_an_address_that_is_none_is_refused_before_anything_is_called(name, address, monkeypatch):
    monkeypatch.setenv(name, address)
    with pytest.raises(UsageError, match=f"{name}.*no address") as refused:
        check_settings({})
    assert "do-not-show" not in str(refused.value)


def test_a_file_of_alerts_that_is_wrong_is_refused_before_anything_is_started(tmp_path):
    (tmp_path / "alerts.toml").write_text("[[alerts]]\nunhapy = 3\n", encoding="utf-8")
    with pytest.raises(UsageError, match="an alert needs a name"):
        check_settings({"alerts": str(tmp_path / "alerts.toml")})


def test_a_log_format_that_is_none_is_refused_before_anything_is_started(tmp_path):
    with pytest.raises(UsageError, match=r"no log format 'nope'; there are auto, .*jddc"):
        check_settings({"log_format": "nope"})
    (tmp_path / "my.toml").write_text('[nope]\ncolumns = ["conversation_id", "role", "text"]\n', encoding="utf-8")
    check_settings({"log_format": "nope", "mappings": str(tmp_path / "my.toml")})


def test_batch_inference_says_what_it_needs(monkeypatch):
    settings = {"summarizer": "qianfan-batch", "endpoint": "x", "warehouse": "folder"}
    with pytest.raises(UsageError, match="QIANFAN_ACCESS_KEY"):
        check_settings(settings)
    monkeypatch.setenv("QIANFAN_ACCESS_KEY", "key")
    monkeypatch.setenv("QIANFAN_SECRET_KEY", "secret")
    with pytest.raises(UsageError, match="a warehouse in BOS"):
        check_settings(settings)
    with pytest.raises(UsageError, match="--endpoint"):
        check_settings(settings | {"endpoint": ""})


def test_a_flag_beats_the_environment_and_that_beats_the_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert load_settings({}).concurrency == 128
    (tmp_path / ".env").write_text("KEFU_CONCURRENCY=1\nKEFU_RPM=10\n", encoding="utf-8")
    assert load_settings({}).concurrency == 1
    monkeypatch.setenv("KEFU_CONCURRENCY", "2")
    assert (load_settings({}).concurrency, load_settings({}).rpm) == (2, 10)
    assert load_settings({"concurrency": 3}).concurrency == 3


@pytest.mark.parametrize("name", ["QIANFAN_SECRET_KEY", "OPENAI_API_KEY"])
def test_a_key_under_another_name_is_refused_by_its_own(name, monkeypatch):
    monkeypatch.setenv(f"KEFU_{name}", "never-shown-key")
    with pytest.raises(
        UsageError, match=rf"KEFU_{name} in the environment is no setting: did you mean {name}\?"
    ) as error:
        load_settings({})
    assert "never-shown-key" not in str(error.value)


@pytest.mark.parametrize("name", ["KEFU_RMP", "kefu_rmp", "KEFU_RPMM"])
def test_a_misspelled_name_is_refused_with_the_nearest_one(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text(f"{name}=60\nKEFU_NONSENSE_QQQ=x\n", encoding="utf-8")
    with pytest.raises(UsageError, match=rf"{name.upper()} in \.env is no setting: did you mean KEFU_RPM\?") as refused:
        load_settings({})
    assert "KEFU_NONSENSE_QQQ in .env is no setting: --help" in str(refused.value)
    (tmp_path / ".env").unlink()
    monkeypatch.setenv(name, "60")
    with pytest.raises(UsageError, match=f"{name.upper()} in the environment"):
        check_settings({})


def test_names_that_are_known_or_not_ours_are_no_mistake(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = ["POSTGRES_PASSWORD", "KEFUX", "KEFU_HOME", "KEFU_WEBHOOK_URL", "kefu_endpoint"]
    (tmp_path / ".env").write_text("".join(f"{name}=x\n" for name in names), encoding="utf-8")
    for name in names:
        monkeypatch.setenv(name, "x")
    assert load_settings({}).endpoint == "x"


def test_secrets_are_not_shown(monkeypatch):
    monkeypatch.setenv("QIANFAN_SECRET_KEY", "do-not-show")
    monkeypatch.setenv("QIANFAN_ACCESS_KEY", "do-not-show-either")
    config = load_settings({"summarizer": "qianfan", "endpoint": "x"})
    assert config.bce_secret_access_key.get_secret_value() == "do-not-show"
    assert "do-not-show" not in repr(config) + str(config) + config.model_dump_json() + repr(open_summarizer(config))


@pytest.mark.parametrize(
    ("template", "uri"),
    [
        ("logs/{day}", "logs/2026-11-22"),
        ("bos://bucket/{day:%Y/%m/%d}/x", "bos://bucket/2026/11/22/x"),
        ("everything", "everything"),
        ("{{day}}", "{day}"),
    ],
)
def test_source_of_fills_in_the_day(template, uri):
    assert source_of(template, DAY) == uri


def test_open_source_names_a_file_a_folder_or_a_bucket(monkeypatch):
    for name in ("BCE_ACCESS_KEY_ID", "BCE_SECRET_ACCESS_KEY", "BOS_ENDPOINT"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")

    def opened(source):
        store, name = open_source(load_settings({"source": source}), DAY)
        return store.uri, name

    assert opened("logs/{day}/") == ("logs", "2026-11-22")
    assert opened("day.tsv") == (".", "day.tsv")
    assert opened("/day.tsv") == ("/", "day.tsv")
    assert opened("bos://bucket") == ("bos://bucket", "")
    assert opened("bos://bucket/logs") == ("bos://bucket", "logs")
    assert opened("bos://bucket/logs/{day}") == ("bos://bucket/logs", "2026-11-22")


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("OPENAI_API_KEY", "made-up\nkey", "line breaks"),
        ("QIANFAN_BEARER_TOKEN", "made up", "line breaks"),
        ("SSL_CERT_FILE", "/nowhere/ca.pem", "there is no file /nowhere/ca.pem"),
        ("ALL_PROXY", "socks5://127.0.0.1:1080", "SOCKS"),
        ("OPENAI_BASE_URL", "http://localhost:notaport/v1", "no address"),
        ("KEFU_RETRY", "unparsable", "there is no reason unparsable"),
        ("KEFU_EXTRA_FIELDS", "[1]", "no JSON object"),
        ("KEFU_MAX_COST", "1", "--prompt-token-price"),
    ],
)
def test_what_would_break_every_call_is_one_sentence(name, value, complaint, monkeypatch):
    monkeypatch.setenv(name, value)
    with pytest.raises(UsageError, match=complaint) as refused:
        load_settings({})
    assert "made" not in str(refused.value)


def test_a_key_loses_the_line_end_that_a_file_gave_it(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "made-up-key\n")
    assert load_settings({}).openai_api_key.get_secret_value() == "made-up-key"


def test_options_of_the_model_are_settings_and_those_of_the_default_leave_no_trace(monkeypatch):
    assert load_settings({}).model_options.fingerprint() == ""
    chosen = load_settings({"thinking": "off", "extra_fields": '{"top_p": 0.5}', "appid": "app-1"}).model_options
    assert chosen.body()["enable_thinking"] is False
    assert chosen.body()["top_p"] == 0.5
    assert chosen.headers == {"appid": "app-1"}
    assert "app-1" not in chosen.fingerprint()


def test_prices_for_a_million_tokens_are_the_same_prices():
    thousand = load_settings({"prompt_token_price": 0.002, "completion_token_price": 0.008})
    million = load_settings({"prompt_million_price": 2, "completion_million_price": 8, "max_cost": 1})
    assert million.cost(1_000_000, 500_000) == pytest.approx(thousand.cost(1_000_000, 500_000)) == pytest.approx(6)
    with pytest.raises(UsageError, match="are one price"):
        load_settings({"prompt_token_price": 0.002, "prompt_million_price": 2})


@pytest.mark.parametrize(
    ("summarizer", "prompt"), [("qianfan", "sft-v1"), ("openai", "general-v1"), ("offline", "sft-v1")]
)
def test_the_prompt_fits_the_summarizer_unless_one_is_named(summarizer, prompt):
    assert load_settings({"summarizer": summarizer}).prompt == prompt
    assert load_settings({"summarizer": summarizer, "prompt": "sft-v1"}).prompt == "sft-v1"


@pytest.mark.parametrize("name", ["KEFU_QIANFAN_SECRET_KEY", "KEFU_OPENAI_API_KEY", "KEFU_BOS_ENDPOINT"])
def test_a_key_under_a_name_that_is_not_its_own_is_refused_unquoted(name, monkeypatch):
    monkeypatch.setenv(name, "CANARY")
    with pytest.raises(UsageError, match=name) as refused:
        load_settings({})
    assert "CANARY" not in str(refused.value)


def test_an_unknown_flag_is_told_the_nearest_one(capsys):
    with pytest.raises(SystemExit):
        parser("flows.summarize_day", "").parse_args(["--sumarizer", "openai"])
    assert "there is no flag --sumarizer: did you mean --summarizer?" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("rpm", "many", "this is no whole number"),
        ("rpm", "1.5", "this is no whole number"),
        ("rpm", "0", "this has to be greater than 0"),
        ("qps", "fast", "this is no number"),
        ("canary_calls", "-1", "this has to be at least 0"),
        ("max_reject_ratio", "1.5", "this has to be at most 1"),
        ("thinking", "hard", "this has to be '', 'off', 'on', 'low', 'medium' or 'high'"),
        ("currency", "Renminbi Yuan", "this has to be at most 8 characters long"),
        ("mask", "perhaps", "this is neither true nor false"),
    ],
)
def test_a_wrong_value_is_told_in_few_words(name, value, words):
    with pytest.raises(UsageError) as wrong:
        check_settings({name: value})
    assert str(wrong.value) == f"--{name.replace('_', '-')}: {words} (it is {value!r})"


def test_a_secret_behind_an_unknown_flag_is_not_repeated(capsys):
    with pytest.raises(SystemExit):
        parser("flows.summarize_day", "").parse_args(["--qianfan-secret-key", "CANARY", "--openai-api-key=CANARY"])
    told = capsys.readouterr().err
    assert "--qianfan-secret-key" in told
    assert "CANARY" not in told


@pytest.mark.parametrize("flow", [summarize_day, expire_files, backfill_days], ids=lambda flow: flow.name)
def test_a_key_as_a_parameter_is_refused_by_the_server_before_it_is_stored(flow):
    schema = parameter_schema(flow.fn).model_dump_for_openapi()
    days = {"start": "2026-11-22", "end": "2026-11-22"} if flow is backfill_days else {}
    validate({**days, "settings": {"rpm": 60}}, schema, raise_on_error=True)
    with pytest.raises(PrefectValidationError):
        validate({**days, "settings": {"qianfan_secret_key": "CANARY"}}, schema, raise_on_error=True)


@pytest.mark.parametrize("name", ["x" * 5000, "Asia", ""])
def test_a_zone_that_is_none_is_refused_in_one_line(name):
    with pytest.raises(UsageError, match="no time zone"):
        load_settings({"timezone": name})


@pytest.mark.parametrize("name", ["source", "warehouse", "scratch", "mappings", "themes", "questions", "prompt"])
@pytest.mark.parametrize(
    "path", ["logs/" + "n" * 300 + ".txt", "/".join(["logs"] * 1000), "logs/a\0b", "日志" * 50 + ".txt"]
)
def test_a_path_that_no_file_can_have_is_refused_in_one_line(name, path):
    with pytest.raises(UsageError, match=f"^--{name}: a path has ") as refused:
        load_settings({name: path})
    assert path not in str(refused.value)


def test_a_certificate_at_a_path_that_no_file_can_have_is_refused(monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", "n" * 300)
    with pytest.raises(UsageError, match=r"^SSL_CERT_FILE: a path has "):
        load_settings({})


@pytest.mark.parametrize("name", ["rpm", "max_cost", "summarizer", "timezone", "mask", "retry", "shared_quota"])
def test_a_key_in_place_of_another_value_is_not_repeated(name, monkeypatch):
    monkeypatch.setenv(f"KEFU_{name.upper()}", "sk-do not show 0123456789abcdef")
    with pytest.raises(UsageError, match=f"^KEFU_{name.upper()}: ") as refused:
        load_settings({})
    assert "do not show" not in str(refused.value)


def test_a_session_that_expires_is_renewed_from_the_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with BosServer(session_token="first") as bos:

        def issue(session: str) -> None:
            pair = f"BCE_ACCESS_KEY_ID={bos.access_key_id}\nBCE_SECRET_ACCESS_KEY={bos.secret_access_key}\n"
            Path(".env").write_text(f"{pair}BCE_SESSION_TOKEN={session}\nBOS_ENDPOINT={bos.endpoint}\n")

        issue("first")
        store = open_warehouse(load_settings({"warehouse": f"bos://{bos.bucket}/tables"}))
        store.write_path("a", b"1")
        bos.session_token = "second"
        with pytest.raises(StoreRefused):
            store.read_path("a")
        issue("second")
        assert store.read_path("a") == b"1"
