"""settings -> stores, summarizer, quota."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows.wiring.blocks import BLOCK_SCHEME, open_bucket
from flows.wiring.fallbacks import fallback_settings
from flows.wiring.settings import Settings, load_settings
from flows.wiring.source_names import before_the_day, source_of
from flows.wiring.themes import open_themes
from tasks.calling.learned_limits import read_learned, write_learned
from tasks.calling.rate_limiter import RateLimiter
from tasks.calling.rules.budget import PriceList
from tasks.calling.rules.pacing.limits import Limits
from tasks.calling.shared_quota import SharedQuota
from tasks.clients.bos.credentials import BosCredentials
from tasks.clients.embeddings import open_openai_embeddings, open_qianfan_embeddings
from tasks.clients.http_pool import ConnectionLimits, address
from tasks.clients.notifications import NotificationWire
from tasks.clients.offline import OfflineSummarizer
from tasks.clients.openai_chat import OpenAISummarizer
from tasks.clients.qianfan.chat import V1_NOTICE, QianfanAddresses, is_v1, model_of, open_qianfan
from tasks.clients.qianfan.credentials import QianfanCredentials
from tasks.clients.server_clock import server_clock
from tasks.clients.stores import Named, open_store
from tasks.delivering.deliver import Wire
from tasks.domain.errors import UsageError
from tasks.domain.ports import BatchPlatform, Embedder, ObjectStore, Summarizer
from tasks.preparing.pseudonyms import Pseudonyms
from tasks.reading.rules.formats import LogMapping, check_log_format, load_mappings
from tasks.reporting.alerts import load_alerts
from tasks.themes.assigner import load_taxonomy
from tasks.themes.rules.assigning import Assigner
from tasks.warehouse.pseudonym_key import own_key

if TYPE_CHECKING:
    from tasks.clients.qianfan.platform import QianfanConsole


def check_settings(config: Mapping[str, Any]) -> Settings:
    """Find what is wrong with settings before anything is started or called; return them when nothing is.

    Raises:
        UsageError: one line that says what.
    """
    settings = load_settings(config)
    check_log_format(settings.log_format, mappings_of(settings))
    source_of(settings.source, date.min)
    load_taxonomy(settings.themes)
    load_alerts(settings.alerts)
    for uri in (settings.source, settings.warehouse):
        if not uri.startswith(BLOCK_SCHEME):  # blocks are on the Prefect server, which is not asked yet
            open_store(uri, _bos_credentials(settings))
    if settings.summarizer != "offline":
        open_summarizer(settings)
        quota_of(settings)
    if settings.summarizer == "qianfan-batch":
        batch_platform(settings)
    return settings


@dataclass(frozen=True, slots=True)
class SecondModel:
    """The model that is asked what the first one does not answer, by settings of its own."""

    settings: Settings
    summarizer: Summarizer
    limiter: RateLimiter | None


@dataclass(frozen=True, slots=True)
class Services:
    """The outside, connected: where logs are, where tables go, who answers, and at what pace."""

    source: ObjectStore
    source_name: str
    warehouse: ObjectStore
    summarizer: Summarizer
    limiter: RateLimiter | None
    second: SecondModel | None
    scratch: Path
    themes: Assigner


@asynccontextmanager
async def connect(settings: Settings, day: date) -> AsyncIterator[Services]:
    """Open everything that a day's run needs, and close it again.

    Raises:
        UsageError: a setting is missing or can't be right; nothing was called yet.
    """
    source, source_name = open_source(settings, day)
    summarizer = open_summarizer(settings)
    async with AsyncExitStack() as open_things:
        open_things.push_async_callback(summarizer.aclose)
        warehouse = open_warehouse(settings)
        limiter = None
        if summarizer.paid:
            limiter = await open_things.enter_async_context(_open_limiter(settings, warehouse, summarizer.model))
        yield Services(
            source=source,
            source_name=source_name,
            warehouse=warehouse,
            summarizer=summarizer,
            limiter=limiter,
            second=await _open_second(settings, warehouse, open_things),
            scratch=scratch_parent(settings),
            themes=open_themes(settings, warehouse),
        )


@asynccontextmanager
async def _open_limiter(settings: Settings, warehouse: ObjectStore, model: str) -> AsyncIterator[RateLimiter]:
    quota, name = quota_of(settings), settings.shared_quota
    async with AsyncExitStack() as open_things:
        share = await open_things.enter_async_context(SharedQuota(name)) if name else None
        before = await asyncio.to_thread(read_learned, warehouse, model)
        limiter = RateLimiter(replace(quota, learned=before), share=share)
        try:
            yield limiter
        finally:
            limiter.close()
            if share is None:
                await asyncio.to_thread(write_learned, warehouse, model, limiter.pacer.learned(), before)


async def _open_second(settings: Settings, warehouse: ObjectStore, open_things: AsyncExitStack) -> SecondModel | None:
    second = fallback_settings(settings)
    if second is None:
        return None
    summarizer = open_summarizer(second)
    open_things.push_async_callback(summarizer.aclose)
    limiter = None
    if summarizer.paid:
        limiter = await open_things.enter_async_context(_open_limiter(second, warehouse, summarizer.model))
    return SecondModel(second, summarizer, limiter)


def quota_of(settings: Settings) -> Limits:
    """Return the endpoint's quota as the settings state it.

    Raises:
        UsageError: it is shared, and nobody says how much it is.
    """
    if settings.shared_quota and not (settings.rpm or settings.tpm):
        raise UsageError(
            f"--shared-quota {settings.shared_quota} needs --rpm or --tpm: what is shared out must be known."
        )
    return Limits(settings.rpm, settings.tpm, settings.concurrency, queries_per_second=settings.qps)


def mappings_of(settings: Settings) -> dict[str, LogMapping]:
    """The named log formats, by their names.

    Raises:
        UsageError: their file can't be read, or says something that no mapping can.
    """
    return load_mappings(Path(settings.mappings) if settings.mappings else None)


def open_warehouse(settings: Settings) -> ObjectStore:
    """The store of the tables."""
    return open_folder(settings.warehouse, settings)


def pseudonyms_of(settings: Settings) -> Pseudonyms:
    """The pseudonyms of KEFU_PSEUDONYM_KEY, or of a key that the warehouse keeps for itself from its first run on."""
    given = settings.pseudonym_key.get_secret_value()
    return Pseudonyms(given.encode() if given else own_key(open_warehouse(settings)))


def open_source(settings: Settings, day: date) -> tuple[ObjectStore, str]:
    """The store that holds the day's logs, and the name in it of the object or folder that is them.

    Links are followed where the setting itself names them, and below only inside of what it names.
    """
    uri = source_of(settings.source, day).rstrip("/")
    return open_place(uri, settings, Named(before_the_day(settings.source) or uri, uri))


def open_logs(uri: str, settings: Settings) -> tuple[ObjectStore, str]:
    """The store that holds logs which a person named, and their name in there; links in them lead nowhere outside."""
    return open_place(uri, settings, Named(uri.rstrip("/"), uri.rstrip("/")))


def open_place(uri: str, settings: Settings, only: Named | None = None) -> tuple[ObjectStore, str]:
    """The store that holds an object or folder, and its name in there; `only` as in `open_store`."""
    uri = uri.rstrip("/")
    parent, _, name = uri.rpartition("/")
    if "://" in uri and uri.count("/") == 2:
        parent, name = uri, ""  # a whole bucket
    elif not parent:
        parent = "/" if uri.startswith("/") else "."
    return open_folder(parent, settings, only), name


def interface_of(settings: Settings) -> str:
    """The interface that the endpoint is called by, in words."""
    if settings.summarizer == "openai":
        return f"the OpenAI interface of {address(settings.openai_base_url)}"
    return "Qianfan's V1 interface" if is_v1(settings.endpoint) else "Qianfan's V2 interface"


async def service_clock(settings: Settings) -> tuple[str, datetime | None]:
    """Return the name and the clock of a service in use; an empty name where none is used."""
    addresses = {
        "the endpoint": settings.openai_base_url if settings.summarizer == "openai" else "",
        "Qianfan": settings.qianfan_console_api_base_url if settings.summarizer.startswith("qianfan") else "",
        "BOS": settings.bos_endpoint,
    }
    for name, url in addresses.items():
        if url:
            return name, await server_clock(url)
    return "", None


def notices(settings: Settings) -> list[str]:
    """Return notices on settings that a run can go on with, one sentence each."""
    asked = (settings.endpoint, settings.fallback_endpoint)
    return [V1_NOTICE] if settings.summarizer == "qianfan" and any(map(is_v1, asked)) else []


def open_summarizer(settings: Settings) -> Summarizer:
    """Open the summarizer that the settings name.

    Raises:
        UsageError: credentials or the endpoint are missing.
    """
    if settings.summarizer == "offline":
        return OfflineSummarizer()
    if not settings.endpoint:
        raise UsageError(f"--summarizer {settings.summarizer} needs --endpoint (or KEFU_ENDPOINT).")
    if settings.summarizer == "openai":
        if not settings.openai_base_url:
            raise UsageError("--summarizer openai needs OPENAI_BASE_URL, such as http://localhost:8000/v1.")
        return OpenAISummarizer(
            settings.endpoint,
            base_url=settings.openai_base_url,
            api_key=settings.openai_api_key.get_secret_value(),
            options=settings.model_options,
            limits=_connection_limits(settings),
        )
    return open_qianfan(
        settings.endpoint,
        _qianfan_credentials(settings),
        _qianfan_addresses(settings),
        settings.model_options,
        _connection_limits(settings),
    )


def price_list(settings: Settings, second: Settings | None) -> PriceList:
    """Return the prices of all models that a run asks; `second` is what `fallback_settings` returns."""
    if second is None:
        return PriceList(settings.prices)
    model = second.endpoint if second.summarizer == "openai" else model_of(second.endpoint)
    return PriceList(settings.prices, model, second.prices)


@asynccontextmanager
async def open_batch_platform(settings: Settings) -> AsyncIterator[BatchPlatform]:
    """The platform's offline batch inference, connected.

    Raises:
        UsageError: a setting that it needs is missing.
    """
    platform = batch_platform(settings)
    try:
        yield platform
    finally:
        await platform.aclose()


@asynccontextmanager
async def open_platform(settings: Settings) -> AsyncIterator["QianfanConsole"]:
    """The platform that trains, publishes and serves models.

    Raises:
        UsageError: credentials are missing.
    """
    from tasks.clients.qianfan.platform import QianfanConsole  # noqa: PLC0415  loads much of the SDK

    platform = QianfanConsole(_qianfan_credentials(settings), settings.qianfan_console_api_base_url)
    try:
        yield platform
    finally:
        await platform.aclose()


def batch_platform(settings: Settings) -> BatchPlatform:
    """The platform's offline batch inference; nothing is called yet.

    Raises:
        UsageError: a setting that it needs is missing.
    """
    if not settings.warehouse.startswith(("bos://", BLOCK_SCHEME)):
        raise UsageError("--summarizer qianfan-batch needs a warehouse in BOS: the platform reads and writes there.")
    from tasks.clients.qianfan.batch import QianfanBatch  # noqa: PLC0415  loads much of the SDK

    return QianfanBatch(
        settings.batch_model or model_of(settings.endpoint),
        _qianfan_credentials(settings),
        settings.qianfan_console_api_base_url,
        base_url=settings.qianfan_base_url,
        max_tokens=settings.max_output_tokens,
        temperature=settings.temperature,
    )


@asynccontextmanager
async def open_embedder(name: str, settings: Settings) -> AsyncIterator[Embedder]:
    """A model of embeddings, `qianfan:NAME` or `openai:NAME`.

    Raises:
        UsageError: the name is another one, or credentials or the address are missing.
    """
    service, _, model = name.partition(":")
    if service == "qianfan" and model:
        embedder = open_qianfan_embeddings(
            model, _qianfan_credentials(settings), _qianfan_addresses(settings), _connection_limits(settings)
        )
    elif service == "openai" and model and settings.openai_base_url:
        key = settings.openai_api_key.get_secret_value()
        embedder = open_openai_embeddings(model, settings.openai_base_url, key, _connection_limits(settings))
    else:
        raise UsageError(f"--embedding {name!r}: write qianfan:embedding-v1, or openai:MODEL with OPENAI_BASE_URL set.")
    try:
        yield embedder
    finally:
        await embedder.aclose()


def scratch_parent(settings: Settings) -> Path:
    """Return the folder for work in progress: on the warehouse's own disk when it has one."""
    if settings.scratch:
        return Path(settings.scratch)
    if settings.warehouse.startswith(("bos://", BLOCK_SCHEME)):
        return Path(tempfile.gettempdir()) / "kefu-digest"
    return Path(settings.warehouse.removeprefix("file://")) / "_staging" / "runs"


def open_folder(uri: str, settings: Settings, only: Named | None = None) -> ObjectStore:
    """The store at any address; `only` as in `open_store`."""
    scratch = Path(settings.scratch) if settings.scratch else None
    if uri.startswith(BLOCK_SCHEME):
        return open_bucket(uri, scratch)
    return open_store(uri, _bos_credentials(settings), scratch=scratch, only=only)


def _connection_limits(settings: Settings) -> ConnectionLimits:
    return ConnectionLimits(settings.concurrency, settings.timeout_seconds, settings.call_seconds)


def _qianfan_addresses(settings: Settings) -> QianfanAddresses:
    return QianfanAddresses(
        v2=settings.qianfan_console_api_base_url, iam=settings.qianfan_iam_base_url, v1=settings.qianfan_base_url
    )


def _qianfan_credentials(settings: Settings) -> QianfanCredentials:
    return QianfanCredentials(
        access_key=settings.qianfan_access_key.get_secret_value(),
        secret_key=settings.qianfan_secret_key.get_secret_value(),
        bearer_token=settings.qianfan_bearer_token.get_secret_value(),
    )


def _bos_credentials(settings: Settings) -> BosCredentials:
    def renewed() -> BosCredentials:
        try:
            return _bos_credentials(load_settings({}))
        except UsageError:  # `.env` is being written, or holds a mistake: the ones from before
            return _bos_credentials(settings)

    return BosCredentials(
        renewed=renewed,
        access_key_id=settings.bce_access_key_id.get_secret_value(),
        secret_access_key=settings.bce_secret_access_key.get_secret_value(),
        endpoint=settings.bos_endpoint,
        session_token=settings.bce_session_token.get_secret_value(),
    )


def notification_wire() -> Wire:
    """Return the sender of notifications and cards."""
    return NotificationWire()
