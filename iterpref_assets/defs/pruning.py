"""Environment `docker`: removing what ended runs and workers leave behind, daily if switched on."""

import shutil
import time
from pathlib import Path

import dagster as dg

from iterpref_assets.defs.automation import OPERATIONS, SCHEDULES
from iterpref_assets.defs.launching import MEETING_PLACES
from iterpref_assets.defs.resources import ProjectResource
from iterpref_assets.settings import Environment, load_settings
from iterpref_assets.workers import containers
from iterpref_assets.workers.job import MeetingPlace
from iterpref_assets.workers.lifeline import is_held


class PruneConfig(dg.Config, extra="forbid"):
    """What to keep."""

    hours: int = 24


@dg.op
def remove_ended_containers(
    context: dg.OpExecutionContext, config: PruneConfig, project: ProjectResource
) -> None:
    """Ended containers older than so many hours, and the files of workers that were killed."""
    settings = project.settings()
    for container in containers.remove_ended(settings.docker, config.hours):
        context.log.info("Removed container %s", container)
    for folder in abandoned_places(settings.root, config.hours):
        context.log.info("Removed %s", folder)
        shutil.rmtree(folder)


def abandoned_places(root: Path, hours: float) -> list[Path]:
    """Meeting places older than `hours` whose run was killed before it could remove them."""
    latest = time.time() - hours * 3600
    places = [MeetingPlace(folder=folder) for folder in (root / MEETING_PLACES).glob("*")]
    return [
        place.folder
        for place in places
        if place.lifeline.exists()
        and place.lifeline.stat().st_mtime <= latest
        and not is_held(place.lifeline)
    ]


@dg.job
def prune_containers() -> None:
    """Remove what ended runs and workers leave behind."""
    remove_ended_containers()


daily = dg.ScheduleDefinition(
    name="prune_containers_daily",
    job=prune_containers,
    cron_schedule="0 4 * * *",
    execution_timezone=OPERATIONS.timezone,
    default_status=SCHEDULES,
)


@dg.definitions
def definitions() -> dg.Definitions:
    """The job and its schedule, where runs and workers are containers."""
    if load_settings().environment is not Environment.DOCKER:
        return dg.Definitions()
    return dg.Definitions(jobs=[prune_containers], schedules=[daily])
