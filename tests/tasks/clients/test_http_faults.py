"""The words about a refusal that people read, and what of a service's own they hold."""

import json

import pytest

from tasks.clients.http_faults import status_fault


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500])
@pytest.mark.parametrize("place", ["code", "message", "type"])
@pytest.mark.parametrize("said", ["{}", "Authorization: {}", "Bearer {}", "no key {} here"])
def test_a_service_that_repeats_its_key_is_not_quoted_with_it(status, place, said):
    secret = "CANARY-of-a-key-30"
    body = json.dumps({"error": {"message": "refused", place: said.format(secret)}}).encode()
    fault = status_fault(status, {}, body, "http://localhost/v1", [secret], "")
    assert secret not in str(fault)
    assert secret[:12] not in repr(fault)
