"""The settings of the second model, by name or by a block."""

import pytest
from pydantic import SecretStr

from flows.wiring.blocks import SummarizerEndpoint
from flows.wiring.fallbacks import fallback_settings
from flows.wiring.settings import Settings, load_settings
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
