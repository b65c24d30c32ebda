"""Deploy what has changed in prefect.yaml, and leave what people have changed in the UI.

python -m deployments.deploy

`prefect deploy --all` writes every parameter and schedule anew. This remembers what it wrote last (in the variable
`kefu_deployed`): a deployment whose stanza and flow are as they were is not touched, and where they have changed, a
parameter or a schedule that somebody has set to another value than was deployed keeps that value.
"""

import asyncio
import hashlib
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, Final

import orjson
import yaml  # type: ignore[import-untyped]
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.actions import DeploymentUpdate
from prefect.client.schemas.responses import DeploymentResponse
from prefect.client.schemas.schedules import CronSchedule
from prefect.exceptions import ObjectNotFound
from prefect.variables import Variable

ROOT: Final = Path(__file__).resolve().parent.parent

FILE: Final = "deployments/prefect.yaml"

REMEMBERED: Final = "kefu_deployed"

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
    remembered = await _remembered(client)
    there = {name_of(one): await _read(client, name_of(one)) for one in stanzas}
    changed = [
        one
        for one in stanzas
        if there[name_of(one)] is None or remembered.get(name_of(one), {}).get("mark") != mark_of(one)
    ]
    if changed:
        await asyncio.to_thread(_deploy, changed)
    for one in changed:
        name, before = name_of(one), there[name_of(one)]
        if before is not None and name in remembered:
            await _give_back(client, name, before, remembered[name], one)
    now = {
        name_of(one): {
            "mark": mark_of(one),
            "parameters": one.get("parameters", {}),
            "crons": [schedule.get("cron") for schedule in one.get("schedules", [])],
        }
        for one in stanzas
    }
    if now != remembered:
        await Variable.aset(REMEMBERED, now, overwrite=True)
    names = {name_of(one) for one in changed}
    return [f"deployment {name_of(one)}: {'deployed' if name_of(one) in names else 'as it was'}" for one in stanzas]


async def _give_back(
    client: PrefectClient, name: str, before: DeploymentResponse, deployed: Mapping[str, Any], stanza: Stanza
) -> None:
    parameters = kept(before.parameters, deployed["parameters"], stanza.get("parameters", {}))
    fresh = await client.read_deployment_by_name(name)
    if fresh.parameters != parameters:
        await client.update_deployment(fresh.id, DeploymentUpdate(parameters=parameters))
    own = {one.slug: one.schedule for one in before.schedules if _cron(one.schedule) not in deployed["crons"]}
    for schedule in fresh.schedules:
        if schedule.slug in own:
            await client.update_deployment_schedule(fresh.id, schedule.id, schedule=own[schedule.slug])


def _cron(schedule: Any) -> str | None:
    return schedule.cron if isinstance(schedule, CronSchedule) else None


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
        command = [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--prefect-file", file.name, "--all"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        sys.stderr.write("\n".join((done.stdout + done.stderr).strip().splitlines()[-15:]) + "\n")
        sys.exit(1)


async def _run() -> list[str]:
    stanzas = yaml.safe_load((ROOT / FILE).read_text(encoding="utf-8"))["deployments"]
    async with get_client() as client:
        return await deploy(client, stanzas)


def main() -> int:
    """The command line; the server is the one that PREFECT_API_URL names."""
    sys.stdout.write("\n".join(asyncio.run(_run())) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
