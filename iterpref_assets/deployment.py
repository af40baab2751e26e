"""How a deployment runs: its UI, what it does by itself, its containers, its Ray cluster."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from zoneinfo import available_timezones

from pydantic import Field, field_validator

from iterpref_assets.core.records import Record


class AutomationStatus(StrEnum):
    """What schedules and sensors are until somebody switches them in the UI or by command."""

    STOPPED = "stopped"
    RUNNING = "running"


class OperationsConfig(Record):
    """Where the UI is, and what schedules and sensors do."""

    url: str = Field("http://127.0.0.1:3000", description="The UI, for commands and notifications")
    default_status: AutomationStatus = AutomationStatus.STOPPED
    codeflow_cron: str = Field("0 2 * * 0", description="When rebuild_codeflow runs")
    evaluation_cron: str = Field("0 3 * * *", description="When evaluate_variants runs")
    timezone: str = Field("UTC", description="The time zone of both")

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        if name not in available_timezones():
            raise ValueError(f"unknown time zone {name!r}: use a name such as Europe/Berlin")
        return name


class DockerConfig(Record):
    """The containers of environment `docker`.

    Attributes:
        worker_image: the image with an engine and a trainer.
        sandbox_image: the image that only executes programs.
        volume: the named volume, or the host's folder, that is mounted at the settings' `root`.
        gpus: GPUs that a worker is given; -1 is all of them.
        shm_size: shared memory of a worker, which engines and data loaders exchange tensors in.
        tmp_size: its `/tmp`, in memory: caches, and all that programs under test write.
        memory: most memory that a container may take (`64g`); None is no limit.
        processes: most processes and threads in a container.
        network: where run containers reach the database; workers have none.
        socket: the host's Docker socket, by which run containers start workers; None where
            DOCKER_HOST leads to a proxy instead.
        socket_group: the group that owns the socket.
    """

    worker_image: str = "iterpref-worker"
    sandbox_image: str = "iterpref-sandbox"
    volume: str = "iterpref-data"
    gpus: int = Field(0, ge=-1)
    shm_size: str = "1g"
    tmp_size: str = "2g"
    memory: str | None = None
    processes: int = Field(4096, gt=0)
    network: str = "iterpref"
    socket: Path | None = Path("/var/run/docker.sock")
    socket_group: int | None = None


class RayConfig(Record):
    """The cluster of environment `ray`.

    Attributes:
        address: where the cluster takes jobs: its dashboard's URL.
        cpus: cores that a worker reserves; Ray holds it to them in no way. vLLM on the CPU takes
            the engine's `cpu_threads`.
        gpus: GPUs that a step of pool `gpu` reserves and sees; with 0 it sees all of its host's.
    """

    address: str = Field("http://127.0.0.1:8265", pattern=r"^https?://")
    cpus: float = Field(1, gt=0)
    gpus: float = Field(0, ge=0)
