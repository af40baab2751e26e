"""`python -m iterpref_assets.serving`: the code server of a deployment in containers.

It tells the run launcher what the containers of its runs need: the settings' variables, by name so
that no value is recorded anywhere, the artifacts' volume, the network, and the Docker socket, by
which a run starts its workers.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from typing import Any

from iterpref_assets.settings import PREFIX, Settings, load_settings
from iterpref_assets.workers.containers import DEPLOYMENT_LABEL

PORT = "4000"
_ALSO_PASSED = ("DOCKER_HOST", "HF_TOKEN", "HF_ENDPOINT", "OPENAI_API_KEY")
_SOCKET = "/var/run/docker.sock"
"""Where Docker's clients look for it, wherever the host keeps it."""

_STOP_SECONDS = 30
"""How long a cancelled run may take to end its worker and record it."""


def run_container_context(settings: Settings, variables: Iterable[str]) -> dict[str, Any]:
    """What DockerRunLauncher is told about the containers of runs.

    Args:
        settings: of the deployment.
        variables: the names of the variables that are set here, and so in the daemon.
    """
    docker = settings.docker
    volumes = {docker.volume: {"bind": str(settings.root), "mode": "rw"}}
    options: dict[str, Any] = {
        "volumes": volumes,
        "labels": {DEPLOYMENT_LABEL: docker.volume},
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges"],
        "init": True,
        "stop_timeout": _STOP_SECONDS,
    }
    if docker.socket is not None:
        volumes[str(docker.socket)] = {"bind": _SOCKET, "mode": "rw"}
    if docker.socket_group is not None:
        options["group_add"] = [str(docker.socket_group)]
    passed = [name for name in variables if name.startswith(PREFIX) or name in _ALSO_PASSED]
    return {
        "docker": {
            "env_vars": sorted(passed),
            "networks": [docker.network],
            "container_kwargs": options,
        }
    }


def main() -> None:
    """Become the server."""
    context = run_container_context(load_settings(), os.environ)
    server = ["dagster", "api", "grpc", "--python-file", "definitions.py"]
    listening = ["--host", "0.0.0.0", "--port", PORT]  # noqa: S104 - in a container
    told = ["--container-context", json.dumps(context)]
    os.execvp("dagster", [*server, *listening, *told])  # noqa: S606


if __name__ == "__main__":
    main()
