"""Blocks on a real Prefect server: they keep secrets, read and write a real BOS wire, and beat the environment."""

import asyncio
from datetime import date

import pytest
from prefect.blocks.core import Block
from prefect.client.orchestration import get_client
from prefect.results import ResultStore
from pydantic import SecretStr

from flows.wiring.blocks import BaiduCredentials, BosBucket, SummarizerEndpoint, load_block
from flows.wiring.services import open_source, open_warehouse
from flows.wiring.settings import load_settings
from tasks.domain.errors import UsageError
from tasks.domain.model_options import ModelOptions

pytestmark = pytest.mark.usefixtures("prefect_server")

SECRET = "a-secret-that-nobody-may-see"


def credentials(access_key_id: str, secret_access_key: str) -> BaiduCredentials:
    return BaiduCredentials(access_key_id=SecretStr(access_key_id), secret_access_key=SecretStr(secret_access_key))


@pytest.fixture
def bucket(bos) -> BosBucket:
    return BosBucket(
        bucket_name=bos.bucket,
        bucket_folder="客服/日志",
        endpoint=bos.endpoint,
        credentials=credentials(bos.access_key_id, bos.secret_access_key),
    )


@pytest.fixture
def endpoint() -> SummarizerEndpoint:
    block = SummarizerEndpoint(
        summarizer="qianfan",
        endpoint="kefu_sft",
        rpm=600,
        shared_quota="sft",
        credentials=credentials("block-key", SECRET),
    )
    block.save("sft", overwrite=True)
    return block


def test_bos_bucket_reads_what_it_writes(bucket, bos):
    assert bucket.write_path("a b/+%.txt", b"1") == f"bos://{bos.bucket}/客服/日志/a b/+%.txt"
    assert asyncio.run(bucket.awrite_path("c.txt", b"2")).endswith("/c.txt")
    assert bucket.read_path("a b/+%.txt") == b"1"
    assert asyncio.run(bucket.aread_path("c.txt")) == b"2"
    assert [found.key for found in bucket.list_objects()] == ["a b/+%.txt", "c.txt"]
    assert [found.key for found in asyncio.run(bucket.alist_objects("a b/"))] == ["a b/+%.txt"]
    assert sorted(bos.keys()) == ["客服/日志/a b/+%.txt", "客服/日志/c.txt"]


def test_bos_bucket_can_hold_results_of_flows(bucket):
    bucket.save("results", overwrite=True)
    store = ResultStore(result_storage=bucket)
    store.write({"days": 3}, key="backfill")
    assert ResultStore(result_storage=bucket).read("backfill").result == {"days": 3}
    assert not store.exists("nothing")


def test_bos_bucket_is_opened_by_its_address(bucket, bos):
    bucket.save("logs", overwrite=True)
    bos.put("客服/日志/2026-11-22/a.jsonl", b"{}\n")
    settings = load_settings({"source": "block://logs/{day}", "warehouse": "block://logs/tables"})

    store, name = open_source(settings, date(2026, 11, 22))
    assert [found.key for found in store.list_objects(name)] == ["2026-11-22/a.jsonl"]
    whole, everything = open_source(load_settings({"source": "block://logs"}), date(2026, 11, 22))
    assert (whole.uri, everything) == (f"bos://{bos.bucket}/客服/日志", "")
    assert open_warehouse(settings).uri == f"bos://{bos.bucket}/客服/日志/tables"


def test_a_session_that_expires_is_renewed_from_its_block(bucket, bos):
    bucket.save("temporary", overwrite=True)
    store = open_warehouse(load_settings({"warehouse": "block://temporary/tables"}))
    store.write_path("a", b"1")
    bos.session_token, bos.access_key_id = "second", "key-of-second"
    bucket.credentials.access_key_id = SecretStr("key-of-second")
    bucket.credentials.session_token = SecretStr("second")
    bucket.save("temporary", overwrite=True)
    assert store.read_path("a") == b"1"


def test_endpoint_block_beats_the_environment_and_a_flag_beats_it(endpoint, monkeypatch):
    monkeypatch.setenv("KEFU_RPM", "30")
    monkeypatch.setenv("KEFU_TPM", "9000")
    monkeypatch.setenv("KEFU_SUMMARIZER", "offline")
    monkeypatch.setenv("QIANFAN_ACCESS_KEY", "environment-key")
    monkeypatch.setenv("QIANFAN_SECRET_KEY", "environment-secret")

    settings = load_settings({"endpoint_block": "sft"})
    assert (settings.summarizer, settings.endpoint, settings.rpm, settings.tpm) == ("qianfan", "kefu_sft", 600, 9000)
    assert settings.shared_quota == "sft"
    assert settings.qianfan_access_key == SecretStr("block-key")
    assert settings.qianfan_secret_key == SecretStr(SECRET)

    assert load_settings({"endpoint_block": "sft", "rpm": 60}).rpm == 60

    monkeypatch.setenv("KEFU_ENDPOINT_BLOCK", "sft")
    assert load_settings({}).endpoint == "kefu_sft"


def test_options_in_an_endpoint_block_are_those_of_its_requests():
    headers, fields = {"X-Team": "care"}, {"top_p": 0.8}
    options = ModelOptions(
        max_tokens=900,
        temperature=0.5,
        system_prompt="简短",
        response_format="json_schema",
        thinking="off",
        seed=7,
        extra_fields=fields,
        headers=headers,
    )
    SummarizerEndpoint(
        endpoint="m",
        max_output_tokens=900,
        temperature=0.5,
        system_prompt="简短",
        response_format="json_schema",
        thinking="off",
        seed=7,
        extra_fields=fields,
        extra_headers=headers,
    ).save("with-options", overwrite=True)
    assert load_settings({"endpoint_block": "with-options"}).model_options == options
    SummarizerEndpoint(endpoint="m").save("without-options", overwrite=True)
    assert load_settings({"endpoint_block": "without-options"}).model_options == ModelOptions()


def test_unknown_block_is_one_clear_sentence():
    with pytest.raises(UsageError, match=r"no block summarizer-endpoint/nobody"):
        load_settings({"endpoint_block": "nobody"})
    with pytest.raises(UsageError, match=r"no block bos-bucket/nowhere"):
        open_warehouse(load_settings({"warehouse": "block://nowhere/tables"}))


def test_what_is_wrong_with_an_endpoint_block_is_not_blamed_on_the_environment():
    SummarizerEndpoint(
        summarizer="openai", endpoint="m", shared_quota="夜间 one", openai_base_url="ftp://me:password@nowhere"
    ).save("wrong", overwrite=True)
    with pytest.raises(UsageError) as refused:
        load_settings({"endpoint_block": "wrong"})
    assert "shared_quota in the endpoint block: " in str(refused.value)
    assert "openai_base_url in the endpoint block: " in str(refused.value)
    assert "KEFU" not in str(refused.value)
    assert "password" not in str(refused.value)


def test_blocks_are_loaded_within_a_running_loop(endpoint):
    async def load() -> str:
        return load_block(SummarizerEndpoint, "sft").endpoint

    assert asyncio.run(load()) == "kefu_sft"


def test_secrets_are_masked_wherever_a_block_is_shown(endpoint):
    async def shown() -> str:
        async with get_client() as client:
            answer = await client.request("POST", "/block_documents/filter", json={})
        return answer.text

    documents = asyncio.run(shown())
    assert "kefu_sft" in documents
    assert SECRET not in documents
    assert SECRET not in repr(endpoint) + str(endpoint.model_dump(mode="json"))


@pytest.mark.parametrize("kind", [BaiduCredentials, BosBucket, SummarizerEndpoint], ids=lambda kind: kind.__name__)
def test_block_explains_itself_in_the_form(kind):
    assert kind.get_description()
    assert f"import {kind.__name__}" in kind.get_code_example()
    for name, field in kind.model_fields.items():
        if not name.startswith("_"):
            assert field.title, name
            assert field.description, name


@pytest.mark.parametrize("kind", [BaiduCredentials, BosBucket, SummarizerEndpoint])
def test_the_schema_of_a_block_is_prefect_s_own_and_stays_so_whatever_a_caller_does_to_it(kind):
    expected = Block.model_json_schema.__func__(kind)  # type: ignore[attr-defined]
    for by_alias in (True, False):
        schema = kind.model_json_schema(by_alias=by_alias)
        assert schema == expected
        schema["properties"].clear()
    assert kind.model_json_schema() == expected
