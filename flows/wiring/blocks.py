"""Prefect blocks: what a deployment is connected to, made and swapped in the UI, with the secrets masked.

`{"endpoint_block": "NAME"}` among a run's settings takes the summarizer from a block, and `block://NAME/folder`
as a source or a warehouse a folder of a bucket. `deployments/bootstrap.py` registers them.
"""

import asyncio
import logging
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeVar, cast

from prefect._internal.compatibility.async_dispatch import async_dispatch
from prefect.blocks.core import Block
from prefect.filesystems import WritableFileSystem
from pydantic import Field, SecretStr

from tasks.clients.bos.credentials import BosCredentials
from tasks.clients.stores import open_store
from tasks.domain.errors import UsageError
from tasks.domain.model_options import ResponseFormat, Thinking
from tasks.domain.ports import ObjectStore, StoredObject

_log = logging.getLogger(__name__)

BLOCK_SCHEME = "block://"

B = TypeVar("B", bound=Block)


_OPTIONS = (
    "response_format",
    "thinking",
    "temperature",
    "max_output_tokens",
    "system_prompt",
    "extra_fields",
    "extra_headers",
)


def _default_of(block: Block, name: str) -> Any:
    return type(block).model_fields[name].get_default(call_default_factory=True)


class _FixedSchema:
    """A block whose JSON schema is made once: Prefect asks for it forty times a save (0.36 s of CPU)."""

    @classmethod
    def model_json_schema(cls, *options: Any, **named: Any) -> dict[str, Any]:
        """The schema of the class, as Prefect makes it; the caller's own to change."""
        return deepcopy(cls._schema(*options, **named))

    @classmethod
    @cache
    def _schema(cls, *options: Any, **named: Any) -> dict[str, Any]:
        return cast("dict[str, Any]", super().model_json_schema(*options, **named))  # type: ignore[misc]


class BaiduCredentials(_FixedSchema, Block):
    """百度智能云密钥 · The keys of a Baidu AI Cloud account, for BOS and for Qianfan.

    Example:
        Load saved credentials:
        ```python
        from flows.blocks import BaiduCredentials

        credentials = BaiduCredentials.load("kefu")
        ```
    """

    _block_type_name = "Baidu Credentials"
    _block_type_slug = "baidu-credentials"

    access_key_id: SecretStr = Field(
        default=SecretStr(""), title="Access Key", description="账号或子用户的 AK · Of the account or of a sub-user."
    )
    secret_access_key: SecretStr = Field(
        default=SecretStr(""), title="Secret Key", description="与 AK 成对的 SK · Belongs to the access key."
    )
    session_token: SecretStr = Field(
        default=SecretStr(""),
        title="Session Token",
        description="临时密钥的令牌，BOS 用 · Of a temporary key pair (STS), for BOS.",
    )
    bearer_token: SecretStr = Field(
        default=SecretStr(""),
        title="Bearer Token",
        description="千帆 API Key，可代替 AK/SK（BOS 除外） · Qianfan's API key, instead of the pair; not for BOS.",
    )


class BosBucket(_FixedSchema, WritableFileSystem):
    """BOS 存储桶或其中的目录 · A bucket in Baidu Object Storage, or a folder of it: where logs lie, or where tables go.

    Example:
        Read an object:
        ```python
        from flows.blocks import BosBucket

        bucket = BosBucket.load("kefu-logs")
        content = bucket.read_path("2026-11-22/app.jsonl")
        ```
    """

    _block_type_name = "BOS Bucket"
    _block_type_slug = "bos-bucket"

    bucket_name: str = Field(title="Bucket", description="桶名 · The bucket's name.")
    bucket_folder: str = Field(
        default="",
        title="Folder",
        description="目录，空则为整个桶 · All paths are below it; empty: the whole bucket.",
    )
    endpoint: str = Field(title="Region", description="地域域名 · The region's address, such as https://bj.bcebos.com.")
    credentials: BaiduCredentials = Field(title="Credentials", description="以谁的身份访问 · Whose requests they are.")

    def store(self, folder: str = "", scratch: Path | None = None) -> ObjectStore:
        """The bucket (or a folder below its own) as an object store; nothing is called yet.

        Args:
            folder: below the block's own.
            scratch: where objects are kept while they are read, by default the system's folder for such files.

        Raises:
            UsageError: bucket, folder or region can't be right, or the keys are missing.
        """
        path = "/".join(part.strip("/") for part in (self.bucket_name, self.bucket_folder, folder) if part.strip("/"))
        return open_store(f"bos://{path}", self._bos_credentials(), scratch=scratch)

    def _bos_credentials(self) -> BosCredentials:
        return BosCredentials(
            access_key_id=self.credentials.access_key_id.get_secret_value(),
            secret_access_key=self.credentials.secret_access_key.get_secret_value(),
            endpoint=self.endpoint,
            session_token=self.credentials.session_token.get_secret_value(),
            renewed=self._renewed if self._block_document_name else None,
        )

    def _renewed(self) -> BosCredentials:
        try:
            return load_block(BosBucket, str(self._block_document_name))._bos_credentials()
        except Exception as error:  # the server is away: the ones from before
            _log.warning("The block %s can't be read again: %s", self._block_document_name, type(error).__name__)
            return self._bos_credentials()

    async def aread_path(self, path: str) -> bytes:
        """The object at a path, whole."""
        return await asyncio.to_thread(self.store().read_path, path)

    @async_dispatch(aread_path)
    def read_path(self, path: str) -> bytes:  # type: ignore[override]  # as in Prefect's own file systems
        """The object at a path, whole."""
        return self.store().read_path(path)

    async def awrite_path(self, path: str, content: bytes) -> str:
        """Write an object, whole or not at all; return its address."""
        store = self.store()
        await asyncio.to_thread(store.write_path, path, content)
        return store.uri_of(path)

    @async_dispatch(awrite_path)
    def write_path(self, path: str, content: bytes) -> str:  # type: ignore[override]
        """Write an object, whole or not at all; return its address."""
        store = self.store()
        store.write_path(path, content)
        return store.uri_of(path)

    async def alist_objects(self, folder: str = "") -> list[StoredObject]:
        """The objects whose path begins with `folder`, in order."""
        return await asyncio.to_thread(lambda: list(self.store().list_objects(folder)))

    @async_dispatch(alist_objects)
    def list_objects(self, folder: str = "") -> list[StoredObject]:
        """The objects whose path begins with `folder`, in order."""
        return list(self.store().list_objects(folder))


class SummarizerEndpoint(_FixedSchema, Block):
    """摘要服务与配额 · Who reads the conversations, and at what quota.

    Example:
        Load a saved endpoint:
        ```python
        from flows.blocks import SummarizerEndpoint

        endpoint = SummarizerEndpoint.load("kefu-sft")
        ```
    """

    _block_type_name = "Summarizer Endpoint"
    _block_type_slug = "summarizer-endpoint"

    summarizer: Literal["qianfan", "openai", "offline"] = Field(
        default="qianfan",
        title="Summarizer",
        description="千帆、兼容 OpenAI 的服务或固定规则 · Qianfan, any OpenAI-compatible server, or rules.",
    )
    endpoint: str = Field(
        default="",
        title="Endpoint",
        description="模型或服务的名称 · The name of the model or of the deployed service.",
    )
    rpm: int = Field(
        default=0,
        ge=0,
        title="Requests a minute",
        description="每分钟请求数，0 为自动 · The quota; 0: learned.",
    )
    tpm: int = Field(
        default=0, ge=0, title="Tokens a minute", description="每分钟 token 数，0 为自动 · The quota; 0: learned."
    )
    prompt_token_price: float | None = Field(
        default=None,
        ge=0,
        title="Price of prompt tokens",
        description="每千输入 token 的价格，空则用设置 · Per 1,000; no price here: those of the settings.",
    )
    completion_token_price: float | None = Field(
        default=None, ge=0, title="Price of completion tokens", description="每千输出 token 的价格 · Per 1,000."
    )
    cached_token_price: float | None = Field(
        default=None,
        ge=0,
        title="Price of cached prompt tokens",
        description="每千缓存命中 token 的价格，空则同输入 · Per 1,000; empty: as other prompt tokens.",
    )
    shared_quota: str = Field(
        default="",
        title="Shared quota",
        description="共用配额的名称，空则独用 · The name that runs share this quota by; empty: one run has it alone.",
    )
    response_format: ResponseFormat = Field(
        default="text",
        title="Response format",
        description="json_schema 约束为四个字段；精调服务用 text · json_schema holds a model to the four fields.",
    )
    thinking: Thinking = Field(
        default="",
        title="Thinking",
        description="思考：off 关闭，空为模型默认 · off costs least.",
    )
    seed: int = Field(default=-1, ge=-1, title="Seed", description="随机种子，-1 为不设 · -1: none.")
    temperature: float = Field(default=0.01, ge=0, le=2, title="Temperature", description="随机性 · Of an answer.")
    max_output_tokens: int = Field(
        default=0,
        ge=0,
        title="Longest answer",
        description="回答的最多 token 数 · In tokens; 0: default.",
    )
    system_prompt: str = Field(default="", title="System prompt", description="系统提示词，可空 · Empty: none.")
    extra_fields: dict[str, Any] = Field(
        default_factory=dict, title="Extra fields", description="请求体的其他字段 · Of each request's body."
    )
    extra_headers: dict[str, str] = Field(
        default_factory=dict, title="Extra headers", description="请求头，不放密钥 · Of each request; no secrets."
    )
    credentials: BaiduCredentials | None = Field(default=None, title="Credentials", description="千帆用 · For qianfan.")
    openai_base_url: str = Field(
        default="", title="OpenAI base URL", description="openai 用 · For openai, such as http://localhost:8000/v1."
    )
    openai_api_key: SecretStr = Field(
        default=SecretStr(""), title="OpenAI API key", description="openai 用，如需 · For openai, if it wants one."
    )

    def _options(self) -> dict[str, Any]:
        """The options of the model, as far as they are not the defaults."""
        options = {name: getattr(self, name) for name in _OPTIONS if getattr(self, name) != _default_of(self, name)}
        return {**options, "model_seed": self.seed} if self.seed >= 0 else options

    def as_settings(self) -> dict[str, Any]:
        """Return the block's values by the settings' names, without the empty ones."""
        said: dict[str, Any] = {
            "endpoint": self.endpoint,
            "rpm": self.rpm,
            "tpm": self.tpm,
            "shared_quota": self.shared_quota,
            "openai_base_url": self.openai_base_url,
            "openai_api_key": self.openai_api_key.get_secret_value(),
        }
        if self.credentials:
            said |= {
                "qianfan_access_key": self.credentials.access_key_id.get_secret_value(),
                "qianfan_secret_key": self.credentials.secret_access_key.get_secret_value(),
                "qianfan_bearer_token": self.credentials.bearer_token.get_secret_value(),
            }
        named = {name: value for name, value in said.items() if value}
        prices = prices_as_settings(self.prompt_token_price, self.completion_token_price, self.cached_token_price)
        return {"summarizer": self.summarizer, **self._options(), **prices, **named}


def prices_as_settings(prompt: float | None, completion: float | None, cached: float | None) -> dict[str, Any]:
    """Return one model's prices per 1,000 tokens by the settings' names, none of another model's; nothing for none."""
    if prompt is completion is cached is None:
        return {}
    in_millions = dict.fromkeys(("prompt_million_price", "completion_million_price", "cached_million_price"))
    return {
        "prompt_token_price": prompt or 0.0,
        "completion_token_price": completion or 0.0,
        "cached_token_price": cached,
        **in_millions,
    }


def load_block(kind: type[B], name: str) -> B:
    """The block of that kind and name on the Prefect server.

    Raises:
        UsageError: there is none.
    """
    try:
        return cast("B", kind.load(name, _sync=True))  # type: ignore[call-arg]
    except ValueError:
        raise UsageError(
            f"This Prefect server has no block {kind.get_block_type_slug()}/{name}: "
            "make it under Blocks in the UI, or name another one."
        ) from None


async def find_endpoint(name: str) -> SummarizerEndpoint | None:
    """The endpoint block of that name, if the Prefect server has one."""
    try:
        return cast("SummarizerEndpoint", await SummarizerEndpoint.aload(name))
    except ValueError:
        return None


def open_bucket(uri: str, scratch: Path | None = None) -> ObjectStore:
    """The store at `block://NAME/folder`: a folder of the bucket whose block has that name.

    Args:
        uri: the address.
        scratch: where objects are kept while they are read, by default the system's folder for such files.

    Raises:
        UsageError: there is no such block, or it can't be right.
    """
    name, _, folder = uri.removeprefix(BLOCK_SCHEME).partition("/")
    return load_block(BosBucket, name).store(folder, scratch)
