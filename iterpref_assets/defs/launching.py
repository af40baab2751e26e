"""Starting a worker where the environment says: in a process here, a container, or a Ray job."""

from __future__ import annotations

import shutil
import sys
import time
import uuid
from collections.abc import Generator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TypeAlias

import dagster as dg
from dagster_pipes import DagsterPipesError

from iterpref_assets.core.files import locked
from iterpref_assets.core.progress import duration
from iterpref_assets.core.sandbox import folder as sandbox_folders
from iterpref_assets.defs.dagster_private import DagsterPipesExecutionError
from iterpref_assets.defs.event_size import shortened
from iterpref_assets.settings import Environment, Settings
from iterpref_assets.steps.chain import step_of
from iterpref_assets.workers.containers import (
    COMMAND,
    DEPLOYMENT_LABEL,
    RUN_LABEL,
    WORKER_LABEL,
    container_options,
)
from iterpref_assets.workers.job import MeetingPlace, PublishJob, VerifyJob
from iterpref_assets.workers.lifeline import held, is_held

MEETING_PLACES = "workers"
"""Below the root: where workers in containers or on other hosts and their runs meet."""

_ENVIRONMENT = {"HOME": "/tmp", "HF_HUB_OFFLINE": "1"}  # noqa: S108 - a path in the container
"""Caches go to memory, and nothing is looked for on a network that is not there."""

_LAST_LINES = 50
_HOUR = 3600
_UNTIL_KILLED = 60
"""Seconds that a worker has to end once it was told to."""

Context: TypeAlias = dg.AssetExecutionContext | dg.AssetCheckExecutionContext


@contextmanager
def meeting_place(settings: Settings) -> Generator[MeetingPlace]:
    """A folder that a worker sees too, wherever it runs; its lifeline is held within the block."""
    with ExitStack() as leaving:
        with _places(settings) as home:  # one that nobody holds yet is no abandoned one
            place = MeetingPlace(folder=home / uuid.uuid4().hex)
            place.folder.mkdir()
            leaving.callback(shutil.rmtree, place.folder, ignore_errors=True)
            leaving.callback(sandbox_folders.remove_abandoned)  # a worker may have been killed
            leaving.enter_context(held(place.lifeline))
        yield place


def remove_abandoned(settings: Settings) -> None:
    """Remove what killed runs left: their meeting places, and the folders of their sandboxes."""
    sandbox_folders.remove_abandoned()
    with _places(settings):
        pass


@contextmanager
def _places(settings: Settings) -> Generator[Path]:
    """The folder of all meeting places, without abandoned ones; nobody adds one meanwhile."""
    home = settings.root.resolve() / MEETING_PLACES
    home.mkdir(parents=True, exist_ok=True)
    with locked(home):
        for folder in home.iterdir():
            if _is_abandoned(MeetingPlace(folder=folder)):
                shutil.rmtree(folder, ignore_errors=True)
        yield home


def _is_abandoned(place: MeetingPlace) -> bool:
    try:
        return not is_held(place.lifeline)
    except FileNotFoundError:  # whoever held it is about to remove the folder, or was killed
        return True


def launch(
    context: Context, settings: Settings, job: PublishJob | VerifyJob
) -> dg.PipesClientCompletedInvocation:
    """Run the worker on its job, to the end.

    Raises:
        dg.Failure: with the worker's message, where bad input stopped it, or where it was ended
            because it took longer than `operations.step_hours`.
        Exception: where the worker ended in any other way.
    """
    start = {Environment.DOCKER: _in_container, Environment.RAY: _on_ray}
    hours, started = settings.operations.step_hours, time.monotonic()
    try:
        return start.get(settings.environment, _in_process)(context, settings, job)
    except (DagsterPipesExecutionError, DagsterPipesError):
        if job.place.answer.is_file():
            message = job.place.answer.read_text(encoding="utf-8")
            raise dg.Failure(shortened(message), allow_retries=False) from None
        if time.monotonic() - started < hours * _HOUR:
            raise
        raise dg.Failure(
            f"the worker was ended after {duration(hours * _HOUR)}, the longest that a step may "
            "take. What it logged is kept: launch the step again, and if it needs longer, raise "
            "operations.step_hours",
            allow_retries=False,
        ) from None


def limited(settings: Settings) -> tuple[str, ...]:
    """The command that ends the one behind it, and all that that started, once it took too long.

    What is behind it starts with interruptions blocked, until it lets them through.
    """
    seconds = settings.operations.step_hours * _HOUR
    limit = ("timeout", f"--kill-after={_UNTIL_KILLED}", f"{seconds:.3f}")
    return (*limit, "env", "--block-signal=INT")


def _in_process(
    context: Context, settings: Settings, job: PublishJob | VerifyJob
) -> dg.PipesClientCompletedInvocation:
    # The default ones leave folders behind where the run is killed.
    return dg.PipesSubprocessClient(
        context_injector=dg.PipesFileContextInjector(str(job.place.folder / "context.json")),
        message_reader=dg.PipesFileMessageReader(str(job.place.messages)),
    ).run(
        context=context.op_execution_context,
        command=[*limited(settings), sys.executable, *COMMAND[1:]],
        extras=job.model_dump(mode="json"),
    )


def _in_container(
    context: Context, settings: Settings, job: PublishJob | VerifyJob
) -> dg.PipesClientCompletedInvocation:
    import docker
    from dagster_docker import PipesDockerClient

    config = settings.docker
    operation = context.op_execution_context
    name = f"iterpref-worker-{job.place.folder.name}"
    # The reader that follows Docker's logs loses messages over 16 kB.
    reader = dg.PipesFileMessageReader(str(job.place.messages))
    try:
        return PipesDockerClient(message_reader=reader).run(
            context=operation,
            image=config.worker_image if isinstance(job, PublishJob) else config.sandbox_image,
            command=[*limited(settings), *COMMAND],
            env=_ENVIRONMENT,
            extras=job.model_dump(mode="json"),
            container_kwargs={
                **container_options(
                    config, settings.root.resolve(), gpus=_wanted_gpus(settings, job) > 0
                ),
                "name": name,
                "labels": {
                    WORKER_LABEL: "true",
                    RUN_LABEL: context.run.run_id,
                    DEPLOYMENT_LABEL: config.volume,
                },
            },
        )
    except DagsterPipesError:
        client = docker.from_env()
        said = client.containers.get(name).logs(tail=_LAST_LINES).decode(errors="replace")
        context.log.info("The worker's last lines:\n%s", shortened(said))
        raise
    finally:
        _remove(name)


def _on_ray(
    context: Context, settings: Settings, job: PublishJob | VerifyJob
) -> dg.PipesClientCompletedInvocation:
    from iterpref_assets.defs.ray_jobs import run_as_ray_job

    operation = context.op_execution_context
    command = (*limited(settings), sys.executable, *COMMAND[1:])
    gpus = settings.ray.reserved_gpus(_wanted_gpus(settings, job))
    return run_as_ray_job(operation, settings, job, command, gpus=gpus)


def _wanted_gpus(settings: Settings, job: PublishJob | VerifyJob) -> int:
    """How many the worker computes on; what only executes programs needs none."""
    return step_of(job.asset).gpus(settings) if isinstance(job, PublishJob) else 0


def _remove(name: str) -> None:
    import docker
    import docker.errors

    client = docker.from_env()
    with suppress(docker.errors.NotFound):
        client.containers.get(name).remove(force=True)
