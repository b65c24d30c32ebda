"""Messages of `make serve` before it starts anything, and the promises of its README."""

import configparser
import fcntl
import json
import re
import socket
import urllib.error
import urllib.request
from datetime import timedelta
from uuid import uuid4

import pytest
import yaml  # type: ignore[import-untyped]
from prefect.client.schemas.objects import FlowRun
from prefect.settings import PREFECT_UI_URL, temporary_settings
from prefect.settings import Settings as PrefectSettings
from prefect.states import Completed

from deployments import parts, postgresql, serve, worker
from deployments.parts import announce
from deployments.serve import ROOT
from deployments.watch import facts
from flows.wiring.commands.own_server import free_port
from flows.wiring.settings import Settings

README = (ROOT / "deployments" / "README.md").read_text(encoding="utf-8")


def test_port_that_is_taken_is_named_and_another_one_offered(tmp_path, capsys):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert serve.main(["--folder", str(tmp_path), "--port", str(port)]) == 2
    assert re.fullmatch(rf"kefu-digest: Port {port} is taken; another one: --port \d+\.\n", capsys.readouterr().err)


def test_missing_postgresql_is_said_before_anything_starts(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(postgresql, "_DEBIAN", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert serve.main(["--folder", str(tmp_path), "--port", str(free_port())]) == 2
    told = capsys.readouterr().err
    assert "apt-get install postgresql" in told
    assert "--database sqlite" in told
    assert told.count("\n") == 1


@pytest.mark.parametrize(("name", "value"), [("KEFU_SORCE", "exports"), ("KEFU_RPM", "many")])
def test_a_wrong_setting_is_said_before_anything_starts(name, value, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv(name, value)
    monkeypatch.setattr(parts.Service, "start", lambda part: pytest.fail(f"{part.name} was started"))
    assert serve.main(["--folder", str(tmp_path), "--port", str(free_port())]) == 2
    assert capsys.readouterr().err.startswith(f"kefu-digest: {name}")


def test_address_that_others_reach_needs_a_login(tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("PREFECT_SERVER_API_AUTH_STRING", raising=False)
    assert serve.main(["--folder", str(tmp_path), "--host", "10.11.12.13"]) == 2
    assert "set PREFECT_SERVER_API_AUTH_STRING=USER:PASSWORD" in capsys.readouterr().err


def test_address_of_another_machine_is_refused(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("PREFECT_SERVER_API_AUTH_STRING", "somebody:something")
    assert serve.main(["--folder", str(tmp_path), "--host", "192.0.2.1"]) == 2
    assert "can't listen on 192.0.2.1:4200" in capsys.readouterr().err


@pytest.mark.parametrize("wrong", [["--host", "nowhere"], ["--port", "x"], ["--database", "mysql"]], ids=str)
def test_wrong_use_ends_with_2(wrong, capsys):
    with pytest.raises(SystemExit) as ended:
        serve.main(wrong)
    assert ended.value.code == 2
    assert wrong[1] in capsys.readouterr().err


def test_second_call_says_where_the_first_one_is(tmp_path, capsys):
    with (tmp_path / "serving").open("w") as first:
        fcntl.flock(first, fcntl.LOCK_EX)
        first.write("http://127.0.0.1:4200 (process 17)")
        first.flush()
        assert serve.main(["--folder", str(tmp_path)]) == 0
    assert "serving already: http://127.0.0.1:4200 (process 17)" in capsys.readouterr().out


@pytest.mark.parametrize("login", ["", " ", "nocolon", "user:", ":password", "user:short", "user:with blank"])
def test_a_login_that_protects_nothing_is_refused_before_anything_listens(login, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("PREFECT_SERVER_API_AUTH_STRING", login)
    assert serve.main(["--folder", str(tmp_path), "--port", str(free_port())]) == 2
    told = capsys.readouterr().err
    assert "USER:PASSWORD is expected" in told
    assert not login.strip() or login not in told.replace("USER:PASSWORD", "")


def test_the_first_start_makes_a_login_that_only_its_owner_reads(tmp_path, monkeypatch):
    monkeypatch.delenv("PREFECT_SERVER_API_AUTH_STRING", raising=False)
    made = serve._environment(tmp_path, "http://127.0.0.1:4200")
    again = serve._environment(tmp_path, "http://127.0.0.1:4200")
    assert made["PREFECT_SERVER_API_AUTH_STRING"] == again["PREFECT_API_AUTH_STRING"]
    assert re.fullmatch(r"admin:[\w-]{32}", made["PREFECT_SERVER_API_AUTH_STRING"])
    assert (tmp_path / "login").stat().st_mode & 0o777 == 0o600


def test_what_is_said_at_the_terminal_can_not_steer_it(capsys):
    announce("notification: \x1b]0;x\x07\x1b[2J\n12:00:00  worker: started again\u202e")
    told = capsys.readouterr().out
    assert told.count("\n") == 1
    assert not set(told) & set("\x1b\x07\u202e")


def test_login_of_the_server_is_the_login_of_its_parts(tmp_path, monkeypatch):
    monkeypatch.setenv("PREFECT_SERVER_API_AUTH_STRING", "somebody:something")
    monkeypatch.setenv("PREFECT_API_URL", "http://192.0.2.1/api")
    made = serve._environment(tmp_path, "http://127.0.0.1:4200")
    assert made["PREFECT_API_AUTH_STRING"] == "somebody:something"
    assert "PREFECT_API_URL" not in made


@pytest.mark.parametrize("named", ["", "https://prefect.example"])
def test_notifications_link_to_the_address_that_is_named_for_whoever_is_on_call(named, tmp_path, monkeypatch):
    monkeypatch.setenv("PREFECT_UI_URL", named)
    made = serve._environment(tmp_path, "http://127.0.0.1:4200")
    run = FlowRun(flow_id=uuid4(), name="summarize-2026-11-22", state=Completed())
    with temporary_settings({PREFECT_UI_URL: made["PREFECT_UI_URL"]}):
        assert facts(run).link == f"{named or 'http://127.0.0.1:4200'}/runs/flow-run/{run.id}"


@pytest.mark.parametrize(
    ("in_file", "environment", "shown", "link"),
    [
        ("", {}, True, "http://127.0.0.1:4201"),
        ("KEFU_WAREHOUSE=file:///data/w", {}, True, "http://127.0.0.1:4201"),
        ("KEFU_WAREHOUSE=bos://b/w", {}, False, None),
        ("KEFU_WAREHOUSE=bos://b/w", {"KEFU_WAREHOUSE": "w"}, True, "http://127.0.0.1:4201"),
        ("KEFU_REPORTS_URL=https://kefu.example.com", {}, True, None),
        ("", {"KEFU_REPORTS_URL": "https://kefu.example.com"}, True, "https://kefu.example.com"),
    ],
)
def test_runs_link_to_the_reports_that_are_shown_here(in_file, environment, shown, link, tmp_path, monkeypatch):
    (tmp_path / ".env").write_text(in_file, encoding="utf-8")
    monkeypatch.setattr(serve, "ROOT", tmp_path)
    given = dict(environment)
    assert serve._link_to_reports(given, "http://127.0.0.1:4201") is shown
    assert given.get("KEFU_REPORTS_URL") == link


def test_prefect_takes_what_bounds_its_database(monkeypatch):
    for name, value in serve.GROWTH.items():
        monkeypatch.setenv(name, value)
    vacuum = PrefectSettings().server.services.db_vacuum
    assert vacuum.enabled_vacuum_types >= {"events", "flow_runs", "orphans"}
    assert vacuum.retention_period == timedelta(days=90)


def test_notification_without_a_webhook_is_said(capsys):
    told = {"what": "summarize-2026-11-22: failed", "why": "No logs", "do": "", "link": "http://127.0.0.1/run"}
    with serve._spoken_notifications() as url:
        request = urllib.request.Request(url, json.dumps(told).encode(), {"Content-Type": "application/json"})
        with urllib.request.urlopen(request) as answer:
            assert answer.status == 204
    assert "notification: summarize-2026-11-22: failed. No logs. http://127.0.0.1/run" in capsys.readouterr().out


def test_a_notification_of_somebody_else_is_not_said(capsys):
    with serve._spoken_notifications() as url:
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"{url.rpartition('/')[0]}/", json.dumps({"what": "ready"}).encode())
        refused.value.close()
    assert refused.value.code == 404
    assert capsys.readouterr() == ("", "")


def test_readme_names_every_flag_and_no_other(capsys):
    with pytest.raises(SystemExit):
        serve.main(["--help"])
    flags = set(re.findall(r"--[a-z-]+", capsys.readouterr().out)) - {"--help"}
    table = README.partition("| flag |")[2].partition("\n\n")[0]
    assert set(re.findall(r"`(--[a-z-]+)", table)) == flags


def test_unit_in_the_readme_lets_the_service_stop_in_good_order_and_brings_it_back():
    unit = configparser.ConfigParser()
    unit.read_string(README.partition("```ini\n")[2].partition("```")[0])
    service = unit["Service"]
    assert service["KillMode"] == "mixed", "systemd would end the runs itself"
    assert service["Restart"] == "always"
    assert service["ExecStart"].endswith("python -m deployments.serve")
    longest = 4 * parts.STOP_SECONDS + worker.STOP_SECONDS
    assert float(service["TimeoutStopSec"]) > longest
    assert unit["Unit"]["After"] == "network-online.target"


def test_readme_names_every_deployment_and_no_other():
    stanzas = yaml.safe_load((ROOT / "deployments" / "prefect.yaml").read_text(encoding="utf-8"))["deployments"]
    names = {f"{stanza['entrypoint'].rpartition('.')[2].replace('_', '-')}/{stanza['name']}" for stanza in stanzas}
    assert set(re.findall(r"(?m)^\| `([\w-]+/[\w-]+)` \|", README)) == names


def test_readme_names_only_what_exists():
    targets = set(re.findall(r"(?m)^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8")))
    assert set(re.findall(r"\bmake ([a-z-]+)", README)) - {"serve"} <= targets
    for path in re.findall(r"deployments/[\w./-]+\w", README):
        assert (ROOT / path).exists(), path
    fields = {f"KEFU_{name.upper()}" for name in Settings.model_fields}
    assert set(re.findall(r"KEFU_[A-Z_]+[A-Z]", README)) - fields <= {"KEFU_HOME"}
