"""Where things live and what runs them."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.errors import DagsterPipesExecutionError

from iterpref_assets.core.artifacts import ArtifactStore
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.sandbox.errors import SandboxError
from iterpref_assets.settings import Settings, load_settings
from iterpref_assets.workers.job import WorkerJob


@contextmanager
def bad_input_as_failure() -> Generator[None]:
    """Let bad input, or a broken sandbox, end the run with its message alone, not to be retried."""
    try:
        yield
    except (InputError, SandboxError) as error:
        raise dg.Failure(str(error), allow_retries=False) from None


class ProjectResource(dg.ConfigurableResource):
    """The settings of this deployment and the artifacts they lead to."""

    def settings(self, section: str = "", overrides: dict[str, Any] | None = None) -> Settings:
        """The settings, with fields of one section replaced by a run's config.

        Raises:
            dg.Failure: naming the setting that is unknown or has a bad value.
        """
        with bad_input_as_failure():
            return load_settings().overridden(section, overrides or {})

    def store(self) -> ArtifactStore:
        """The artifacts of this deployment."""
        return ArtifactStore(self.settings().root)


class WorkerResource(dg.ConfigurableResource):
    """Runs heavy steps in a process of their own on this machine, through Dagster Pipes."""

    def run(
        self,
        context: dg.AssetExecutionContext,
        asset: str,
        partitions: list[str],
        settings: Settings,
    ) -> None:
        """Publish the asset's artifacts of these partitions.

        Raises:
            dg.Failure: with the worker's message, where bad input stopped it.
        """
        with tempfile.TemporaryDirectory() as folder:
            answer = Path(folder) / "bad_input.txt"
            job = WorkerJob(
                asset=asset,
                partitions=tuple(partitions),
                settings=settings.model_copy(update={"root": settings.root.resolve()}),
                answer=answer,
            )
            try:
                dg.PipesSubprocessClient().run(
                    context=context,
                    command=[sys.executable, "-m", "iterpref_assets.workers"],
                    extras=job.model_dump(mode="json"),
                )
            except DagsterPipesExecutionError:
                if not answer.is_file():
                    raise  # the worker's own traceback is in the run's log
                message = answer.read_text(encoding="utf-8")
                raise dg.Failure(message, allow_retries=False) from None


@dg.definitions
def resources() -> dg.Definitions:
    """The resources by key."""
    return dg.Definitions(resources={"project": ProjectResource(), "workers": WorkerResource()})
