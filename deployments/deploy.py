"""Deploy what has changed in prefect.yaml, and leave what people have changed in the UI.

python -m deployments.deploy

`prefect deploy --all` writes every parameter and schedule anew. This remembers what it wrote last (in the variable
`kefu_deployed`): a deployment whose stanza and flow are as they were is not touched, and where they have changed, a
parameter or a schedule that somebody has set to another value than was deployed keeps that value. A deployment that
had another name before hands what people set on to the new one, and is removed once its runs have ended.
"""

import asyncio
import hashlib
import io
import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, Final

import orjson
import yaml  # type: ignore[import-untyped]
from prefect.cli import app
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.actions import DeploymentUpdate
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterId, FlowRunFilter
from prefect.client.schemas.objects import StateType
from prefect.client.schemas.responses import DeploymentResponse
from prefect.exceptions import ObjectNotFound
from prefect.variables import Variable

from deployments.on_server import run_on_server
from deployments.schedules import give_back_schedules
from tasks.running.backfill_runs import in_states

ROOT: Final = Path(__file__).resolve().parent.parent

FILE: Final = "deployments/prefect.yaml"

REMEMBERED: Final = "kefu_deployed"

# Name -> the name before.
RENAMED: Final = {
    "summarize-shard/shard": "summarize-shard/worker",
    "summarize-day/one-day": "summarize-day/manual",
    "backfill-days/backfill": "backfill-days/manual",
    "build-report/rebuild-reports": "build-report/manual",
    "publish-edition/weekly-report": "publish-edition/weekly",
    "publish-edition/monthly-report": "publish-edition/monthly",
    "propose-themes/propose-themes": "propose-themes/weekly",
    "expire-files/weekly-cleanup": "expire-files/weekly",
    **{
        f"{flow}/{flow}": f"{flow}/manual"
        for flow in (
            "accept-themes",
            "ask-questions",
            "check-setup",
            "compare-prompts",
            "deploy-model",
            "erase-customer",
            "evaluate-model",
            "fine-tune-model",
            "import-reviews",
            "sample-for-review",
            "shadow-day",
            "try-model",
        )
    },
}

# Of a version that remembered nothing: all that is there may be people's own.
_FORGOTTEN: Final[Mapping[str, Any]] = {"parameters": {}, "crons": []}

_NOW: Final = {old: new for new, old in RENAMED.items()}

_UNENDED: Final = (
    StateType.SCHEDULED,
    StateType.PENDING,
    StateType.RUNNING,
    StateType.PAUSED,
    StateType.CANCELLING,
)

Stanza = Mapping[str, Any]


def name_of(stanza: Stanza) -> str:
    """A deployment's name, as `flow/deployment`."""
    return f"{stanza['entrypoint'].rpartition('.')[2].replace('_', '-')}/{stanza['name']}"


def mark_of(stanza: Stanza) -> str:
    """Return a digest, 12 hex digits, of a stanza and the module of its flow; it differs when either has changed."""
    module = ROOT / f"{stanza['entrypoint'].rpartition('.')[0].replace('.', '/')}.py"
    content = orjson.dumps(stanza, option=orjson.OPT_SORT_KEYS) + module.read_bytes()
    return hashlib.sha256(content).hexdigest()[:12]


def kept(now: Mapping[str, Any], deployed: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Values with people's own instead of the file's.

    Args:
        now: as they are on the server.
        deployed: as the last deployment wrote them.
        wanted: as the file says now.
    """
    absent = object()
    own = {name: value for name, value in now.items() if value != deployed.get(name, absent)}
    gone = {name for name in deployed if name not in now}
    return {name: value for name, value in {**wanted, **own}.items() if name not in gone}


async def deploy(client: PrefectClient, stanzas: Sequence[Stanza]) -> list[str]:
    """Bring the deployments up to date; return a line each."""
    there = {name_of(stanza): await _read(client, name_of(stanza)) for stanza in stanzas}
    earlier = {new: found for new, old in RENAMED.items() if (found := await _read(client, old))}
    remembered = await _remembered(client)
    remembered = {_NOW.get(name, name): value for name, value in remembered.items()}
    changed = [
        stanza
        for stanza in stanzas
        if there[name_of(stanza)] is None or remembered.get(name_of(stanza), {}).get("mark") != mark_of(stanza)
    ]
    if changed:
        await asyncio.to_thread(_deploy, changed)
    for path in changed:
        name = name_of(path)
        before = there[name] or earlier.get(name)
        if before is not None:
            await _give_back(client, name, before, remembered.get(name, _FORGOTTEN), path)
    now = {
        name_of(stanza): {
            "mark": mark_of(stanza),
            "parameters": stanza.get("parameters", {}),
            "crons": [schedule.get("cron") for schedule in stanza.get("schedules", [])],
            "slugs": [schedule["slug"] for schedule in stanza.get("schedules", [])],
        }
        for stanza in stanzas
    }
    if now != remembered:
        await Variable.aset(REMEMBERED, now, overwrite=True)
    names = {name_of(path) for path in changed}
    said = [
        f"deployment {name_of(stanza)}: {'deployed' if name_of(stanza) in names else 'as it was'}" for stanza in stanzas
    ]
    return [*said, *[await _remove(client, RENAMED[new], old) for new, old in earlier.items()]]


async def _give_back(
    client: PrefectClient, name: str, before: DeploymentResponse, deployed: Mapping[str, Any], stanza: Stanza
) -> None:
    parameters = kept(before.parameters, deployed["parameters"], stanza.get("parameters", {}))
    fresh = await client.read_deployment_by_name(name)
    known = (fresh.parameter_openapi_schema or {}).get("properties", {})
    parameters = {name: value for name, value in parameters.items() if name in known}
    if fresh.parameters != parameters:
        await client.update_deployment(fresh.id, DeploymentUpdate(parameters=parameters))
    if before.paused and not fresh.paused:  # one under another name is new
        await client.pause_deployment(fresh.id)
    wanted = [schedule["slug"] for schedule in stanza.get("schedules", [])]
    await give_back_schedules(client, before, fresh, deployed, wanted)


async def _remove(client: PrefectClient, name: str, old: DeploymentResponse) -> str:
    """Remove a deployment that has another name now; one whose runs go on, or wait, only makes no new ones."""
    await client.pause_deployment(old.id)  # takes back what its schedule made ahead
    unended = await client.read_flow_runs(
        deployment_filter=DeploymentFilter(id=DeploymentFilterId(any_=[old.id])),
        flow_run_filter=FlowRunFilter(state=in_states(*_UNENDED)),
    )
    if unended:
        return f"deployment {name}: kept until its {len(unended)} runs have ended"
    await client.delete_deployment(old.id)
    return f"deployment {name}: removed"


async def _remembered(client: PrefectClient) -> dict[str, Any]:
    found = await client.read_variable_by_name(REMEMBERED)
    return dict(found.value) if found and isinstance(found.value, dict) else {}


async def _read(client: PrefectClient, name: str) -> DeploymentResponse | None:
    try:
        return await client.read_deployment_by_name(name)
    except ObjectNotFound:
        return None


def _deploy(stanzas: Sequence[Stanza]) -> None:
    content = yaml.safe_load((ROOT / FILE).read_text(encoding="utf-8"))
    content["deployments"] = list(stanzas)
    content.pop("definitions", None)
    with NamedTemporaryFile("w", suffix=".yaml", encoding="utf-8") as file:
        yaml.safe_dump(content, file, allow_unicode=True, sort_keys=False)
        file.flush()
        code, said = _prefect("deploy", "--prefect-file", file.name, "--all")
    if code:
        sys.stderr.write("\n".join(said.strip().splitlines()[-15:]) + "\n")
        sys.exit(1)


def _prefect(*arguments: str) -> tuple[object, str]:
    """Run a command of Prefect's in this process, where all that it loads is loaded; return its exit code and words."""
    said, own = io.StringIO(), sys.argv
    sys.argv = ["prefect", "--no-prompt", *arguments]
    try:
        with redirect_stdout(said), redirect_stderr(said):
            app()
    except SystemExit as end:
        return end.code, said.getvalue()
    finally:
        sys.argv = own
    return None, said.getvalue()


async def _run() -> list[str]:
    stanzas = yaml.safe_load((ROOT / FILE).read_text(encoding="utf-8"))["deployments"]
    async with get_client() as client:
        return await deploy(client, stanzas)


def main() -> int:
    """The command line; the server is the one that PREFECT_API_URL names."""
    return run_on_server(_run)


if __name__ == "__main__":
    sys.exit(main())
