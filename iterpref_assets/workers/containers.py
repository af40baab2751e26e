"""The containers that workers run in: what an operator may set, and what is never open to choice.

A worker may execute model-written programs, so its container is what docs/SANDBOX.md calls
isolated: no network, a read-only root, no capabilities and no way to gain any, an ordinary user.
What it needs of the outside, it finds on the artifacts' volume.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from iterpref_assets.deployment import DockerConfig

WORKER_LABEL = "iterpref/worker"
RUN_LABEL = "dagster/run_id"
DEPLOYMENT_LABEL = "iterpref/volume"
"""Tells this deployment's runs and workers from those of others on the same engine."""
COMMAND = ("python", "-m", "iterpref_assets.workers")

_UID = 1000
"""The images' user."""


def container_options(config: DockerConfig, root: Path, *, gpus: bool) -> dict[str, Any]:
    """What docker-py's `containers.create` is told, besides image, command and environment.

    Args:
        config: what the operator set.
        root: where artifacts lie, in the container that starts this one and in this one.
        gpus: whether the worker is given the GPUs that `config` allows.
    """
    import docker.types

    with_gpus = gpus and config.gpus != 0
    # CUDA engines compile kernels when they start and load them from there.
    temporary = f"size={config.tmp_size}" + (",exec" if with_gpus else "")
    options: dict[str, Any] = {
        "user": str(_UID),
        "network_mode": "none",
        "read_only": True,
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges"],
        "tmpfs": {"/tmp": temporary},  # noqa: S108 - a path in the container
        "volumes": {config.volume: {"bind": str(root), "mode": "rw"}},
        "pids_limit": config.processes,
        "shm_size": config.shm_size,
        # A first process that buries what programs under test leave behind.
        "init": True,
    }
    if config.memory is not None:
        options["mem_limit"] = config.memory
    if with_gpus:
        options["device_requests"] = [
            docker.types.DeviceRequest(count=config.gpus, capabilities=[["gpu"]])
        ]
    return options


def remove_ended(config: DockerConfig, hours: int) -> list[str]:
    """Remove the deployment's runs' and workers' containers that ended over `hours` ago; their ids.

    Nothing else does: containers that removed themselves would take a crash's last lines along.
    """
    import docker

    labelled = {"label": f"{DEPLOYMENT_LABEL}={config.volume}", "until": f"{hours}h"}
    removed = docker.from_env().containers.prune(filters=labelled)
    return removed["ContainersDeleted"] or []
