"""Seeded, invented days for the tests of the figures and the report: rows of SUMMARIES and REJECTS."""

import hashlib
import random
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa

from tasks.domain.records import Reason
from tasks.warehouse.rules.tables import REJECTS, SUMMARIES

HOSTILE = (
    "</script><img src=x onerror=alert(1)><script>alert(2)</script>",
    "a | b || `code` [看这里](https://evil.example/?q=1) <b>粗</b>",
    "{{ 7 * 7 }} {% raw %} ${jndi} %s {zh}",
    "第一行\n第二行\r\n# 标题\n- 列表\x00\x07",
    "\u202egnp.exe\u2066 ]]> <!-- --> &lt;&amp; \"引号\" 'single'",
    "www.evil.example 与 HTTPS://EVIL.EXAMPLE/x",
)

_TOPICS = [
    ("退货运费由谁承担", "核实后补发运费券，三天内到账", 0.55, 0.20),
    ("快递三天没有更新物流", "联系快递催件并登记回访", 0.50, 0.30),
    ("耳机左边没有声音", "安排上门换新", 0.80, 0.10),
    ("优惠券结算时用不了", "说明使用门槛，补发同等优惠券", 0.70, 0.06),
    ("发票抬头开错", "作废后重开电子发票", 0.88, 0.02),
    ("退款还没有到账", "银行处理需要三个工作日，请留意短信", 0.45, 0.35),
    ("冰箱送货安装约不上", "改约周六上午由师傅联系", 0.62, 0.18),
    ("保价申请被驳回", "复核价格后按差价退回余额", 0.58, 0.16),
    ("收货地址填错，手机[手机号]", "拦截包裹并修改地址", 0.75, 0.05),
    ("会员续费被自动扣款", "关闭自动续费并原路退回", 0.52, 0.28),
]
_THEMES = {"退货运费由谁承担": "shipping_fee", "快递三天没有更新物流": "logistics_progress", "退款还没有到账": "refund"}
_CHANNELS = ["app", "网页", "电话转在线", "小程序", ""]


def summaries(
    count: int,
    seed: int = 1,
    *,
    day: date = date(2026, 11, 22),
    model: str = "ernie-speed-sft",
    unknown: float = 0.08,
    negative_scale: float = 1.0,
    hostile: bool = False,
) -> pa.RecordBatch:
    """So many rows of one day in Shanghai's time."""
    rng = random.Random(seed)
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=8)
    hours = [1, 1, 1, 1, 1, 1, 2, 4, 8, 14, 17, 15, 12, 13, 14, 15, 14, 12, 11, 14, 18, 16, 9, 4]
    rows: list[dict[str, Any]] = []
    for number in range(count):
        issue, plan, accept, anger = rng.choices(_TOPICS, [16, 15, 8, 10, 5, 12, 6, 5, 4, 3])[0]
        accepted = None if rng.random() < unknown else rng.random() < accept
        angry = anger * negative_scale * (0.5 if accepted else 1.5)
        negative = None if rng.random() < unknown / 2 else rng.random() < angry
        name = f"c{seed}-{number:06}"
        if hostile and number % 7 == 0:
            issue = rng.choice(HOSTILE)
            plan = rng.choice(HOSTILE)
        started = midnight + timedelta(hours=rng.choices(range(24), hours)[0], seconds=rng.randrange(3600))
        rows.append(
            {
                "conversation_id": name if not hostile or number % 11 else f"<i>{name}|`",
                "started_at": None if rng.random() < 0.02 else started,
                "channel": rng.choices(_CHANNELS, [50, 20, 8, 20, 2])[0],
                "turns": 2 + int(rng.expovariate(1 / 10)),
                "issue": None if rng.random() < 0.02 else f"用户咨询{issue}",
                "plan": plan,
                "accepted": accepted,
                "negative_sentiment": negative,
                "accepted_text": {True: "是", False: "用户不接受，要求升级处理", None: None}[accepted],
                "negative_sentiment_text": {True: "用户表示非常失望", False: "否", None: None}[negative],
                "truncated": rng.random() < 0.03,
                "model": model,
                "prompt_version": "sft-v1",
                "prompt_tokens": 300,
                "completion_tokens": 60,
                "latency_ms": 900,
                "attempts": 1,
                "source_uri": "logs/a.jsonl",
                "content_hash": hashlib.sha256(name.encode()).hexdigest(),
                "summarized_at": midnight + timedelta(days=1),
                "run_id": "run-1",
                "attributes": [],
                "theme": _THEMES.get(issue, "other"),
                "plan_theme": None,
            }
        )
    return pa.RecordBatch.from_pylist(rows, schema=SUMMARIES)


def rejects(count: int, seed: int = 1) -> pa.RecordBatch:
    """So many rejects of several reasons."""
    rng = random.Random(seed)
    reasons = [Reason.ONE_SIDED, Reason.EMPTY, Reason.UNREADABLE, Reason.UNPARSEABLE, Reason.REFUSED]
    rows = [
        {
            "conversation_id": f"r{number}",
            "reason": rng.choices(reasons, [6, 3, 1, 2, 1])[0].value,
            "detail": "说明",
            "raw_output": "",
            "source_uri": "logs/a.jsonl",
            "line": number + 1,
            "attempts": 1,
            "run_id": "run-1",
            "content_hash": "",
        }
        for number in range(count)
    ]
    return pa.RecordBatch.from_pylist(rows, schema=REJECTS)


def run(**values: Any) -> dict[str, Any]:
    """A finished run."""
    return {
        "run_id": "run-1",
        "status": "done",
        "summarizer": "qianfan",
        "version": "0.1.0",
        "finished_at": datetime(2026, 11, 22, 18, 42, 7, tzinfo=UTC),
        "seconds": 512.4,
        "calls": 1180,
        "retries": 23,
        "quota_refusals": 4,
        "reused": 31,
        "prompt_tokens": 402_113,
        "completion_tokens": 77_402,
        "cost": 1.83,
        "quota_use": 0.94,
        "log_objects": 24,
        **values,
    }
