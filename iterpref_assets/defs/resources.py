"""Where things live, what runs them, and who is told when that fails."""

from __future__ import annotations

import logging
import os
from abc import abstractmethod
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import dagster as dg

from iterpref_assets.core.artifacts import ArtifactStore
from iterpref_assets.core.errors import InputError, SandboxError
from iterpref_assets.defs.event_size import shortened
from iterpref_assets.defs.launching import launch, meeting_place, remove_abandoned
from iterpref_assets.settings import WEBHOOK, Environment, Settings, load_settings
from iterpref_assets.steps.findings import Findings
from iterpref_assets.steps.verification import Verification
from iterpref_assets.workers.job import PublishJob, VerifyJob


@contextmanager
def bad_input_as_failure() -> Generator[None]:
    """Let bad input, or a broken sandbox, end the run with its message alone, not to be retried."""
    try:
        yield
    except (InputError, SandboxError) as error:
        raise dg.Failure(shortened(str(error)), allow_retries=False) from None


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
    """Runs heavy steps outside this process, through Dagster Pipes: see `launching`."""

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
        with meeting_place(settings) as place:
            job = PublishJob(
                asset=asset,
                partitions=tuple(partitions),
                settings=settings.model_copy(update={"root": settings.root.resolve()}),
                place=place,
            )
            launch(context, settings, job)

    def clear(self, settings: Settings) -> None:
        """Remove what killed runs left."""
        remove_abandoned(settings)

    def verify(
        self,
        context: dg.AssetCheckExecutionContext,
        verification: Verification,
        shards: list[str],
        settings: Settings,
    ) -> Findings:
        """What a verification finds which executes programs.

        It runs here where the sandbox can. In environment `docker`, whose run containers have a
        network, it has a container of its own, and in environment `ray` a job.
        """
        if settings.environment not in {Environment.DOCKER, Environment.RAY}:
            return verification(settings, ArtifactStore(settings.root), shards)
        with meeting_place(settings) as place:
            job = VerifyJob(
                verification=verification.__name__,
                partitions=tuple(shards),
                settings=settings.model_copy(update={"root": settings.root.resolve()}),
                place=place,
            )
            (found,) = launch(context, settings, job).get_custom_messages()
        return Findings.model_validate(found)


@dg.definitions
def resources() -> dg.Definitions:
    """The resources by key."""
    return dg.Definitions(resources={"project": ProjectResource(), "workers": WorkerResource()})


_log = logging.getLogger(__name__)


class NotifierResource(dg.ConfigurableResource):
    """Takes a message to people; subclass it for another way, and bind that as `notifier`."""

    @abstractmethod
    def notify(self, text: str) -> None:
        """Deliver one message.

        Raises:
            Exception: where it could not be delivered; the sensor's tick shows it.
        """


class WebhookNotifier(NotifierResource):
    """Posts to the webhook whose URL the environment holds, where it holds one; logs otherwise."""

    def notify(self, text: str) -> None:
        """Post the message to the webhook."""
        url = os.environ.get(WEBHOOK)
        if url is None:
            _log.warning("%s is not set, so nobody is told: %s", WEBHOOK, text)
            return
        # Imported here: an HTTP client would be a third of the time that definitions take to load.
        from iterpref_assets.operations.webhook import post

        post(url, text)


@dg.definitions
def notifications() -> dg.Definitions:
    """The notifier that the failure sensor uses."""
    return dg.Definitions(resources={"notifier": WebhookNotifier()})
