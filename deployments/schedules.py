"""Schedules of a deployment that is deployed again: the file's are as the file says, people's as people have set them.

Prefect knows a schedule of the file by its slug alone. One whose slug has changed would go on beside the new one, so
that every night came twice; one that somebody added in the UI has no slug, and would be gone.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import DeploymentSchedule
from prefect.client.schemas.responses import DeploymentResponse
from prefect.client.schemas.schedules import CronSchedule


async def give_back_schedules(
    client: PrefectClient,
    before: DeploymentResponse,
    fresh: DeploymentResponse,
    deployed: Mapping[str, Any],
    wanted: Sequence[str],
) -> None:
    """Set the schedules of a deployment to the file's, with what people have changed.

    Args:
        client: of the server.
        before: the deployment as it was before it was deployed again.
        fresh: as it is now.
        deployed: what the last deployment wrote: `crons` and `slugs`.
        wanted: the slugs in the file now.
    """
    had = {schedule.slug: schedule for schedule in before.schedules if schedule.slug}
    last: Sequence[str] = deployed.get("slugs", list(had))
    gone = [slug for slug in last if slug in had and slug not in wanted]
    earlier = dict(zip([slug for slug in wanted if slug not in had], gone, strict=False))
    for schedule in fresh.schedules:
        slug = schedule.slug or ""
        was = had.get(earlier.get(slug, slug))
        if slug in gone or (slug in wanted and slug in last and was is None):  # the file's no more; taken out by people
            await client.delete_deployment_schedule(fresh.id, schedule.id)
        elif was is not None:
            await _set_as_before(client, fresh, schedule, was, deployed)
    there = {_name_of(schedule) for schedule in fresh.schedules}
    for schedule in before.schedules:
        if schedule.slug not in last and _name_of(schedule) not in there:
            await client.create_deployment_schedules(fresh.id, [(schedule.schedule, schedule.active)])


def _name_of(schedule: DeploymentSchedule) -> str:
    return schedule.slug or str(schedule.schedule)


async def _set_as_before(
    client: PrefectClient,
    fresh: DeploymentResponse,
    now: DeploymentSchedule,
    was: DeploymentSchedule,
    deployed: Mapping[str, Any],
) -> None:
    changes: dict[str, Any] = {}
    if cron_of(was.schedule) not in deployed["crons"] and now.schedule != was.schedule:
        changes["schedule"] = was.schedule
    if now.active != was.active:
        changes["active"] = was.active
    if changes:
        await client.update_deployment_schedule(fresh.id, now.id, **changes)


def cron_of(schedule: Any) -> str | None:
    """The cron line of a schedule; None where it has none."""
    return schedule.cron if isinstance(schedule, CronSchedule) else None
