"""A range of days from the command line's side: in this process, one after the other."""

import asyncio
import gc
import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import orjson
import pytest
from prefect.client.orchestration import get_client

from flows.backfill_days import backfill_days
from tasks.domain.errors import DaysFailed, TooManyRejects, UsageError

pytestmark = pytest.mark.usefixtures("prefect_server")

START, END = date(2026, 11, 20), date(2026, 11, 22)


@pytest.fixture(scope="module", autouse=True)
def connections() -> Iterator[None]:
    """Close the connections that Prefect's client leaves open, while its warning is still ignored."""
    yield
    gc.collect()


def write_day(folder: Path, day: date, broken: int = 0) -> None:
    rows = [
        orjson.dumps(
            {
                "conversation_id": f"{day}-{number}",
                "messages": [
                    {"role": "user", "text": f"{day}买的第{number}件什么时候发货？"},
                    {"role": "agent", "text": "今天下午安排发货。"},
                ],
            }
        )
        for number in range(5)
    ]
    (folder / f"{day}.jsonl").write_bytes(b"\n".join(rows + [b"{broken"] * broken))


@pytest.fixture
def place(tmp_path: Path) -> dict[str, Any]:
    """Settings over a folder with the logs of the first and the last day."""
    logs = tmp_path / "logs"
    logs.mkdir()
    for day in (START, END):
        write_day(logs, day)
    return {"source": f"{logs}/{{day}}.jsonl", "warehouse": str(tmp_path / "warehouse")}


def run(place: dict[str, Any], start: date = START, end: date = END, **form: Any) -> list[dict[str, Any]]:
    return asyncio.run(backfill_days(start, end, settings=place, **form))


def test_backfill_days_goes_on_after_a_failed_day_and_does_only_that_one_again(place, tmp_path):
    with pytest.raises(DaysFailed, match=r"1 of 3 days failed: 2026-11-21 \(There are no logs of 2026-11-21") as told:
        run(place)
    assert [outcome["status"] for outcome in told.value.outcomes] == ["done", "failed", "done"]

    write_day(tmp_path / "logs", date(2026, 11, 21))
    assert [day["status"] for day in run(place)] == ["complete already", "done", "complete already"]
    assert [day["status"] for day in run(place, overwrite=True)] == ["done"] * 3
    assert [day["status"] for day in run(place, report_only=True)] == ["report rebuilt"] * 3


def test_backfill_days_share_one_ceiling_also_with_a_day_that_failed_after_its_calls(
    place, accounts, qianfan, tmp_path
):
    write_day(tmp_path / "logs", date(2026, 11, 21))
    asked = place | {"summarizer": "qianfan", "endpoint": "sft_v1", "canary_calls": 0}
    in_the_way = tmp_path / "warehouse" / "reports" / f"day={START}"
    in_the_way.parent.mkdir(parents=True)
    in_the_way.write_text("a file where the report's folder would be")
    with pytest.raises(DaysFailed) as failed:
        run(asked | {"max_calls": 8})
    assert [outcome["status"] for outcome in failed.value.outcomes] == ["failed", "ceiling_reached", "not begun"]
    assert sum(qianfan.delivered.values()) == 8


def test_backfill_days_says_what_became_of_each_day(place):
    async def run_id_of() -> Any:
        state: Any = await backfill_days(START, END, settings=place, return_state=True)
        return state.state_details.flow_run_id

    run_id = asyncio.run(run_id_of())
    with get_client(sync_client=True) as client:
        assert client.read_flow_run(run_id).name == f"backfill-{START}-{END} · 2 done, 1 failed"
        wanted = {"artifacts": {"flow_run_id": {"any_": [str(run_id)]}}, "sort": "CREATED_DESC"}
        table = next(
            artifact for artifact in client.request("POST", "/artifacts/filter", json=wanted).json() if artifact["key"]
        )
    rows = json.loads(table["data"])
    assert [row["日期 day"] for row in rows] == ["2026-11-20", "2026-11-21", "2026-11-22"]
    assert rows[0]["会话 conversations"] == 5
    assert "no logs of 2026-11-21" in rows[1]["原因 why"]


def test_backfill_days_does_a_day_of_too_many_rejects_again_once_it_is_mended(place, tmp_path):
    write_day(tmp_path / "logs", START, broken=5)
    for _ in range(2):  # a day that is not complete is not skipped either
        with pytest.raises(TooManyRejects, match=r"2026-11-20 \(5 unreadable\)") as told:
            run(place, end=START)
        assert isinstance(told.value.tally, list)
        assert (told.value.tally[0]["rejected"], told.value.tally[0]["status"]) == (5, "too_many_rejects")
    write_day(tmp_path / "logs", START)
    assert [day["status"] for day in run(place, end=START)] == ["done"]
    assert [day["status"] for day in run(place, end=START)] == ["complete already"]


def test_backfill_days_completes_a_day_that_a_limit_cut(place):
    (cut,) = run({**place, "limit": 2}, end=START)
    assert (cut["status"], cut["conversations"]) == ("limited", 2)
    (whole,) = run(place, end=START)
    assert (whole["status"], whole["conversations"]) == ("done", 5)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"end": date(2026, 11, 19)}, "before the first"),
        ({"start": date(2026, 10, 1)}, "53 days, more than 31"),
        ({"end": date(2126, 11, 22), "confirm_long_span": True}, "lies in the future"),
        ({"endpoint": "nobody"}, "no block summarizer-endpoint/nobody"),
        ({"source": "ftp://logs/{day}"}, "unknown scheme"),
        ({"overwrite": True, "report_only": True}, "choose one"),
        ({"max_parallel_days": 99}, "1 to 16"),
    ],
)
def test_backfill_days_refuses_what_cannot_be_in_one_sentence(place, tmp_path, wrong, words):
    with pytest.raises(UsageError, match=words) as refused:
        run(place, **wrong)
    assert "\n" not in str(refused.value)
    assert not (tmp_path / "warehouse").exists()


def test_backfill_days_refuses_logs_that_would_be_in_every_day(place):
    with pytest.raises(UsageError, match="does not name the day"):
        run({**place, "source": "logs/all.jsonl", "day_from": "source"})


def test_backfill_days_divides_logs_of_many_days_by_their_messages(place, tmp_path):
    rows = [
        f"c{day}-{number},{role},快递什么时候到,2026-11-{day} 23:5{number}:00\n"
        for day in (20, 22)
        for number in range(3)
        for role in ("用户", "客服")
    ]
    month = tmp_path / "month.csv"
    month.write_text("会话ID,角色,内容,时间\n" + "".join(rows), encoding="utf-8")
    done = run({**place, "source": str(month)})
    assert [(day["day"], day["conversations"]) for day in done] == [("2026-11-20", 3), ("2026-11-22", 3)]
