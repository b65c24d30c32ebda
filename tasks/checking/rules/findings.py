"""Findings of a setup check: what works, what to do where it does not, and whether the nightly would fail."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from tasks.calling.rules.pacing.limits import Limits
from tasks.domain.records import Reply

Status = Literal["ok", "warning", "failed", "skipped"]

_MARKS: Final[dict[Status, str]] = {"ok": "ok     ", "warning": "warning", "failed": "FAILED ", "skipped": "skipped"}

# Signatures are refused from five minutes on at some services, from fifteen on at others.
_SKEW_WARNING_SECONDS: Final = 60.0
_SKEW_FATAL_SECONDS: Final = 300.0

_SLOW_SECONDS: Final = 10.0

# The watch gives a sign of life once a minute.
_WATCH_GONE_SECONDS: Final = 300.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was tried.

    Args:
        what: the thing.
        status: `failed` means that the nightly would fail.
        seen: what was found, in a sentence.
        remedy: what to do about it; empty where nothing is to be done.
    """

    what: str
    status: Status
    seen: str
    remedy: str = ""

    def line(self) -> str:
        """The finding in one line."""
        return f"{_MARKS[self.status]} {self.what}: {self.seen}{f' → {self.remedy}' if self.remedy else ''}"

    def as_json(self) -> dict[str, str]:
        """The finding as `--json` prints it."""
        return {"what": self.what, "status": self.status, "seen": self.seen, "remedy": self.remedy}


@dataclass(frozen=True, slots=True)
class Asked:
    """One call of the endpoint: its reply, or the error in its place."""

    reply: Reply | None
    seconds: float = 0.0
    error: str = ""
    invalid: bool = False


@dataclass(frozen=True, slots=True)
class PrefectFacts:
    """Facts about the nightly from a Prefect server.

    Args:
        server: its version.
        database: `postgresql` or `sqlite`; empty where it gives none.
        pool: the name of the work pool.
        workers: those of the pool that gave a sign of life lately; None where there is no such pool.
        scheduled: the nightly's deployment exists and has an active schedule; None where there is no such deployment.
        watch_seconds: since the watch's last sign of life; None where there never was one.
        automations: those of this project that are missing or switched off.
    """

    server: str
    database: str
    pool: str
    workers: int | None
    scheduled: bool | None
    watch_seconds: float | None
    automations: Sequence[str] = ()


def nightly_would_fail(findings: Sequence[Finding]) -> bool:
    """Return true where one of the findings keeps a nightly run from succeeding."""
    return any(finding.status == "failed" for finding in findings)


def as_json(findings: Sequence[Finding], calls: int) -> dict[str, Any]:
    """All findings as `--json` prints them."""
    return {
        "status": "failed" if nightly_would_fail(findings) else "ok",
        "calls": calls,
        "findings": [finding.as_json() for finding in findings],
    }


def endpoint_findings(model: str, interface: str, first: Asked, schema: Asked | None, limits: Limits) -> list[Finding]:
    """Judge an endpoint by one or two calls.

    Args:
        model: its name.
        interface: which one is spoken.
        first: the call as the nightly would make it.
        schema: the same with a JSON schema; None where it was not tried.
        limits: the quota that is configured.
    """
    if first.reply is None:
        return [Finding("endpoint", "failed", f"{model} by {interface}: {first.error}")]
    found = [_answer_finding(model, interface, first.reply, first.seconds), _quota_finding(first.reply, limits)]
    if first.reply.lost_to_thinking or first.reply.thought:
        found.append(_thinking_finding(first.reply))
    if schema is not None:
        found.append(_schema_finding(schema))
    return found


def _answer_finding(model: str, interface: str, reply: Reply, seconds: float) -> Finding:
    seen = (
        f"{model} by {interface} answered in {seconds:.1f} s with {reply.prompt_tokens} + {reply.completion_tokens} "
        "tokens"
    )
    if reply.refused:
        return Finding("endpoint", "warning", f"{seen}, and refused a harmless conversation", "check its filter")
    if seconds > _SLOW_SECONDS:
        return Finding("endpoint", "warning", seen, "raise --timeout-seconds, or choose a faster model")
    return Finding("endpoint", "ok", seen)


def _quota_finding(reply: Reply, limits: Limits) -> Finding:
    sent = reply.limits
    requests = sent.limit_requests if sent else None
    tokens = sent.limit_tokens if sent else None
    if requests is None and tokens is None:
        if limits.requests_per_minute or limits.tokens_per_minute:
            return Finding("quota", "ok", "the reply names none; the configured one holds")
        return Finding(
            "quota",
            "warning",
            "the reply names none and none is configured",
            "set --rpm and --tpm to your quota",
        )
    named = f"the reply names {requests or 'no'} requests and {tokens or 'no'} tokens a minute"
    above = (limits.requests_per_minute or 0) > (requests or float("inf"))
    if above:
        return Finding("quota", "warning", f"{named}, --rpm says {limits.requests_per_minute:g}", "lower --rpm")
    return Finding("quota", "ok", named)


def _thinking_finding(reply: Reply) -> Finding:
    remedy = "switch it off: --thinking off (or allow more tokens: --max-output-tokens)"
    if reply.lost_to_thinking:
        return Finding(
            "thinking", "failed", "the model thought until its tokens were used up, and gave no answer", remedy
        )
    return Finding("thinking", "warning", "the model thinks before it answers, which is billed", remedy)


def _schema_finding(schema: Asked) -> Finding:
    if schema.reply is not None:
        return Finding("JSON schema", "ok", "taken (--response-format json_schema)")
    if schema.invalid:
        return Finding("JSON schema", "ok", "not taken; --response-format text is right")
    return Finding("JSON schema", "warning", f"not known: {schema.error}")


def clock_finding(server: datetime | None, here: datetime, name: str) -> Finding:
    """The difference between this machine's clock and a service's.

    Args:
        server: the service's time; None where it gave none.
        here: this machine's time.
        name: of the service.
    """
    if server is None:
        return Finding("clock", "skipped", f"{name} gives no time")
    skew = (here - server).total_seconds()
    minutes = f"{abs(skew) / 60:.0f} min" if abs(skew) >= _SKEW_WARNING_SECONDS else f"{abs(skew):.0f} s"
    seen = f"this machine is {minutes} {'ahead of' if skew > 0 else 'behind'} {name}"
    if abs(skew) >= _SKEW_FATAL_SECONDS:
        return Finding("clock", "failed", seen, "set the clock (timedatectl set-ntp true): signatures are refused")
    if abs(skew) >= _SKEW_WARNING_SECONDS:
        return Finding("clock", "warning", seen, "set the clock (timedatectl set-ntp true)")
    return Finding("clock", "ok", seen)


def prefect_findings(facts: PrefectFacts) -> list[Finding]:
    """Judge a Prefect server: itself, its database, the pool's workers, the nightly's schedule, its watch."""
    found = [Finding("Prefect server", "ok", f"version {facts.server}")]
    if facts.database == "sqlite":
        found.append(
            Finding("database", "warning", "SQLite", "use PostgreSQL for production; see deployments/README.md")
        )
    elif facts.database:
        found.append(Finding("database", "ok", facts.database))
    else:
        found.append(Finding("database", "skipped", "the server keeps its address to itself; it answers"))
    start = f"start one: prefect worker start --pool {facts.pool} --type process"
    if facts.workers is None:
        found.append(
            Finding("workers", "failed", f"there is no work pool {facts.pool}", "run deployments/bootstrap.py")
        )
    elif not facts.workers:
        found.append(Finding("workers", "failed", f"no worker of the pool {facts.pool} gives a sign of life", start))
    else:
        found.append(Finding("workers", "ok", f"{facts.workers} of the pool {facts.pool}"))
    if facts.scheduled is None:
        remedy = "deploy: prefect --no-prompt deploy --prefect-file deployments/prefect.yaml --all"
        found.append(Finding("nightly", "failed", "there is no deployment summarize-day/nightly", remedy))
    elif not facts.scheduled:
        found.append(Finding("nightly", "failed", "its schedule is paused", "switch it on in the UI"))
    else:
        found.append(Finding("nightly", "ok", "deployed and scheduled"))
    return [*found, _watch_finding(facts.watch_seconds), _automations_finding(facts.automations)]


def _watch_finding(seconds: float | None) -> Finding:
    if seconds is not None and seconds < _WATCH_GONE_SECONDS:
        return Finding("watch", "ok", f"gave a sign of life {seconds:.0f} s ago")
    seen = "never gave a sign of life" if seconds is None else f"gave its last sign of life {seconds / 60:.0f} min ago"
    remedy = "start it: python -m deployments.watch (make serve and the compose file do)"
    return Finding("watch", "warning", f"{seen}: a run that dies is not begun again, and nobody is notified", remedy)


def _automations_finding(missing: Sequence[str]) -> Finding:
    if not missing:
        return Finding("automations", "ok", "all there and switched on")
    seen = f"missing or switched off: {', '.join(missing)}"
    return Finding("automations", "warning", seen, "run python -m deployments.bootstrap, or switch them on in the UI")


def block_findings(named: Sequence[str], missing: Mapping[str, str]) -> list[Finding]:
    """Judge the Prefect blocks that the settings name.

    Args:
        named: as kind/name.
        missing: those that can't be read, and why.
    """
    if not named:
        return [Finding("blocks", "skipped", "the settings name none")]
    failed = [Finding(f"block {name}", "failed", missing[name]) for name in named if name in missing]
    return failed or [Finding("blocks", "ok", f"{', '.join(named)} can be read")]
