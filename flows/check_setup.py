"""Check everything that the settings name, one by one, in under a minute: run it before the first night.

python -m flows.check_setup     (costs two calls of the endpoint at most)
"""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import orjson
from prefect import flow, get_run_logger
from prefect.artifacts import acreate_table_artifact
from prefect.settings import PREFECT_API_URL

from flows.wiring.blocks import BLOCK_SCHEME, BosBucket, SummarizerEndpoint, load_block
from flows.wiring.commands import command_line
from flows.wiring.commands.standard_streams import write_result
from flows.wiring.fallbacks import fallback_settings
from flows.wiring.services import (
    interface_of,
    open_embedder,
    open_source,
    open_summarizer,
    open_warehouse,
    quota_of,
    service_clock,
)
from flows.wiring.settings import Settings, SettingsParameter, load_settings
from flows.wiring.steps import preparing
from tasks.checking.probes import CONVERSATION, ask, ask_prefect, probe_source, probe_warehouse, tried
from tasks.checking.rules.findings import (
    Finding,
    as_json,
    block_findings,
    clock_finding,
    endpoint_findings,
    nightly_would_fail,
    prefect_findings,
)
from tasks.domain.days import previous_day
from tasks.domain.errors import KefuError, RunError, UsageError
from tasks.domain.records import Request
from tasks.preparing.pseudonyms import Pseudonyms
from tasks.running.automations import AUTOMATIONS

_POOL = "kefu"


@flow(name="check-setup")
async def check_setup(settings: SettingsParameter | None = None, embedding: str = "") -> dict[str, Any]:
    """检查配置 · Try everything that a night needs, and say what to do where something fails. Two calls at most.

    Args:
        settings: 其他设置（高级） · Any setting by its name, as for summarize_day.
        embedding: 向量模型，可空 · A model of embeddings to try as well, such as qianfan:embedding-v1.
    """
    findings, calls = await _findings(settings or {}, embedding)
    await acreate_table_artifact(
        [finding.as_json() for finding in findings], key="check-setup", description="配置检查 · setup check"
    )
    for finding in findings:
        get_run_logger().info(finding.line())
    if nightly_would_fail(findings):
        raise RunError(
            "The nightly would fail: " + "; ".join(finding.line() for finding in findings if finding.status == "failed")
        )
    return as_json(findings, calls)


async def _findings(settings: dict[str, Any], embedding: str) -> tuple[list[Finding], int]:
    """Everything that was found, and how many calls it took."""
    try:
        config = load_settings(settings)
    except (UsageError, RunError) as error:
        return [Finding("settings", "failed", str(error))], 0
    day = previous_day(datetime.now(UTC), config.zone)
    probes = await asyncio.gather(
        tried("logs", _logs(config, day)),
        tried("warehouse", _warehouse(config)),
        tried("clock", _clock(config)),
        tried("Prefect server", _prefect()),
        tried("embeddings", _embeddings(config, embedding)),
        tried("blocks", asyncio.to_thread(_blocks, config)),
    )
    asks_second = bool(config.fallback_endpoint or config.fallback_block)
    endpoint, calls = await _endpoint(config, with_schema=not embedding and not asks_second)
    fallback, more = await _fallback(config, may_call=not embedding)
    order = (*probes[5], *probes[0], *probes[1], *endpoint, *fallback, *probes[4], *probes[2], *probes[3])
    return [Finding("settings", "ok", "understood"), *order], calls + more + bool(embedding)


async def _logs(config: Settings, day: date) -> Sequence[Finding]:
    return await probe_source(*open_source(config, day), day)


async def _warehouse(config: Settings) -> Sequence[Finding]:
    return await probe_warehouse(open_warehouse(config))


def _blocks(config: Settings) -> Sequence[Finding]:
    wanted: list[tuple[type[SummarizerEndpoint | BosBucket], str]] = [
        (SummarizerEndpoint, config.endpoint_block),
        (SummarizerEndpoint, config.fallback_block),
    ]
    addresses = [uri for uri in (config.source, config.warehouse) if uri.startswith(BLOCK_SCHEME)]
    wanted += [(BosBucket, uri.removeprefix(BLOCK_SCHEME).partition("/")[0]) for uri in addresses]
    named, missing = [], {}
    for kind, name in dict.fromkeys(wanted):
        if name:
            named.append(f"{kind.get_block_type_slug()}/{name}")
            try:
                load_block(kind, name)
            except UsageError as error:
                missing[named[-1]] = str(error)
    return block_findings(named, missing)


async def _clock(config: Settings) -> Sequence[Finding]:
    name, server_time = await service_clock(config)
    if not name:
        return [Finding("clock", "skipped", "no service is used")]
    return [clock_finding(server_time, datetime.now(UTC), name)]


async def _endpoint(config: Settings, with_schema: bool) -> tuple[Sequence[Finding], int]:
    """The endpoint's findings and how many calls they took: one as the nightly makes it, one with a JSON schema."""
    if config.summarizer == "offline":
        return [Finding("endpoint", "skipped", "--summarizer offline asks no model")], 0
    try:
        async with aclosing(open_summarizer(config)) as summarizer:
            request = _request(config, summarizer.model)
            first = await ask(summarizer, request)
            model, limits, schema = summarizer.model, quota_of(config), None
        if with_schema and first.reply is not None and config.response_format == "text":
            async with aclosing(open_summarizer(config.model_copy(update={"response_format": "json_schema"}))) as other:
                schema = await ask(other, request)
    except KefuError as error:
        return [Finding("endpoint", "failed", str(error))], 0
    return endpoint_findings(model, interface_of(config), first, schema, limits), 1 + (schema is not None)


def _request(config: Settings, model: str) -> Request:
    # With a key of its own: the warehouse's would be made here, where nothing may stay, or could not be written.
    return preparing(config, model, Pseudonyms(b"check-setup"))(CONVERSATION)


async def _fallback(config: Settings, may_call: bool) -> tuple[Sequence[Finding], int]:
    """The second model's findings, and how many calls they took: one in place of the one with a JSON schema."""
    try:
        second = await asyncio.to_thread(fallback_settings, config)
        if second is None:
            return [Finding("fallback", "skipped", "no second model is named (--fallback-endpoint)")], 0
        async with aclosing(open_summarizer(second)) as summarizer:
            if not may_call:
                return [Finding("fallback", "skipped", f"{summarizer.model} is not asked: --embedding is tried")], 0
            asked = await ask(summarizer, _request(second, summarizer.model))
            found = endpoint_findings(summarizer.model, interface_of(second), asked, None, quota_of(second))
    except KefuError as error:
        return [Finding("fallback", "failed", str(error))], 0
    return [replace(finding, what=f"fallback {finding.what}") for finding in found], 1


async def _embeddings(config: Settings, name: str) -> Sequence[Finding]:
    if not name:
        return [Finding("embeddings", "skipped", "none is named (--embedding)")]
    async with open_embedder(name, config) as embedder:
        vectors = await embedder.embed(["包裹没有动静"])
    return [Finding("embeddings", "ok", f"{embedder.name} gives vectors of {len(vectors[0])} numbers")]


async def _prefect() -> Sequence[Finding]:
    if not PREFECT_API_URL.value():  # each command starts a server of its own
        return [
            Finding(
                "Prefect server",
                "warning",
                "none is named, so that nothing runs by night",
                "set PREFECT_API_URL, or run make serve; see deployments/README.md",
            )
        ]
    try:
        return prefect_findings(await ask_prefect(_POOL, AUTOMATIONS))
    except Exception as error:  # whatever Prefect's client raises: it is a finding
        seen = f"can't be asked ({type(error).__name__})"
        return [Finding("Prefect server", "failed", seen, "start it, or correct PREFECT_API_URL")]


def main(arguments: Sequence[str]) -> int:
    """The command line of this flow. It needs no Prefect server: what is wrong with that is one of its findings."""
    parser = command_line.parser("flows.check_setup", __doc__)
    parser.add_argument("--embedding", default="", help="a model of embeddings to try, too, such as openai:NAME")
    args = parser.parse_args(arguments)
    began = datetime.now(UTC)
    findings, calls = asyncio.run(_findings(command_line.chosen_settings(args), args.embedding))
    if args.json:
        write_result(orjson.dumps(as_json(findings, calls)).decode())
    else:
        took = (datetime.now(UTC) - began) / timedelta(seconds=1)
        verdict = "The nightly would FAIL." if nightly_would_fail(findings) else "The nightly would run."
        lines = "\n".join(finding.line() for finding in findings)
        write_result(f"{lines}\n{verdict} ({calls} calls, {took:.0f} s)")
    return command_line.FAILED if nightly_would_fail(findings) else command_line.DONE


if __name__ == "__main__":
    command_line.main(main)
