"""A deployment by docker/compose.yaml: started, asked, and taken down with its data."""

import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import docker
import docker_graphql as graphql
from docker_images import ROOT, Images

from iterpref_assets.operations.graphql import Deployment
from iterpref_assets.workers.containers import RUN_LABEL, WORKER_LABEL

PROJECT = "iterpref-test"
VOLUME = "iterpref-test-data"
PASSWORD = "a-secret-of-the-tests"
SECONDS_TO_START = 300
SECONDS_TO_RUN = 600
ENDED = {"SUCCESS", "FAILURE", "CANCELED"}

SETTINGS = {
    "ITERPREF_SEEDS": (
        '{"kind": "lab", "lab": {"shards": 2, "problems_per_shard": 24, "heldout_problems": 16}}'
    ),
    "ITERPREF_TRAINING__EPOCHS": "1",
    "ITERPREF_TRAINING__BATCH_SIZE": "8",
    "ITERPREF_SAMPLED_EVALUATION__SAMPLES": "2",
}


def until(what: str, found: Callable[[], object], seconds: float) -> object:
    """What `found` returns as soon as it is true."""
    deadline = time.monotonic() + seconds
    while not (result := found()):
        assert time.monotonic() < deadline, f"waited {seconds} s for {what}"
        time.sleep(1)
    return result


@dataclass
class Stack:
    environment: dict[str, str]
    url: str

    def __post_init__(self) -> None:
        self.deployment = Deployment(self.url)
        self.client = docker.from_env()

    def compose(self, *arguments: str, check: bool = True) -> str:
        modern = subprocess.run(["docker", "compose", "version"], capture_output=True)
        command = ["docker", "compose"] if modern.returncode == 0 else ["docker-compose"]
        done = subprocess.run(
            [*command, "-p", PROJECT, "-f", "docker/compose.yaml", *arguments],
            cwd=ROOT, env={**os.environ, **self.environment}, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, timeout=SECONDS_TO_RUN,
        )  # fmt: skip
        assert not check or done.returncode == 0, done.stdout[-6000:]
        return done.stdout

    def up(self) -> None:
        self.compose("up", "-d")
        self.await_services()

    def await_services(self) -> None:
        """Wait until the daemon gives signs of life and the code location is loaded."""
        until("the daemon to be healthy", lambda: self._healthy("daemon"), SECONDS_TO_START)
        until("the code location", lambda: graphql.is_loaded(self.deployment), SECONDS_TO_START)

    def _healthy(self, service: str) -> bool:
        labels = [f"com.docker.compose.project={PROJECT}", f"com.docker.compose.service={service}"]
        found = self.client.containers.list(all=True, filters={"label": labels})
        return any(c.attrs["State"]["Health"]["Status"] == "healthy" for c in found)

    def launch(self, assets: Sequence[str], partitions: Sequence[str]) -> str:
        return graphql.launch(self.deployment, assets, partitions)

    def ended(self, run_id: str) -> str:
        """The final status of a run."""
        until(
            f"run {run_id} to end",
            lambda: graphql.status(self.deployment, run_id) in ENDED,
            SECONDS_TO_RUN,
        )
        return graphql.status(self.deployment, run_id)

    def materialize(self, assets: Sequence[str], partitions: Sequence[str]) -> str:
        run_id = self.launch(assets, partitions)
        status = self.ended(run_id)
        assert status == "SUCCESS", "\n".join(graphql.messages(self.deployment, run_id))[-6000:]
        return run_id

    def run_container(self, run_id: str) -> "docker.models.containers.Container":
        return next(c for c in self._of_run(run_id) if WORKER_LABEL not in c.labels)

    def workers(self, run_id: str) -> list["docker.models.containers.Container"]:
        """The running worker containers of a run."""
        return [c for c in self._of_run(run_id) if WORKER_LABEL in c.labels]

    def _of_run(self, run_id: str) -> list["docker.models.containers.Container"]:
        return self.client.containers.list(filters={"label": f"{RUN_LABEL}={run_id}"})

    def run_containers(self) -> list["docker.models.containers.Container"]:
        """The containers of runs and workers of this deployment, ended or not."""
        ours = {"label": RUN_LABEL, "volume": VOLUME}
        return self.client.containers.list(all=True, filters=ours)

    def working(self, run_id: str) -> "docker.models.containers.Container":
        """The worker of a run, once it has one."""
        until(f"a worker of run {run_id}", lambda: self.workers(run_id), SECONDS_TO_RUN)
        return self.workers(run_id)[0]

    def meeting_places(self) -> list[str]:
        """The folders in which workers and their runs meet."""
        return self.compose("exec", "-T", "code", "ls", "/data/workers").split()

    def artifacts(self) -> str:
        """Every current version, as the volume holds it."""
        return self.compose(
            "exec", "-T", "code", "sh", "-c",
            "cd /data/artifacts && find . -name current | sort | xargs grep -H .",
        )  # fmt: skip


@contextmanager
def running_stack(images: Images, folder: Path) -> Iterator[Stack]:
    stack = _configured(images, folder)
    try:
        stack.up()
        stack.compose("exec", "-T", "code", "iterpref", "prepare")
        yield stack
    finally:
        (folder / "compose.log").write_text(stack.compose("logs", "--no-color", check=False))
        _remove_run_containers(stack)
        stack.compose("down", "--volumes", check=False)


def _configured(images: Images, folder: Path) -> Stack:
    """A deployment of names and a port of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = {
        **SETTINGS,
        "ITERPREF_DOCKER__WORKER_IMAGE": images.worker,
        "ITERPREF_DOCKER__SANDBOX_IMAGE": images.sandbox,
    }
    variables = folder / "deployment.env"
    variables.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
    environment = {
        "ENV_FILE": str(variables),
        "DAGSTER_POSTGRES_PASSWORD": PASSWORD,
        "DAGSTER_PORT": str(port),
        "CODE_IMAGE": images.code,
        "SERVICES_IMAGE": images.services,
        "POSTGRES_IMAGE": images.postgres,
        "ITERPREF_DOCKER__VOLUME": VOLUME,
        "ITERPREF_DOCKER__NETWORK": PROJECT,
        "ITERPREF_DOCKER__SOCKET_GROUP": str(Path("/var/run/docker.sock").stat().st_gid),
    }
    return Stack(environment, f"http://127.0.0.1:{port}")


def _remove_run_containers(stack: Stack) -> None:
    for container in stack.run_containers():
        container.remove(force=True)
