"""Runs that failed, mended by hand and run again: what the table in deployments/README.md asks for."""

import asyncio
from pathlib import Path
from typing import Any, cast

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey
from prefect.client.schemas.sorting import ArtifactSort
from pydantic import SecretStr

from flows.backfill_days import backfill_days
from flows.summarize_day import summarize_day
from flows.wiring.blocks import BaiduCredentials, SummarizerEndpoint
from tasks.clients.folder_store import FolderStore
from tasks.domain.errors import (
    AllowanceUsedUp,
    CredentialsRefused,
    DayBusy,
    EndpointDown,
    EndpointMissing,
    NoLogs,
    StoreRefused,
    TooManyRejects,
)
from tasks.warehouse.day_lease import Patience, acquire_day
from tests.builders.small_days import DAY, NUMBER, rows, write_logs
from tests.servers.qianfan import ACCESS_KEY, SECRET_KEY
from tests.servers.qianfan_behavior import POISON

pytestmark = pytest.mark.usefixtures("prefect_server")


def run(settings: dict[str, Any], **changes: Any) -> Any:
    return asyncio.run(summarize_day(DAY, settings | changes))


async def artifact(key: str) -> str:
    async with get_client() as client:
        wanted = ArtifactFilter(key=ArtifactFilterKey(any_=[key]))
        (latest, *_) = await client.read_artifacts(artifact_filter=wanted, sort=ArtifactSort.CREATED_DESC)
    return str(latest.data)


def test_too_many_rejects(small_day, tmp_path):
    write_logs(tmp_path / "logs", range(NUMBER, NUMBER + 4))
    exported = tmp_path / "logs" / f"{NUMBER:03}.jsonl"
    exported.write_bytes(exported.read_bytes() + b"\n{broken" * NUMBER)
    with pytest.raises(TooManyRejects):
        run(small_day)
    assert exported.name in asyncio.run(artifact(f"rejects-{DAY}"))
    write_logs(tmp_path / "logs", range(NUMBER, NUMBER + 4))
    tally = run(small_day, overwrite=True)
    assert (tally.status, tally.rejected) == ("done", 0)


def test_no_logs(small_day, tmp_path):
    (tmp_path / "logs" / "000.jsonl").unlink()
    with pytest.raises(NoLogs, match=str(DAY)):
        run(small_day)
    write_logs(tmp_path / "logs", range(NUMBER))
    assert run(small_day).summarized == NUMBER


def test_credentials_that_are_refused(asked_day, qianfan):
    def save(secret: str) -> None:
        BaiduCredentials(access_key_id=SecretStr(ACCESS_KEY), secret_access_key=SecretStr(secret)).save(
            "renewed", overwrite=True
        )

    save("old")
    credentials = cast("BaiduCredentials", BaiduCredentials.load("renewed"))
    SummarizerEndpoint(endpoint="sft_v1", credentials=credentials).save("with-keys", overwrite=True)
    by_block = {"source": asked_day["source"], "warehouse": asked_day["warehouse"], "endpoint_block": "with-keys"}
    with pytest.raises(CredentialsRefused):
        run(by_block)
    save(SECRET_KEY)
    assert run(by_block).calls == sum(qianfan.delivered.values()) == NUMBER


def test_an_endpoint_that_is_missing(asked_day, qianfan):
    qianfan.answers = lambda endpoint, prompt: None if endpoint == "sft_v0" else '{"用户问题":"漏水","客服方案":"换"}'
    by_block = {"source": asked_day["source"], "warehouse": asked_day["warehouse"], "endpoint_block": "corrected"}
    SummarizerEndpoint(endpoint="sft_v0").save("corrected", overwrite=True)
    with pytest.raises(EndpointMissing):
        run(by_block)
    SummarizerEndpoint(endpoint="sft_v1").save("corrected", overwrite=True)
    assert run(by_block).calls == NUMBER


def test_rejects_that_a_mended_endpoint_answers(asked_day, qianfan, tmp_path):
    lenient = asked_day | {"canary_calls": 0, "max_reject_ratio": 1}
    qianfan.behavior.thoughts = "用户想换水杯……"
    assert run(lenient).rejected == NUMBER
    assert {reject["reason"] for reject in rows(tmp_path / "warehouse", "rejects")} == {"lost_to_thinking"}
    tally = run(lenient, thinking="off")
    assert (tally.calls, tally.summarized) == (NUMBER, NUMBER)


def test_rejects_that_a_mended_model_answers(asked_day, qianfan, tmp_path):
    qianfan.answers = lambda endpoint, prompt: "好的。"
    run(asked_day, canary_calls=0, max_reject_ratio=1)
    qianfan.answers = None
    (told,) = asyncio.run(backfill_days(DAY, DAY, retry="unparseable,refused", settings=asked_day))
    assert (told["calls"], told["summarized"]) == (NUMBER, NUMBER)


@pytest.mark.parametrize(("code", "error"), [("insufficient_quota", AllowanceUsedUp), ("", EndpointDown)])
def test_an_endpoint_that_is_down_or_unpaid(asked_day, qianfan, code, error):
    qianfan.behavior.status, qianfan.behavior.error_type = (429, code) if code else (502, "bad_gateway")
    with pytest.raises(error):
        run(asked_day)
    qianfan.behavior.status = 0
    assert run(asked_day).calls == sum(qianfan.delivered.values()) == NUMBER


def test_a_store_that_refuses(asked_day, bos, qianfan):
    in_bos = asked_day | {"warehouse": "bos://kefu-logs/warehouse"}
    run(in_bos)
    published = {key: bos.read(key) for key in bos.keys() if key.endswith((".parquet", ".html"))}  # noqa: SIM118
    assert published
    bos.denied = {"put"}
    with pytest.raises(StoreRefused, match="permission"):
        run(in_bos, overwrite=True)
    assert {key: bos.read(key) for key in published} == published
    bos.denied = set()
    assert (run(in_bos, overwrite=True).summarized, sum(qianfan.delivered.values())) == (NUMBER, NUMBER)


def test_a_day_that_is_held(small_day):
    lease = acquire_day(FolderStore(Path(small_day["warehouse"])), DAY, "other", Patience(0, lambda _: None))
    with pytest.raises(DayBusy):
        run(small_day, busy_wait_seconds=0)
    lease.release()
    assert run(small_day, busy_wait_seconds=0).summarized == NUMBER


def test_rejects_of_the_endpoint(asked_day, qianfan, tmp_path):
    write_logs(tmp_path / "logs", range(80, 82), POISON)
    assert run(asked_day, max_attempts=1).rejected == 2
    assert {reject["reason"] for reject in rows(tmp_path / "warehouse", "rejects")} == {"endpoint_error"}
    qianfan.behavior.poison = ""
    tally = run(asked_day)
    assert (tally.calls, tally.rejected) == (2, 0)
