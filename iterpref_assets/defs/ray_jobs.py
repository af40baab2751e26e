"""A worker as a job of a Ray cluster, on whichever of its hosts has room.

All hosts hold this environment and the settings' root under the same paths (docs/RAY.md). Neither
ray nor dagster-ray is imported before a worker starts.
"""

from __future__ import annotations

import importlib.util
import shlex
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import dagster as dg
import tenacity
from dagster_pipes import PipesParams

from iterpref_assets.defs.dagster_private import DagsterPipesExecutionError, PipesMessageHandler
from iterpref_assets.settings import Settings
from iterpref_assets.workers.job import PublishJob, VerifyJob

JOB_PREFIX = "iterpref-worker-"
SECONDS_WITHOUT_ANSWER = 300

_patiently = tenacity.retry(
    retry=tenacity.retry_if_exception_type((OSError, RuntimeError)),
    wait=tenacity.wait_fixed(5),
    stop=tenacity.stop_after_delay(SECONDS_WITHOUT_ANSWER),
    reraise=True,
)
"""A head that is being restarted must not cost a job that goes on."""


class SharedFileMessageReader(dg.PipesFileMessageReader):
    """Reads messages that another host writes to a file on a shared file system.

    dagster-ray's own reader follows the job's log, where messages lie among all that engines print.
    """

    @contextmanager
    def read_messages(self, handler: PipesMessageHandler) -> Generator[PipesParams]:
        """Read until the session ends, and then whatever the other host wrote last."""
        with super().read_messages(handler) as params:
            try:
                yield params
            finally:
                # A network file system asks for a file's true length when it is opened.
                Path(self._path).open().close()


def run_as_ray_job(
    operation: dg.OpExecutionContext,
    settings: Settings,
    job: PublishJob | VerifyJob,
    command: Sequence[str],
    *,
    gpus: float,
) -> dg.PipesClientCompletedInvocation:
    """Run the worker as a Ray job, to the end; whatever ends this function ends the job.

    `gpus` is what the job reserves.

    Raises:
        dg.Failure: where no cluster answers.
        DagsterPipesExecutionError: with the worker's last lines, where it failed.
    """
    if importlib.util.find_spec("dagster_ray") is None:
        raise dg.Failure(
            "environment is ray, but dagster-ray is not installed: "
            "pip install --no-deps --require-hashes -r requirements/ray.lock",
            allow_retries=False,
        )
    from dagster_ray import PipesRayJobClient

    config = settings.ray
    job_id = f"{JOB_PREFIX}{job.place.folder.name}"
    client = PipesRayJobClient(
        address=config.address,
        message_reader=SharedFileMessageReader(str(job.place.messages)),
        # The job is stopped below, however this function ends.
        forward_termination=False,
    )
    try:
        jobs = client.client
    except (OSError, RuntimeError, ValueError) as error:
        raise dg.Failure(
            f"no Ray cluster takes jobs at {config.address} ({error}): start one, or correct "
            "ITERPREF_RAY__ADDRESS",
            allow_retries=False,
        ) from error
    jobs.get_job_status = _patiently(jobs.get_job_status)
    try:
        return client.run(
            context=operation,
            submit_job_params={
                "submission_id": job_id,
                "entrypoint": shlex.join(command),
                "entrypoint_num_cpus": config.cpus,
                "entrypoint_num_gpus": gpus,
            },
            extras=job.model_dump(mode="json"),
        )
    except RuntimeError as error:
        raise DagsterPipesExecutionError(str(error)) from error
    finally:
        # Refused for a job that was never taken; and where the cluster is gone, so is the job.
        with suppress(RuntimeError, OSError):
            jobs.stop_job(job_id)
