from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.domain.errors import UsageError
from tasks.domain.model_platform import ModelReport
from tasks.tuning.rules.asked import Asked
from tasks.tuning.rules.experiments import Experiment
from tasks.tuning.rules.rollout_record import (
    ServiceSpec,
    check_agreed,
    check_unchanged,
    decode_rollout,
    estimate,
    plan_rollout,
    still_paid,
)
from tasks.tuning.rules.tuning_record import Trial, check_name

NOW = datetime(2026, 11, 22, 3, tzinfo=UTC)
TRIAL = Trial(Experiment(5, "full", 6, 3e-5), "kefu-a-5", "done", "job-1", "task-1")


def spec(**changes):
    return ServiceSpec(**{"replicas": 2, "currency": "¥", **changes})


def planned(attempt=1, **changes):
    return plan_rollout("a", TRIAL, spec(**changes), NOW, token="t", attempt=attempt)


def cost(**changes):
    return estimate(planned(**changes).plan, spec(**changes))


def test_estimate_names_what_each_way_to_pay_costs():
    assert cost(hour_price=12.5) == (
        "service kefu-a-5: 2 replicas of GPU-1-2, paid by the hour until it is retired: 24 h are 48 replica hours at "
        "¥12.50 = ¥600.00"
    )
    assert "price list" in cost()
    assert cost(pay="month", months=3, month_price=9_000) == (
        "service kefu-a-5: 2 replicas of GPU-1-2 for 3 months, 6 replica months at ¥9,000.00 = ¥54,000.00, paid in advance "
        "and never given back"
    )
    assert "renewed month by month" in cost(pay="month", renew=True)
    assert "by the token" in cost(pool="public", replicas=1)
    assert "paid already (unit-1, unit-2)" in cost(pay="bought", units=("unit-1", "unit-2"))


def test_check_agreed_asks_before_anything_is_paid_and_never_twice():
    priced = spec(hour_price=12.5)
    with pytest.raises(UsageError, match=r"costs money.*600\.00.*--confirm"):
        check_agreed(planned(), priced, confirm=False)
    assert "600.00" in check_agreed(planned(), priced, confirm=True)
    asked = replace(planned(), asked=Asked("service kefu-a-5", NOW))
    check_agreed(asked, priced, confirm=False)
    check_agreed(replace(planned(), service_id="svco-1"), priced, confirm=False)
    with pytest.raises(UsageError, match="--retire"):
        check_agreed(planned().moved("failed", NOW, reason="no GPU"), priced, confirm=True)


@pytest.mark.parametrize("endpoint", ["A", "a", "a-", "大模型", "a" * 21, "a b"])
def test_plan_rollout_refuses_an_address_that_the_platform_could_not_take(endpoint):
    with pytest.raises(UsageError, match="--endpoint-suffix"):
        planned(endpoint=endpoint)


@pytest.mark.parametrize(
    "wrong",
    [
        {"replicas": 0},
        {"hours": 0},
        {"pay": "month", "months": 0},
        {"pay": "month", "months": 13},
        {"pay": "bought"},
        {"pay": "unit", "units": ("unit-1",)},
        {"pay": "bought", "units": ("unit-1", "unit-2", "unit-3")},
    ],
)
def test_plan_rollout_refuses_what_can_not_be_paid_for(wrong):
    with pytest.raises(UsageError, match=r"--months|--units"):
        planned(**wrong)


def test_a_service_that_follows_a_retired_one_has_another_name():
    names = [planned(attempt).plan.name for attempt in (1, 2, 3, 999)]
    assert names == ["kefu-a-5", "k2-a-5", "k3-a-5", "k999-a-5"]


@pytest.mark.parametrize(
    "change", [{"replicas": 1}, {"resource": "GPU-5-1"}, {"pay": "month"}, {"endpoint": "other"}, {"pool": "public"}]
)
def test_check_unchanged_names_the_flags_that_are_under_way(change):
    check_unchanged(planned(), 5, spec(hour_price=3.0, hours=9))
    with pytest.raises(UsageError, match=r"--pay unit --replicas 2 --endpoint-suffix kefu_a_5 --resource GPU-1-2"):
        check_unchanged(planned(), 0, spec(**change))
    with pytest.raises(UsageError, match="Experiment 5"):
        check_unchanged(planned(), 4, spec())


def test_rollout_reads_back_as_it_was_written():
    rollout = planned(pay="bought", units=("unit-1",)).moved(
        "serving",
        NOW,
        model=ModelReport("am-1", "amv-1", "ready", "task-1"),
        endpoint="x_a",
        comparison={},
        asked=Asked("service x", NOW),
        expires_at=NOW,
        step=64,
    )
    assert decode_rollout(rollout.encode()) == rollout
    assert rollout.paid_for
    assert not planned().paid_for


def test_still_paid_promises_nothing_that_retiring_can_not_do():
    def sentence(**changes):
        return still_paid(replace(planned(**changes), service_id="svco-1"))

    assert still_paid(planned()) == ""
    assert "ends that" in sentence()
    assert "gives none back" in sentence(pay="month")


@pytest.mark.parametrize("name", ["", "A", "a_b", "-a", "a-", "a" * 13, "一"])
def test_check_name_refuses_what_the_platform_could_not_take(name):
    with pytest.raises(UsageError):
        check_name(name)


@given(st.from_regex(r"[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?", fullmatch=True), st.integers(1, 999))
def test_names_made_of_a_name_fit_the_platforms_twenty_characters(name, attempt):
    plan = plan_rollout(name, TRIAL, ServiceSpec(), NOW, token="t", attempt=attempt).plan
    assert 2 <= len(plan.name) <= 20
