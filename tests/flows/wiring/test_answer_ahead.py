"""The settings of a day's shards: what they may spend together is what the day may."""

from flows.wiring.answer_ahead import _told_to_shards
from flows.wiring.settings import load_settings


def test_quotas_and_ceilings_of_both_models_are_divided_among_the_shards():
    day = load_settings(
        {
            "summarizer": "qianfan",
            "endpoint": "sft",
            "shards": 4,
            "rpm": 600,
            "fallback_endpoint": "lite",
            "fallback_rpm": 200,
            "fallback_tpm": 2,
            "max_calls": 100,
            "max_cost": 2.0,
            "prompt_token_price": 1.0,
        }
    )
    told = _told_to_shards(day)
    assert (told["rpm"], told["fallback_rpm"], told["fallback_tpm"]) == (150, 50, 1)
    assert (told["max_calls"], told["max_cost"]) == (25, 0.5)


def test_a_quota_that_is_shared_anyway_is_not_divided():
    told = _told_to_shards(load_settings({"summarizer": "qianfan", "shards": 4, "rpm": 600, "shared_quota": "night"}))
    assert told["rpm"] == 600
    assert told["fallback_rpm"] is None
