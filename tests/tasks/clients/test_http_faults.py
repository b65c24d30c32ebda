"""The words about a refusal that people read, and what of a service's own they hold."""

import json

import pytest

from tasks.clients.chat_replies import completion_reply
from tasks.clients.http_faults import status_fault
from tasks.domain.errors import (
    AllowanceUsedUp,
    ContentRefused,
    CredentialsRefused,
    EndpointMissing,
    QuotaRefused,
    TransientFault,
)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500])
@pytest.mark.parametrize("place", ["code", "message", "type"])
@pytest.mark.parametrize("said", ["{}", "Authorization: {}", "Bearer {}", "no key {} here"])
def test_a_service_that_repeats_its_key_is_not_quoted_with_it(status, place, said):
    secret = "CANARY-of-a-key-30"
    body = json.dumps({"error": {"message": "refused", place: said.format(secret)}}).encode()
    fault = status_fault(status, {}, body, "http://localhost/v1", [secret], "")
    assert secret not in str(fault)
    assert secret[:12] not in repr(fault)


def error(message, **parts):
    return {"error": {"message": message, **parts}}


# Forms of replies as services document them or users report them, in other words.
USED_UP = [
    (402, error("Insufficient Balance", code="invalid_request_error")),
    (403, {"code": "AllocationQuota.FreeTierOnly", "message": "No more free calls of this model."}),
    (429, error("您的账户已欠费，请充值。", code="1113")),
    (429, error("该 API 已达到今日调用次数上限", code="1304")),
    (429, error("已达到 5 小时的使用上限", code="1308")),
    (429, error("organization reached its TPD limit, current: 2, limit: 1", type="rate_limit_reached_error")),
    (429, error("This model has reached the set inference limit and is paused.", code="SetLimitExceeded")),
    (400, error("Budget has been exceeded! Current cost: 2.0, Max budget: 1.0", type="budget_exceeded")),
    (400, {"type": "error", "error": {"type": "invalid_request_error", "message": "Your credit balance is too low"}}),
    (401, error("该令牌额度已用尽", type="new_api_error")),
    (403, {"code": 30001, "message": "account balance is insufficient", "data": None}),
    (403, error("Out of call volume quota. It comes back in 12:11:37.", code="403")),
    (412, error("The account is suspended: monthly spending limit", code="PRECONDITION_FAILED")),
    (429, {"code": "exhausted", "error": "Your team has used all available credits."}),
    (429, error("Rate limit exceeded: free-models-per-day", code=429)),
    (429, {"message": "Tokens per day limit exceeded", "code": "token_quota_exceeded"}),
    (429, {"message": "A trial key makes 1000 calls / month."}),
    (429, [error("Quota exceeded", details=[{"violations": [{"quotaId": "RequestsPerDayPerProject-FreeTier"}]}])]),
    (429, {"error_code": 17, "error_msg": "Open api daily request limit reached"}),
    (400, error("账号已欠费停服", code="FailedOperation.ServiceStopArrears")),
    (200, {"choices": None, "base_resp": {"status_code": 1008, "status_msg": "insufficient balance"}}),
]
OVER_A_LIMIT = [
    (429, error("You exceeded your quota: https://a.example/error-code#token-limit", code="insufficient_quota")),
    (429, {"code": "Throttling.AllocationQuota", "message": "Allocated quota exceeded."}),
    (429, error("并发数过高，请降低并发", code="1302")),
    (429, error("Rate limit exceeded: free-models-per-min", code=429)),
    (429, {"message": "A trial key makes 10 calls / minute and 1000 per month."}),
    (429, [error("Quota exceeded", details=[{"violations": [{"quotaId": "RequestsPerMinutePerProject"}]}])]),
    (429, error("check your plan and billing details", status="RESOURCE_EXHAUSTED")),
    (503, {"error": "server busy, please try again"}),
    (200, {"base_resp": {"status_code": 1002, "status_msg": "rate limit"}}),
    (200, {"choices": None, "base_resp": {"status_code": 1039, "status_msg": "token limit exceeded (TPM)"}}),
    (200, {"base_resp": {"status_code": 1041, "status_msg": "conn limit exceeded"}}),
    (200, {"error_code": 18, "error_msg": "Open api qps request limit reached"}),
    (429, error("TPM额度不足，请稍后重试")),
    (429, error("并发额度不足")),
    (429, error("10 requests per minute; your tier and its spending limit set the quotas")),
]
REFUSED = [
    (451, error("What you provided is blocked.", type="censorship_blocked")),
    (400, error("输入内容审核不通过", code="10013")),
    (400, error("ContentPolicyViolationError: filtered", code="400")),
    (200, {"choices": None, "base_resp": {"status_code": 1027, "status_msg": "output new_sensitive"}}),
]
NO_KEY = [
    (407, {}),
    (200, {"base_resp": {"status_code": 2049, "status_msg": "invalid api key"}}),
    (200, {"status": 449, "msg": "Your API Token has expired."}),
]
NO_MODEL = [(400, error("模型不存在，请检查", code="1211")), (400, {"code": 20012, "message": "Model does not exist."})]
AGAIN = [
    (409, error("Conflict")),
    (499, ""),
    (424, error("Failed dependency")),
    (200, {"base_resp": {"status_code": 1001, "status_msg": "timeout"}}),
]


@pytest.mark.parametrize(
    ("replies", "meaning"),
    [
        (USED_UP, AllowanceUsedUp),
        (OVER_A_LIMIT, QuotaRefused),
        (REFUSED, ContentRefused),
        (NO_KEY, CredentialsRefused),
        (NO_MODEL, EndpointMissing),
        (AGAIN, TransientFault),
    ],
)
def test_a_refusal_means_what_its_service_means(replies, meaning):
    for status, reply in replies:
        body = json.dumps(reply).encode()
        if status == 200:
            with pytest.raises(meaning):
                completion_reply(body, {}, "http://localhost/v1")
        else:
            assert type(status_fault(status, {}, body, "http://localhost/v1", [], "")) is meaning, reply


@pytest.mark.parametrize("said", ["账户余额不足，今日额度已用尽", "insufficient balance, spending limit per day"])
@pytest.mark.parametrize("status", [400, 401, 422, 429])
def test_what_a_customer_wrote_of_money_is_no_unpaid_bill(said, status):
    body = json.dumps(error(f"bad request: 用户：{said}。", type="bad")).encode()
    repeated = status_fault(status, {}, body, "http://localhost/v1", [], f"总结：用户：{said}。客服：好的")
    assert not isinstance(repeated, AllowanceUsedUp)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("try again in 7m12s", 432.0),
        ("Please retry in 31.5s.", 31.5),
        ("try again in 210ms", 0.21),
        ("try again in 1h2m3s", 3600.0),
        ("retry after 6 seconds", 6.0),
        ("Please wait 12 seconds before retrying", 12.0),
        ("try again in 2m", 120.0),
        ("try again in 5 min", 300.0),
        ("try again later", None),
    ],
)
def test_a_wait_that_a_sentence_names_is_kept(said, seconds):
    fault = status_fault(429, {}, json.dumps(error(said)).encode(), "http://localhost/v1", [], "")
    assert isinstance(fault, QuotaRefused)
    assert fault.retry_after_seconds == seconds
