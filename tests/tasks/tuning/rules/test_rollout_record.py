from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.domain.errors import UsageError
from tasks.domain.model_platform import ModelReport
from tasks.tuning.rules.experiments import Experiment
from tasks.tuning.rules.rollout_record import (
    JUDGED,
    ServiceSpec,
    check_agreed,
    decode_deployment,
    estimate,
    plan_deployment,
    shortfalls,
)
from tasks.tuning.rules.tuning_record import Trial, check_name

NOW = datetime(2026, 11, 22, 3, tzinfo=UTC)
TRIAL = Trial(Experiment(5, "full", 6, 3e-5), "kefu-a-5", "done", "job-1", "task-1")


def planned(**changes):
    return plan_deployment("a", TRIAL, ServiceSpec(**{"replicas": 2, **changes}), NOW)


def compared(**differences):
    return {
        name: {
            "baseline": 80.0,
            "candidate": 80.0 + differences.get(name, 0.0),
            "difference": differences.get(name, 0.0),
        }
        | {"verdict": "worse"}
        for name in JUDGED
    }


def test_estimate_says_what_is_paid_in_advance():
    assert estimate(planned().plan, 12.5) == (
        "service kefu-a-5: 2 replicas of GPU-I-2 for 24 h, 48 replica hours paid in advance at 12.5 = 600.00"
    )
    assert "price list" in estimate(planned().plan, 0.0)
    assert "paid by use" in estimate(planned(pool="public", replicas=1).plan, 12.5)


def test_check_agreed_asks_before_anything_is_paid_and_never_twice():
    with pytest.raises(UsageError, match=r"costs money.*600\.00.*--confirm"):
        check_agreed(planned(), 12.5, confirm=False)
    assert "600.00" in check_agreed(planned(), 12.5, confirm=True)
    check_agreed(planned().moved("deploying", NOW), 12.5, confirm=False)
    with pytest.raises(UsageError, match="--retire"):
        check_agreed(planned().moved("failed", NOW, reason="no GPU"), 12.5, confirm=True)


@pytest.mark.parametrize("endpoint", ["A", "a", "a-", "大模型", "a" * 21, "a b"])
def test_plan_deployment_refuses_an_address_that_the_platform_could_not_take(endpoint):
    with pytest.raises(UsageError, match="--endpoint-suffix"):
        planned(endpoint=endpoint)


@pytest.mark.parametrize("spec", [{"replicas": 0}, {"hours": 0}])
def test_plan_deployment_refuses_to_pay_for_nothing(spec):
    with pytest.raises(UsageError, match="each is 1 at least"):
        planned(**spec)


def test_deployment_reads_back_as_it_was_written():
    one = planned().moved("serving", NOW, model=ModelReport("am-1", "amv-1", "ready"), endpoint="x_a", comparison={})
    assert decode_deployment(one.encode()) == one
    assert one.paid_for
    assert not planned().paid_for


@given(st.sampled_from(JUDGED), st.floats(0.5, 50))
def test_shortfalls_names_every_figure_beyond_the_margin(name, loss):
    found = shortfalls(compared(**{name: -loss}), margin=loss - 0.1)
    assert len(found) == 1
    assert found[0].startswith(name)
    assert shortfalls(compared(**{name: -loss}), margin=loss + 0.1) == []


def test_shortfalls_forgives_what_is_better():
    assert shortfalls(compared(**dict.fromkeys(JUDGED, 30.0)), margin=0.0) == []


@pytest.mark.parametrize("name", ["", "A", "a_b", "-a", "a-", "a" * 13, "一"])
def test_check_name_refuses_what_the_platform_could_not_take(name):
    with pytest.raises(UsageError):
        check_name(name)


@given(st.from_regex(r"[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?", fullmatch=True))
def test_names_made_of_a_name_fit_the_platforms_twenty_characters(name):
    assert len(plan_deployment(name, TRIAL, ServiceSpec(), NOW).plan.name) <= 20
