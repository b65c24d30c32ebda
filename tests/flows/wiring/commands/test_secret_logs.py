"""Libraries' logs at the DEBUG level, without what they sent for a login."""

import logging

import pytest

import flows

LOGGED = [
    "> Authorization: Basic YWRtaW46c2VjcmV0",
    "DEBUG:    < authorization: Basic YWRtaW46c2VjcmV0",
    """> TEXT '{"type":"auth","token":"admin:secret"}' [67 bytes]""",
    """< TEXT '{"type": "auth", "token": "admin:secret"}' [67 bytes]""",
]


@pytest.mark.parametrize("name", ["websockets.client", "websockets.server", "uvicorn.error"])
def test_logins_are_not_logged_and_all_else_is(name: str, caplog: pytest.LogCaptureFixture):
    assert flows.__doc__
    caplog.set_level(logging.DEBUG, name)
    for line in LOGGED:
        logging.getLogger(name).debug(line)
    logging.getLogger(name).debug("> User-Agent: prefect")
    assert caplog.messages == ["> User-Agent: prefect"]
