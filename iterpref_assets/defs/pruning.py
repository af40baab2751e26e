"""Environments `docker` and `ray`: removing what ended runs and workers leave, daily if wanted.

Wherever workers run, the next one that starts removes the meeting places of killed runs.
"""

import dagster as dg
from pydantic import Field

from iterpref_assets.defs.automation import OPERATIONS, SCHEDULES
from iterpref_assets.defs.launching import remove_abandoned
from iterpref_assets.defs.resources import ProjectResource
from iterpref_assets.settings import Environment, load_settings
from iterpref_assets.workers import containers


class PruneConfig(dg.Config, extra="forbid"):
    """What to keep."""

    hours: int = Field(default=24, description="How long an ended container is kept, hours")


@dg.op
def remove_ended_containers(
    context: dg.OpExecutionContext, config: PruneConfig, project: ProjectResource
) -> None:
    """Ended containers older than so many hours, and the files of workers that were killed."""
    settings = project.settings()
    for container in containers.remove_ended(settings.docker, config.hours):
        context.log.info("Removed container %s", container)
    remove_abandoned(settings)


@dg.op
def remove_abandoned_folders(project: ProjectResource) -> None:
    """The files of workers that were killed."""
    remove_abandoned(project.settings())


@dg.job
def prune_containers() -> None:
    """Remove what ended runs and workers leave behind."""
    remove_ended_containers()


@dg.job
def prune_folders() -> None:
    """Remove what killed workers leave behind."""
    remove_abandoned_folders()


_JOBS = {Environment.DOCKER: prune_containers, Environment.RAY: prune_folders}


@dg.definitions
def definitions() -> dg.Definitions:
    """The environment's job and its schedule, where something is left behind."""
    job = _JOBS.get(load_settings().environment)
    if job is None:
        return dg.Definitions()
    daily = dg.ScheduleDefinition(
        name=f"{job.name}_daily",
        job=job,
        cron_schedule="0 4 * * *",
        execution_timezone=OPERATIONS.timezone,
        default_status=SCHEDULES,
        description="Daily: removes what ended runs and killed workers of the last days left.",
    )
    return dg.Definitions(jobs=[job], schedules=[daily])
