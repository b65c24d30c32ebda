"""Happenings: what became of a run, as a message in plain words. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from tasks.delivering.rules.message import Level, Message
from tasks.running.rules.backfills import why_of

_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")

# The error's name in a state's message -> (what happened, what to do).
_KNOWN: Final = {
    "TooManyRejects": (
        "拒绝过多 · too many rejects",
        "The tables are published. Open the report's rejects; mend the log format or the endpoint, then run the day "
        "again with overwrite.",
    ),
    "NoLogs": ("没有日志 · no logs", "Look into the bucket. When the logs are there, run the day again, or leave it."),
    "NoTables": (
        "没有可用的表 · no tables",
        "No day of that span is summarized. Backfill those you want to read about, then run again.",
    ),
    "CredentialsRefused": ("密钥被拒 · credentials refused", "Renew the key in its block, then run again."),
    "EndpointMissing": ("服务不存在 · endpoint missing", "Correct the endpoint's id in its block, then run again."),
    "AllowanceUsedUp": ("额度用尽 · allowance used up", "Top up the account, then run again; answers are kept."),
    "AnswersUseless": (
        "回答不可用 · answers are useless",
        "Do what the sentence says, then run again: what was useless is asked once more, the rest is kept.",
    ),
    "CertificateUntrusted": (
        "证书不受信任 · certificate not trusted",
        "Name your CA in SSL_CERT_FILE, then run again.",
    ),
    "EndpointDown": ("服务不可用 · endpoint down", "See whether the service is up, then run again; answers are kept."),
    "StoreFull": (
        "磁盘已满或只读 · disk full or read-only",
        "Make room, or mount it writable, then run again; the old tables are intact.",
    ),
    "StoreRefused": ("存储拒绝访问 · store refused", "Mend the permission, then run again."),
    "TableDamaged": (
        "数据表损坏 · table damaged",
        "Put back a copy of the file that is named, or remove it and run its day again: answers are kept.",
    ),
    "BucketMissing": (
        "存储位置不存在 · bucket or folder missing",
        "Correct its name, or mount its disk, then run again.",
    ),
    "StoreUnavailable": ("存储不可用 · store unavailable", "See whether the store is up, then run again."),
    "DayBusy": ("当天正被处理 · day is busy", "Another run is at this day. One of them is enough."),
    "DaysFailed": ("部分日期失败 · some days failed", "Run the same range again: only those days are done."),
    "DayShrank": (
        "当天数据骤减 · the day has shrunk",
        "See whether the export is whole; nothing was changed. If it is right, run the day with allow_shrink.",
    ),
    "AnswersChanged": (
        "模型回答有变 · the model answers otherwise",
        "Ask who changed the model; nothing is published. If its answers are fine, run the day with golden_hold off.",
    ),
    "LeaseLost": ("已由另一次运行接手 · another run took over", "Nothing to do: the other run publishes the day."),
    "AccountingError": (
        "计数不符 · counts do not add up",
        "Hand the run's log to the developers; the old tables are intact. Running it again may fail alike.",
    ),
    "ObjectMissing": ("文件已不在 · a file is gone", "Find out who removed what is named, then run again."),
    "PlatformUnavailable": (
        "平台不可用 · platform unavailable",
        "See whether the platform is up, then run again: it first looks for what was begun.",
    ),
    "PlatformBusy": ("平台任务已满 · platform busy", "Wait until one of its jobs has ended, then run again."),
    "PlatformRefused": ("平台拒绝 · platform refused", "Correct what the sentence names, then run again."),
    "ModelFailed": ("平台任务失败 · a job of the platform failed", "See the job's page there, then run again."),
    "NotPromoted": (
        "未达标，未上线 · not promoted",
        "Nothing to do: what serves is as it was. The run's report says why.",
    ),
    "UsageError": ("设置有误 · wrong settings", "Correct the setting that is named, then run again."),
}

_RUN_AGAIN: Final = "Run it again: what was paid for is kept, and a complete day costs nothing."

_NOTHING_TO_DO: Final = "Nothing to do."

_NOT_BEGUN: Final = {"Scheduled", "Late", "Pending", "Submitting", "AwaitingConcurrencySlot"}


@dataclass(frozen=True, slots=True)
class RunFacts:
    """The facts of a run that a message states.

    Args:
        id: the run's.
        name: the run's.
        state_id: of its state now.
        state: the state's name.
        message: the state's.
        link: its page.
        parameters: what it was asked for.
    """

    id: str
    name: str
    state_id: str
    state: str
    message: str
    link: str
    parameters: Mapping[str, Any]

    @property
    def day(self) -> str:
        """The day of its logs, or days, as far as its parameters or its name give it."""
        asked = [str(self.parameters[name]) for name in ("day", "start", "end") if self.parameters.get(name)]
        return " – ".join(asked) or " – ".join(_DAY.findall(self.name)[:2])


def failure(run: RunFacts) -> Message:
    """A run failed or crashed, and nothing begins it again."""
    error = next((name for name in _KNOWN if re.search(rf"\b{name}\b", run.message[:200])), "")
    what, action = _KNOWN.get(error, ("", _RUN_AGAIN))
    word = "中断 · crashed" if run.state == "Crashed" else "失败 · failed"
    title = f"{run.name}: {what or word}"
    return _message(run, "failure", run.state_id, title, why_of(run.message), action)


def begun_again(run: RunFacts, why: str) -> Message:
    """A run had ended by no fault of its own and is begun again."""
    title = f"{run.name}: 已自动重新开始 · begun again"
    action = f"{_NOTHING_TO_DO} A message follows if that does not help."
    return _message(run, "warning", f"again-{run.state_id}", title, why, action)


def recovered(run: RunFacts) -> Message:
    """A run that was reported as failed, or as begun again, has completed."""
    return _message(run, "good", f"recovered-{run.id}", f"{run.name}: 已恢复 · recovered", "", _NOTHING_TO_DO)


def late(run: RunFacts, due: str) -> Message:
    """A nightly has not ended when it should have."""
    title = f"{run.name}: {due} 仍未完成 · not done by {due}"
    action = "Open the run: its progress says how far it is. Slow is no failure; raise the quota or let it end."
    if run.state in _NOT_BEGUN:
        action = "It has not begun. See whether a worker is up, and which run goes first; late runs are done, not lost."
    return _message(run, "warning", f"late-{run.id}", title, f"It is {run.state}. {run.message}".strip(), action)


def unattended(run: RunFacts) -> Message:
    """A run is due and no worker takes it."""
    title = f"{run.name}: 无人执行 · nothing takes it"
    text = "It is due since a quarter of an hour, and no worker of its pool is up."
    return _message(
        run, "failure", f"unattended-{run.id}", title, text, "Start a worker; late runs are done, not lost."
    )


def doubtful(run: RunFacts) -> Message:
    """A run completed, and its state's name marks that something about it is not as it should be."""
    return _message(run, "warning", run.state_id, f"{run.name}: {run.state}", run.message, "")


def outage(number: int, minutes: float) -> Message:
    """The Prefect server does not answer."""
    text = f"It has not answered for {minutes:.0f} minutes. Runs under way go on; none begins."
    return Message(
        f"outage-{number}", f"outage-{number}", "failure", "Prefect 服务器无响应 · server away", text, "Start it again."
    )


def back(number: int) -> Message:
    """The Prefect server answers again."""
    title = "Prefect 服务器已恢复 · server back"
    text = "What died meanwhile is begun again by itself."
    return Message(f"back-{number}", f"outage-{number}", "good", title, text, _NOTHING_TO_DO)


def disk(folder: str, free_megabytes: int, share: float) -> Message:
    """A disk is nearly full."""
    text = f"{folder} has {free_megabytes:,} MB left, {share:.0%} of its disk."
    action = "Make room, or expire old answers (expire-files); runs stop in good order when it is full."
    return Message(f"disk-{folder}", f"disk-{folder}", "failure", "磁盘将满 · disk nearly full", text, action)


def _message(run: RunFacts, level: Level, id_: str, title: str, text: str, action: str) -> Message:
    return Message(
        id=id_,
        about=run.id,
        level=level,
        title=title,
        text=text,
        action=action,
        link=run.link,
        run=run.name,
        day=run.day,
    )
