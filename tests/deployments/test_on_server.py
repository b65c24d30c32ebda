"""Set-up, worker and watch without a Prefect server that they can reach: one sentence each."""

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from deployments import bootstrap, deploy, watch, worker
from flows.wiring.commands.own_server import free_port

SET_UP = {"bootstrap": lambda: bootstrap.main([]), "deploy": deploy.main}
NIGHTLY = {"worker": lambda: worker.main([]), "watch": lambda: watch.main([])}


@pytest.mark.parametrize("command", SET_UP | NIGHTLY)
def test_server_that_nobody_named_is_asked_for(command, capsys):
    with temporary_settings({PREFECT_API_URL: ""}):  # another test's server is named for all of its process
        assert (SET_UP | NIGHTLY)[command]() == 2
    complaint = capsys.readouterr().err
    assert "set PREFECT_API_URL to its address" in complaint
    assert complaint.count("\n") == 1


@pytest.mark.parametrize("command", SET_UP)
@pytest.mark.parametrize(
    ("name", "value", "words"),
    [("HTTP_PROXY", "http://127.0.0.1:9", "can't be reached"), ("ALL_PROXY", "socks5://127.0.0.1:9", "SOCKS")],
)
def test_what_is_wrong_around_the_set_up_is_one_sentence(command, name, value, words, capsys, monkeypatch):
    monkeypatch.setenv(name, value)
    with temporary_settings({PREFECT_API_URL: f"http://127.0.0.1:{free_port()}/api"}):
        assert SET_UP[command]() == 1
    complaint = capsys.readouterr().err
    assert words in complaint
    assert complaint.count("\n") == 1
