"""Qianfan's offline batch inference."""

from collections.abc import Mapping

from qianfan.resources.console.data import Data

from tasks.clients.qianfan.console import ConsoleApi, platform_uri
from tasks.clients.qianfan.credentials import QianfanCredentials
from tasks.domain.errors import PlatformBusy, PlatformRefused, PlatformUnavailable, UsageError
from tasks.domain.ports import Phase, TaskReport

_PHASES: Mapping[str, Phase] = {
    "Done": "done",
    "Failed": "failed",
    "Stopped": "failed",
    "Expired": "failed",
}

_WINDOW = "24h"


class QianfanBatch:
    """Offline batch inference of an account.

    Args:
        model: `amv-…` is a model version, as fine-tuned ones need it; anything else a service of the platform's own,
            which a task names by its address.
        credentials: a key pair; the console takes no bearer token.
        url: the console API's address.
        base_url: where the platform's own services are, for their addresses.
        max_tokens: of an answer.
        temperature: of the model.

    Raises:
        UsageError: there is no key pair.
    """

    def __init__(
        self,
        model: str,
        credentials: QianfanCredentials,
        url: str,
        *,
        base_url: str,
        max_tokens: int,
        temperature: float,
    ) -> None:
        self._model = {"model_id": model} if model.startswith("amv-") else {"endpoint": _address(model, base_url)}
        self._parameters = {"temperature": temperature, "max_output_tokens": max_tokens}
        self._api = ConsoleApi(credentials, url, timeout_seconds=60.0, attempts=6, retry_seconds=1.0)

    async def find_task(self, name: str) -> str | None:
        """The id of the task of that name, the newest first."""
        async for task in self._api.pages(Data.list_offline_batch_inference_task, page_reverse=True):
            if task["name"] == name:
                return str(task["taskId"])
        return None

    async def create_task(self, name: str, input_uri: str, output_uri: str) -> str | None:
        """Begin a task and return its id; None while the account has as many as it may have, or nobody answered."""
        try:
            made = await self._api.send(
                Data.create_offline_batch_inference_task,
                name,
                input_bos_uri=platform_uri(input_uri),
                output_bos_uri=platform_uri(output_uri),
                inference_params=self._parameters,
                completion_window=_WINDOW,
                **self._model,
            )
        except (PlatformUnavailable, PlatformBusy):
            return None  # it may have been created all the same: find_task finds it later
        except PlatformRefused as error:
            raise UsageError(
                f"Offline batch inference does not take the task ({error}) Check --batch-model and that the account "
                "may use the bucket."
            ) from error
        return str(made["taskId"])

    async def describe_task(self, task_id: str) -> TaskReport:
        """Return the status of a task."""
        found = await self._api.read(Data.get_offline_batch_inference_task, task_id)
        status = str(found.get("runStatus") or "")
        reason = " ".join(str(found[name]) for name in ("errorCode", "errorReason", "errorMessage") if found.get(name))
        return TaskReport(_PHASES.get(status, "running"), reason or status)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._api.aclose()


def _address(model: str, base_url: str) -> str:
    """The address of a service of the platform's own, as the reference and the SDK write it in a task."""
    return model if "://" in model else f"{base_url.rstrip('/')}/rpc/2.0/ai_custom/v1/wenxinworkshop/chat/{model}"
