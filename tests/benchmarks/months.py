"""Invented months of summaries, with three planted stories or with none.

python -m tests.benchmarks.months --seed 1 --warehouse /tmp/month [--quiet] [--per-day 300]

The planted stories are a courier that fails for one week, a coupon that breaks in one shop on one day, and an agents'
script that customers stop accepting from a day on. Everything else is noise with a rhythm: fewer conversations at
weekends and other topics than on weekdays, topics that come and go a little from day to day.
"""

import argparse
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tasks.domain.layout import partition_key
from tasks.warehouse.rules.tables import REJECTS, RUNS, SUMMARIES

COURIERS = ("顺丰", "圆通", "韵达", "迅鹿", "飞驰达", "北极星快运", "蓝鲸速递", "安捷", "云雀物流", "千里马")
SHOPS = ("星河旗舰店", "山茶专营店", "北岸数码", "青禾母婴", "橘子家居", "白鹭女装")
CHANNELS = (("app", 50), ("小程序", 24), ("网页", 18), ("电话转在线", 8))
PRODUCTS = (
    "保温杯",
    "羽绒服",
    "蓝牙耳机",
    "电饭煲",
    "跑步鞋",
    "儿童书包",
    "台灯",
    "床单",
    "面霜",
    "行李箱",
    "键盘",
    "奶粉",
)
AGENTS = tuple(f"坐席{number:02}" for number in range(1, 13))
SCRIPTS = (
    "赠送十元优惠券作为补偿",
    "补偿二百积分并致歉",
    "登记后由专员四十八小时内回电",
    "建议客户自行联系快递网点核实",
    "赠送下单满减券一张",
    "引导客户在订单页自助提交申请",
)


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic of customers: issue and plan templates, odds, and its part on weekdays and at weekends."""

    issues: tuple[str, ...]
    plans: tuple[str, ...]
    accept: float
    negative: float
    weekday: float
    weekend: float


TOPICS = (
    Topic(
        (
            "{courier}快递{days}天没有更新物流",
            "包裹显示在途，{courier}一直不派送",
            "想知道{courier}什么时候能送到",
            "{product}的物流信息停在了转运中心",
        ),
        ("联系{courier}催促派送", "核实物流轨迹后登记催件", "告知预计明天送达", "{script}"),
        0.74,
        0.17,
        20,
        16,
    ),
    Topic(
        (
            "收到的{product}和图片颜色不一样，想退掉",
            "申请退回{product}，问运费谁出",
            "{product}不合适要换大一号",
            "退回的{product}商家还没签收",
        ),
        ("同意退货并承担运费", "安排上门取件", "提供换货地址", "指引提交退货申请"),
        0.82,
        0.10,
        15,
        19,
    ),
    Topic(
        ("退款{days}天了还没到账", "询问退款进度", "取消订单后钱没有退回来"),
        ("说明银行处理需要三个工作日", "提交加急退款", "核实后确认今日到账", "{script}"),
        0.66,
        0.24,
        11,
        9,
    ),
    Topic(
        (
            "{product}用了{days}天就坏了",
            "{product}收到时外壳有裂痕",
            "{product}不能开机要求处理",
            "怀疑{product}不是正品",
        ),
        ("安排换新", "同意维修并寄回", "补偿部分金额", "要求提供照片后审核", "{script}"),
        0.70,
        0.27,
        12,
        12,
    ),
    Topic(
        ("优惠券结算时用不了", "咨询满减怎么叠加", "活动价和昨天看到的不一致", "问会员券有效期"),
        ("说明使用门槛", "补发同等优惠券", "核实活动规则后答复", "解释叠加规则"),
        0.79,
        0.08,
        10,
        13,
    ),
    Topic(
        ("{product}有没有现货", "{product}适合什么人用", "问{product}的尺寸和材质", "{product}什么时候补货"),
        ("告知库存情况", "介绍商品参数", "建议收藏等待补货通知"),
        0.93,
        0.02,
        18,
        20,
    ),
    Topic(
        ("发票抬头写错了要重开", "需要补开电子发票", "发票一直没有收到"),
        ("作废后重开电子发票", "发送电子发票到邮箱", "登记开票信息"),
        0.91,
        0.03,
        7,
        3,
    ),
    Topic(
        ("收货地址填错想修改", "下单后要改电话", "想合并两个订单发货"),
        ("修改成功并确认", "已出库无法修改，建议拒收", "备注仓库尽量合并"),
        0.84,
        0.06,
        6,
        6,
    ),
    Topic(
        ("等了很久没有人回复", "对之前客服的态度不满意", "多次反映问题没有解决要投诉"),
        ("致歉并升级处理", "{script}", "登记投诉并回访"),
        0.52,
        0.62,
        5,
        5,
    ),
)

PREFIXES = ("客户", "用户咨询", "顾客反映", "用户", "")
SUFFIXES = ("", "", "", "，比较着急", "，希望尽快处理", "，问怎么办")


@dataclass(frozen=True, slots=True)
class Planted:
    """A story as it was planted: the words that must name it, its days, and its conversations."""

    kind: str
    names: tuple[str, ...]
    first_day: date
    last_day: date
    conversations: frozenset[str]


@dataclass(frozen=True, slots=True)
class Month:
    """Rows of SUMMARIES by day, and what was planted in them."""

    days: dict[date, list[dict[str, Any]]]
    planted: tuple[Planted, ...]


def simulate_month(
    seed: int,
    *,
    start: date = date(2026, 11, 1),
    days: int = 30,
    per_day: int = 300,
    planted: bool = True,
    weekends: tuple[float, float] = (0.35, 0.8),
) -> Month:
    """Draw a month; `weekends` bound how large a day of a weekend is beside a weekday. The same seed gives the same one."""
    return _Simulation(
        seed, [start + timedelta(days=number) for number in range(days)], per_day, planted, weekends
    ).run()


class _Simulation:
    def __init__(
        self, seed: int, calendar: list[date], per_day: int, planted: bool, weekends: tuple[float, float]
    ) -> None:
        self.rng = random.Random(seed)
        self.seed = seed
        self.days, days = calendar, len(calendar)
        self.per_day = per_day
        self.planted = planted
        rng = self.rng
        self.couriers = rng.sample(COURIERS, 5)
        self.shops = rng.sample(SHOPS, 4)
        self.scripts = rng.sample(SCRIPTS, 3)
        self.weekend = rng.uniform(*weekends)
        self.bad_courier = rng.choice(self.couriers)
        first = rng.randrange(8, min(18, days - 8))
        self.courier_days = self.days[first : first + 7]
        self.bad_shop = rng.choice(self.shops)
        self.coupon_day = rng.choice([day for day in self.days[10:] if day not in self.courier_days])
        self.bad_script = rng.choice(self.scripts)
        self.script_days = self.days[rng.randrange(days - 11, days - 6) :]
        self.found: dict[str, set[str]] = {"courier": set(), "coupon": set(), "script": set()}

    def run(self) -> Month:
        rows = {day: list(self._day(day)) for day in self.days}
        if not self.planted:
            return Month(rows, ())
        planted = (
            ("courier", (self.bad_courier,), self.courier_days),
            ("coupon", ("优惠券", self.bad_shop), [self.coupon_day]),
            ("script", (self.bad_script,), self.script_days),
        )
        return Month(
            rows,
            tuple(
                Planted(kind, names, days[0], days[-1], frozenset(self.found[kind])) for kind, names, days in planted
            ),
        )

    def _day(self, day: date) -> Iterator[dict[str, Any]]:
        rng, weekend = self.rng, day.weekday() >= 5
        count = round(self.per_day * (self.weekend if weekend else 1) * rng.gauss(1, 0.06))
        odds = [(topic.weekend if weekend else topic.weekday) * rng.gammavariate(60, 1 / 60) for topic in TOPICS]
        for number in range(count):
            yield self._conversation(day, f"{day:%m%d}-{self.seed}-{number:05}", rng.choices(TOPICS, odds)[0])
        if self.planted:
            if day in self.courier_days:
                for number in range(round(self.per_day * rng.uniform(0.08, 0.13))):
                    yield self._late_parcel(day, f"{day:%m%d}-{self.seed}-k{number:04}")
            if day == self.coupon_day:
                for number in range(round(self.per_day * rng.uniform(0.10, 0.16))):
                    yield self._broken_coupon(day, f"{day:%m%d}-{self.seed}-q{number:04}")

    def _conversation(self, day: date, name: str, topic: Topic) -> dict[str, Any]:
        rng = self.rng
        values = {
            "courier": rng.choice(self.couriers),
            "product": rng.choice(PRODUCTS),
            "days": rng.choice("二三四五"),
            "script": rng.choice(self.scripts),
        }
        issue = rng.choice(PREFIXES) + rng.choice(topic.issues).format(**values) + rng.choice(SUFFIXES)
        plan = rng.choice(topic.plans).format(**values)
        accept = topic.accept
        if values["script"] in plan:
            accept = 0.85
            if self.planted and day in self.script_days and values["script"] == self.bad_script:
                accept = 0.28
                self.found["script"].add(name)
        if self.planted and day in self.courier_days and self.bad_courier in issue:
            self.found["courier"].add(name)
        return self._row(day, name, issue, rng.choice(("客服", "")) + plan, accept, topic.negative)

    def _late_parcel(self, day: date, name: str) -> dict[str, Any]:
        self.found["courier"].add(name)
        rng = self.rng
        issue = rng.choice(
            (
                "{courier}的包裹{days}天没动静",
                "{courier}说派送了但没人联系",
                "{courier}网点爆仓，包裹送不出来",
                "{product}被{courier}弄丢了",
            )
        ).format(courier=self.bad_courier, days=rng.choice("三四五六"), product=rng.choice(PRODUCTS))
        plan = rng.choice(("联系网点核实", "登记催件并回电", "告知网点积压请耐心等待"))
        return self._row(day, name, rng.choice(PREFIXES) + issue, plan, 0.45, 0.75)

    def _broken_coupon(self, day: date, name: str) -> dict[str, Any]:
        self.found["coupon"].add(name)
        rng = self.rng
        issue = rng.choice(("优惠券下单时提示系统异常", "用优惠券付款一直报错", "领了优惠券提交不了订单"))
        plan = rng.choice(("反馈技术处理", "请稍后再试", "补发同等优惠券"))
        return self._row(day, name, rng.choice(PREFIXES) + issue, plan, 0.5, 0.5, self.bad_shop, "小程序")

    def _row(
        self,
        day: date,
        name: str,
        issue: str,
        plan: str,
        accept: float,
        negative: float,
        shop: str = "",
        channel: str = "",
    ) -> dict[str, Any]:
        rng = self.rng
        accepted = None if rng.random() < 0.09 else rng.random() < accept
        angry = min(0.95, negative * (0.7 if accepted else 1.5))
        midnight = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=8)
        return {
            "conversation_id": name,
            "started_at": midnight + timedelta(seconds=rng.triangular(7 * 3600, 24 * 3600 - 1, 15 * 3600)),
            "channel": channel or rng.choices([key for key, _ in CHANNELS], [weight for _, weight in CHANNELS])[0],
            "turns": 4 + int(rng.expovariate(1 / 8)),
            "issue": issue,
            "plan": plan,
            "accepted": accepted,
            "negative_sentiment": None if rng.random() < 0.03 else rng.random() < angry,
            "accepted_text": {True: "是", False: "否", None: None}[accepted],
            "negative_sentiment_text": None,
            "truncated": False,
            "model": "simulated",
            "prompt_version": "sft-v1",
            "prompt_tokens": 300,
            "completion_tokens": 60,
            "latency_ms": 800,
            "attempts": 1,
            "source_uri": "simulated.jsonl",
            "content_hash": sha256(name.encode()).hexdigest(),
            "summarized_at": midnight + timedelta(days=1, hours=3),
            "run_id": f"run-{day}",
            "attributes": [
                ("shop", shop or rng.choices(self.shops, range(len(self.shops), 0, -1))[0]),
                ("agent", rng.choice(AGENTS)),
                ("order_id", sha256(name.encode()).hexdigest()[:12]),
            ],
        }


def write_month(month: Month, warehouse: Path) -> None:
    """Write the month's summaries, empty rejects and one run a day into a folder, as the nightly would."""
    for day, rows in month.days.items():
        finished = datetime(day.year, day.month, day.day, 19, tzinfo=UTC)
        run = {
            "run_id": f"run-{day}",
            "status": "done",
            "started_at": finished - timedelta(minutes=9),
            "finished_at": finished,
            "seconds": 540.0,
            "conversations": len(rows),
            "summarized": len(rows),
            "rejected": 0,
            "reused": 0,
            "calls": len(rows),
            "retries": 2,
            "quota_refusals": 0,
            "prompt_tokens": 300 * len(rows),
            "completion_tokens": 60 * len(rows),
            "cost": 0.0011 * len(rows),
            "quota_use": 0.93,
            "summarizer": "qianfan",
            "model": "simulated",
            "prompt_version": "sft-v1",
            "log_objects": 1,
            "version": "0.1.0",
        }
        for table, schema, content in (("rejects", REJECTS, []), ("summaries", SUMMARIES, rows), ("runs", RUNS, [run])):
            path = warehouse / partition_key(table, day)
            path.parent.mkdir(parents=True, exist_ok=True)
            pq.write_table(pa.Table.from_pylist(content, schema=schema), path, compression="zstd")


def main() -> None:
    """Write a month and print what was planted."""
    parser = argparse.ArgumentParser(description="Write an invented month of summaries into a folder.")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--warehouse", type=Path, required=True)
    parser.add_argument("--per-day", type=int, default=300)
    parser.add_argument("--days", type=int, default=30, help="at least 17, so that the stories fit (%(default)s)")
    parser.add_argument("--quiet", action="store_true")
    args = parser.parse_args()
    if args.days < 17:
        parser.error("--days: at least 17, so that the stories fit")
    month = simulate_month(args.seed, days=args.days, per_day=args.per_day, planted=not args.quiet)
    write_month(month, args.warehouse)
    print(f"{sum(map(len, month.days.values()))} conversations")
    for story in month.planted:
        print(story.kind, *story.names, story.first_day, story.last_day, len(story.conversations))


if __name__ == "__main__":
    main()
