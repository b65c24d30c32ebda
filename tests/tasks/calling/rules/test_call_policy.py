"""Known answers that settle a request, and those that are asked about once more."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tasks.calling.rules.call_policy import CallPolicy, is_settled
from tasks.calling.rules.retry_policy import RetryPolicy
from tasks.domain.records import Answer, Conversation, Reason, Request

GOOD = '{"用户问题": "催发货", "客服方案": "已催仓库", "是否接受": "是", "是否负面情绪": "否"}'
ANSWER = Answer("r", "c", "answered", GOOD, "m", "v", 30, 9, 100, 1, datetime(2026, 11, 23, tzinfo=UTC), "before")
REQUEST = Request(Conversation("c1", (), "a", 1), (), "", "p", False, "c", "r", 10)
POLICY = CallPolicy("v", retry=RetryPolicy(max_attempts=3))


def settled(answer: Answer, tries: int = 1, policy: CallPolicy = POLICY, request: Request = REQUEST) -> bool:
    return is_settled(request, answer, lambda _: tries, "now", policy)


def test_a_good_answer_settles_for_good_whoever_gave_it():
    assert settled(ANSWER)
    assert settled(ANSWER, request=replace(REQUEST, request_hash="another model's"))


@pytest.mark.parametrize("outcome", ["invalid_request", "lost_to_thinking", "broken"])
def test_what_a_mended_service_may_answer_is_asked_again_a_few_times(outcome):
    answer = replace(ANSWER, outcome=outcome, text="")
    assert [settled(answer, tries) for tries in (1, 2, 3)] == [False, False, True]
    assert not settled(answer, 3, request=replace(REQUEST, request_hash="other options"))


def test_an_empty_answer_is_not_final():
    assert not settled(replace(ANSWER, text=" \n"))


@pytest.mark.parametrize("outcome", ["refused", "too_long"])
def test_a_verdict_of_the_service_is_final(outcome):
    assert settled(replace(ANSWER, outcome=outcome, text="no"))


def test_a_cut_off_answer_is_asked_again_once_more_tokens_are_allowed():
    cut = replace(ANSWER, cut_off=True, max_tokens=512)
    assert settled(cut, policy=replace(POLICY, max_tokens=512))
    assert not settled(cut, policy=replace(POLICY, max_tokens=1024))


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (replace(ANSWER, text="好的。"), Reason.UNPARSEABLE),
        (replace(ANSWER, outcome="refused", text="不行"), Reason.REFUSED),
        (replace(ANSWER, outcome="too_long", text="too long"), Reason.TOO_LONG),
    ],
)
def test_reasons_that_are_named_are_asked_again_but_never_twice_by_one_run(answer, reason):
    policy = replace(POLICY, ask_again=frozenset({reason}))
    assert settled(answer)
    assert not settled(answer, policy=policy)
    assert settled(replace(answer, run_id="now"), policy=policy)
    assert settled(ANSWER, policy=policy)
