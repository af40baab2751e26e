"""How a deployment runs: its UI, what it does by itself, its containers, its Ray cluster."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated
from zoneinfo import available_timezones

from pydantic import Field, field_validator

from iterpref_assets.core.records import Record


class AutomationStatus(StrEnum):
    """What schedules and sensors are until somebody switches them in the UI or by command."""

    STOPPED = "stopped"
    """They do nothing until then."""
    RUNNING = "running"
    """They act from the start of the daemon on."""


Owner = Annotated[str, Field(pattern=r"^(team:[A-Za-z0-9_.-]+|[^@\s]+@[^@\s]+)$")]
"""Who Dagster takes for the owner of an asset."""

TagName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,63}(/[A-Za-z0-9_.-]{1,63})?$")]
"""What Dagster takes for the name of a tag."""


class OperationsConfig(Record):
    """Where the UI is, and what schedules and sensors do."""

    url: str = Field("http://127.0.0.1:3000", description="The UI, for commands and notifications")
    default_status: AutomationStatus = Field(
        AutomationStatus.STOPPED,
        description="What schedules and sensors are until somebody switches them in the UI or by "
        "command; `end_dead_runs` is on",
    )
    codeflow_cron: str = Field("0 2 * * 0", description="When rebuild_codeflow runs")
    evaluation_cron: str = Field("0 3 * * *", description="When evaluate_variants runs")
    timezone: str = Field("UTC", description="The time zone of both")
    step_hours: float = Field(
        72,
        gt=0,
        le=100_000,
        description="The longest that a step's worker may take, and five minutes less than all of "
        "a step may: one that hangs is ended then, it fails, and its pool is free",
    )
    owners: tuple[Owner, ...] = Field(
        ("team:iterpref",),
        description="Who owns the assets, as the UI shows it: `team:NAME` or an e-mail address",
    )
    tags: dict[TagName, str] = Field(
        {}, description="Tags of every asset, by which the UI searches, such as `cost-center`"
    )
    source_url: str | None = Field(
        None,
        pattern=r"^https?://",
        description="Where the repository's files are read, such as "
        "`https://host/owner/name/blob/main`: assets link to their code there; unset links to the "
        "files of this checkout",
    )

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        if name not in available_timezones():
            raise ValueError(f"unknown time zone {name!r}: use a name such as Europe/Berlin")
        return name


class DockerConfig(Record):
    """The containers of environment `docker`."""

    worker_image: str = Field(
        "iterpref-worker", description="The image with an engine and a trainer"
    )
    sandbox_image: str = Field(
        "iterpref-sandbox", description="The image that only executes programs"
    )
    volume: str = Field(
        "iterpref-data",
        description="The named volume, or the folder of the host, that is mounted at `root`",
    )
    gpus: int = Field(
        0,
        ge=-1,
        description="GPUs that a worker is given: the first ones. -1 is all, and the workers share "
        "them out themselves",
    )
    shm_size: str = Field(
        "1g",
        description="Shared memory of a worker, in which engines and data loaders exchange tensors",
    )
    tmp_size: str = Field(
        "2g",
        description="Size of a worker's `/tmp`, in memory: caches, and all that programs under "
        "test write",
    )
    memory: str | None = Field(
        None, description="Most memory that a container may take, such as `64g`; unset is no limit"
    )
    processes: int = Field(4096, gt=0, description="Most processes and threads in a container")
    network: str = Field(
        "iterpref", description="Where run containers reach the database; workers have no network"
    )
    socket: Path | None = Field(
        Path("/var/run/docker.sock"),
        description="The Docker socket of the host, by which run containers start workers; unset "
        "where DOCKER_HOST leads to a proxy instead",
    )
    socket_group: int | None = Field(None, description="The group that owns the socket")


class RayConfig(Record):
    """The cluster of environment `ray`."""

    address: str = Field(
        "http://127.0.0.1:8265",
        pattern=r"^https?://",
        description="Where the cluster takes jobs: the URL of its dashboard",
    )
    cpus: float = Field(
        1,
        gt=0,
        description="Cores that a worker reserves; Ray does not hold it to them. vLLM on the CPU "
        "takes `cpu_threads` of the engine",
    )
    gpus: float = Field(
        0,
        ge=0,
        description="GPUs that a step which computes on one reserves and sees; one that computes "
        "on several reserves as many. With 0 none is reserved, and the steps of a host share its "
        "GPUs out themselves",
    )

    def reserved_gpus(self, wanted: int) -> float:
        """What a step reserves that computes on `wanted` GPUs."""
        if not wanted or not self.gpus:
            return 0
        return self.gpus if wanted == 1 else max(self.gpus, wanted)
