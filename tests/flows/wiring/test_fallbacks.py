"""The settings of the second model, by name or by a block."""

import pytest
from pydantic import SecretStr

from flows.wiring.blocks import SummarizerEndpoint
from flows.wiring.fallbacks import fallback_settings
from flows.wiring.services import notices, price_list
from flows.wiring.settings import Settings, load_settings
from tasks.calling.rules.budget import PriceList, Prices
from tasks.domain.errors import UsageError
from tasks.domain.model_options import ModelOptions

pytestmark = pytest.mark.usefixtures("prefect_server")

FIRST = {
    "summarizer": "qianfan",
    "endpoint": "sft",
    "rpm": 600,
    "tpm": 90_000,
    "qps": 5,
    "shared_quota": "night",
    "thinking": "off",
    "temperature": 0.7,
    "max_output_tokens": 900,
    "model_seed": 3,
    "extra_fields": '{"top_p": 0.8}',
}


def second(**settings) -> Settings:
    found = fallback_settings(load_settings({**FIRST, **settings}))
    assert found is not None
    return found


@pytest.fixture
def save():
    def saved(**values) -> dict[str, str]:
        SummarizerEndpoint(**{"summarizer": "openai", "endpoint": "qwen", **values}).save("second", overwrite=True)
        return {"fallback_block": "second"}

    return saved


def test_no_second_model_is_none():
    assert fallback_settings(load_settings(FIRST)) is None
    assert fallback_settings(load_settings({"summarizer": "offline", "fallback_block": "nobody"})) is None


def test_a_model_of_the_same_service_has_the_same_options_and_a_quota_of_its_own():
    found = second(fallback_endpoint="lite", fallback_tpm=7000)
    assert (found.endpoint, found.rpm, found.tpm, found.qps, found.shared_quota) == ("lite", None, 7000, None, "")
    assert found.model_options == load_settings(FIRST).model_options
    assert found.prompt == "sft-v1"


def test_a_block_without_quota_and_options_takes_none_of_the_first_model(save):
    found = second(**save())
    assert (found.endpoint, found.rpm, found.tpm, found.qps, found.shared_quota) == ("qwen", None, None, None, "")
    assert found.model_options == ModelOptions()
    assert found.timeout_seconds == load_settings(FIRST).timeout_seconds


def test_a_block_says_its_quota_options_and_key(save):
    found = second(**save(rpm=60, shared_quota="spare", thinking="low", seed=9, openai_api_key=SecretStr("k")))
    assert (found.rpm, found.tpm, found.shared_quota) == (60, None, "spare")
    assert found.model_options == ModelOptions(thinking="low", seed=9)
    assert found.openai_api_key == SecretStr("k")


def test_flags_of_the_second_model_s_quota_beat_its_block(save):
    found = second(**save(rpm=60, tpm=1000), fallback_rpm=30)
    assert (found.rpm, found.tpm) == (30, 1000)


def test_the_prompt_fits_the_second_model_unless_one_is_named(save):
    assert second(**save()).prompt == "general-v1"
    assert second(**save(), prompt="sft-v1").prompt == "sft-v1"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"shared_quota": "spare"}, "block second .* shares the quota spare: say there"),
        ({"openai_base_url": "ftp://me:password@nowhere"}, "block second .* can't be right: .*no address"),
    ],
)
def test_a_block_that_can_not_be_right_is_one_sentence(save, values, words):
    with pytest.raises(UsageError, match=words) as refused:
        second(**save(**values))
    assert "password" not in str(refused.value)


PRICED = {"prompt_million_price": 800.0, "completion_token_price": 2.0, "cached_token_price": 0.2}


def test_a_second_model_without_prices_costs_what_the_first_does(save):
    priced = load_settings({**FIRST, **PRICED})
    for named in (save(), {"fallback_endpoint": "lite"}):
        assert second(**PRICED, **named).prices == priced.prices == Prices(0.8, 2.0, 0.2)
    assert price_list(priced, None) == PriceList(priced.prices)


def test_prices_of_a_block_are_all_its_own(save):
    found = second(**PRICED, **save(prompt_token_price=0.0, completion_token_price=5.0))
    assert found.prices == Prices(0.0, 5.0, None)
    assert price_list(load_settings({**FIRST, **PRICED}), found).of("qwen") == found.prices


def test_flags_of_the_second_model_s_prices_beat_its_block(save):
    flags = {"fallback_prompt_token_price": 3.0, "fallback_cached_token_price": 1.0}
    assert second(**PRICED, **save(prompt_token_price=9.0), **flags).prices == Prices(3.0, 0.0, 1.0)
    assert second(**PRICED, fallback_endpoint="v2:lite", **flags).prices == Prices(3.0, 0.0, 1.0)


def test_the_price_list_names_the_second_model_as_its_answers_do():
    priced = load_settings({**FIRST, **PRICED})
    found = second(**PRICED, fallback_endpoint="v2:lite", fallback_prompt_token_price=3.0)
    assert price_list(priced, found).of("lite") == Prices(3.0)
    assert price_list(priced, found).of("sft") == priced.prices


@pytest.mark.parametrize(
    ("first", "fallback", "warnings"), [("sft", "lite", 0), ("v1:sft", "", 1), ("sft", "v1:lite", 1)]
)
def test_a_v1_address_of_either_model_is_warned_of_once(first, fallback, warnings):
    found = notices(load_settings({**FIRST, "endpoint": first, "fallback_endpoint": fallback}))
    assert [("switched off by Baidu" in notice) for notice in found] == [True] * warnings
