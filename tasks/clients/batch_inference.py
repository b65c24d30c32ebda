"""Qianfan's offline batch inference: the SDK builds and signs the requests, sending and errors are ours."""

import asyncio
import inspect
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import orjson
from qianfan.resources.auth.iam import iam_sign
from qianfan.resources.console.data import Data
from qianfan.resources.typing import QfRequest

from tasks.clients import http
from tasks.clients.http import Call, Pool
from tasks.clients.qianfan import QianfanCredentials
from tasks.domain.batch_inference import Phase, TaskReport
from tasks.domain.errors import CallFault, EndpointDown, QuotaRefused, TransientFault, UsageError

_PHASES: Mapping[str, Phase] = {
    "Done": "done",
    "Failed": "failed",
    "Stopped": "failed",
    "Expired": "failed",
}
_TOO_MANY = "TaskRunningNumberExceedLimit"
_WINDOW = "24h"
_PAGE = 100


class QianfanBatch:
    """Offline batch inference of an account.

    Args:
        model: `amv-…` is a model version, as fine-tuned ones need it; anything else a service of the platform's own.
        credentials: a key pair; the console takes no bearer token.
        url: the console API's address.
        max_tokens: of an answer.
        temperature: low, so that the same conversation gets the same answer.
        timeout_seconds: for one call.
        attempts: of a call that only looks.
        retry_seconds: before the second attempt; doubled before each further one.

    Raises:
        UsageError: there is no key pair.
    """

    def __init__(
        self,
        model: str,
        credentials: QianfanCredentials,
        url: str = "https://qianfan.baidubce.com",
        *,
        max_tokens: int = 512,
        temperature: float = 0.01,
        timeout_seconds: float = 60.0,
        attempts: int = 6,
        retry_seconds: float = 1.0,
    ) -> None:
        if not credentials.has_pair:
            raise UsageError("--summarizer qianfan-batch needs QIANFAN_ACCESS_KEY and QIANFAN_SECRET_KEY.")
        self._model = {"model_id" if model.startswith("amv-") else "endpoint": model}
        self._credentials = credentials
        self._url = url.rstrip("/")
        self._parameters = {"temperature": temperature, "max_output_tokens": max_tokens}
        self._pool = Pool(1, timeout_seconds)
        self._attempts = attempts
        self._retry_seconds = retry_seconds

    async def find_task(self, name: str) -> str | None:
        """The id of the task of that name, the newest first."""
        marker: str | None = None
        while True:
            page = await self._look(
                Data.list_offline_batch_inference_task, marker=marker, max_keys=_PAGE, page_reverse=True
            )
            for task in page.get("taskList") or []:
                if task["name"] == name:
                    return str(task["taskId"])
            info = page.get("pageInfo") or {}
            if not info.get("isTruncated") or info.get("nextMarker") in (None, "", marker):
                return None
            marker = info["nextMarker"]

    async def create_task(self, name: str, input_uri: str, output_uri: str) -> str | None:
        """Begin a task and return its id; None while the account has as many as it may have, or nobody answered."""
        try:
            made = await self._send(
                Data.create_offline_batch_inference_task,
                name,
                input_bos_uri=_as_the_platform_writes(input_uri),
                output_bos_uri=_as_the_platform_writes(output_uri),
                inference_params=self._parameters,
                completion_window=_WINDOW,
                **self._model,
            )
        except (TransientFault, QuotaRefused):
            return None  # it may have been created all the same: find_task tells later
        except CallFault as error:
            if _TOO_MANY in str(error):
                return None
            raise UsageError(
                f"Offline batch inference does not take the task ({error}) Check --batch-model and that the account "
                "may use the bucket."
            ) from error
        return str(made["taskId"])

    async def describe_task(self, task_id: str) -> TaskReport:
        """How a task stands."""
        found = await self._look(Data.get_offline_batch_inference_task, task_id)
        status = str(found.get("runStatus") or "")
        reason = " ".join(str(found[name]) for name in ("errorCode", "errorReason", "errorMessage") if found.get(name))
        return TaskReport(_PHASES.get(status, "running"), reason or status)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._pool.aclose()

    async def _look(self, call: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        """A call that may be made twice, made until it is answered."""
        for attempt in range(1, self._attempts + 1):
            try:
                return await self._send(call, *arguments, **options)
            except (TransientFault, QuotaRefused) as error:
                if attempt == self._attempts:
                    raise EndpointDown(f"{error} Start the run again: it goes on from here.") from error
                await asyncio.sleep(self._retry_seconds * 2 ** (attempt - 1))
        raise AssertionError("attempts is at least 1")

    async def _send(self, call: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        """One call of the SDK's, from its request to its result."""
        # What the SDK's decorator wraps makes the request and nothing else. The decorator would put keys that are
        # given per call into the body, in the clear.
        build = inspect.unwrap(call.__func__)  # type: ignore[attr-defined]
        request: QfRequest = build(call.__self__, *arguments, **options)  # type: ignore[attr-defined]
        request.headers = {"Content-Type": "application/json", "Host": urlsplit(self._url).netloc}
        iam_sign(self._credentials.access_key, self._credentials.secret_key, request)
        url = self._url + request.url
        response = await self._pool.send(
            Call(lambda: None),
            request.method,
            url,
            params=request.query,
            headers=request.headers,
            data=orjson.dumps(request.json_body),
        )
        try:
            return orjson.loads(await response.read())["result"]
        except (orjson.JSONDecodeError, KeyError, TypeError) as error:
            raise http.broken_reply(url) from error


def _as_the_platform_writes(uri: str) -> str:
    return uri.replace("bos://", "bos:/", 1)
