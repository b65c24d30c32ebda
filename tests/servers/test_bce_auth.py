"""The signature check agrees with Baidu's signer, and with nothing that was changed afterwards."""

import time

import pytest
from baidubce.auth.bce_credentials import BceCredentials
from baidubce.auth.bce_v1_signer import sign
from baidubce.utils import get_canonical_time

from tests.servers.bce_auth import verify


def signed(path: str = "/v1/中文 a", at: float = 0) -> dict[str, str]:
    at = at or time.time()
    headers = {b"Host": b"127.0.0.1:80", b"x-bce-date": get_canonical_time(at)}
    authorization = sign(
        BceCredentials("ak", "sk"), b"GET", path.encode(), headers, {b"b": b"2 +", b"a": b""}, timestamp=at
    )
    return {
        **{name.decode(): value.decode() for name, value in headers.items()},
        "Authorization": authorization.decode(),
    }


def test_verify_accepts_the_signer_and_only_what_it_signed():
    headers, path = signed(), "/v1/中文 a"
    assert verify("GET", path, "b=2%20%2B&a=", headers, "ak", "sk") is None
    assert verify("POST", path, "b=2%20%2B&a=", headers, "ak", "sk")
    assert verify("GET", path + "x", "b=2%20%2B&a=", headers, "ak", "sk")
    assert verify("GET", path, "b=3&a=", headers, "ak", "sk")
    assert verify("GET", path, "b=2%20%2B&a=", {**headers, "Host": "elsewhere"}, "ak", "sk")
    assert verify("GET", path, "b=2%20%2B&a=", headers, "ak", "other")
    assert verify("GET", path, "b=2%20%2B&a=", headers, "other", "sk") == "unknown access key"


@pytest.mark.parametrize("shift", [-7200, 7200])
def test_verify_refuses_another_time(shift):
    headers = signed(at=time.time() + shift)
    assert verify("GET", "/v1/中文 a", "b=2%20%2B&a=", headers, "ak", "sk") == "expired"
