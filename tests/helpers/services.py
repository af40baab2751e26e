"""The services of a deployment, each a process of its own that is killed and started again."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import yaml
from faults.processes import command_of
from live_deployment import ENDING_WITH_PARENT, START_SECONDS, LiveDeployment
from places import ROOT

END_SECONDS = 60
OF_COMPOSE = "DAGSTER_BACKFILL_RETRY_DEFINITION_CHANGED_ERROR"


def processes_of(deployment: LiveDeployment) -> Iterator[int]:
    """Every process that was started with the deployment's home, or is told of its folder."""
    home = f"DAGSTER_HOME={deployment.root / 'dagster'}\0".encode()
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if home in (entry / "environ").read_bytes() or (
                str(deployment.root) in command_of(int(entry.name))
            ):
                yield int(entry.name)
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue


def still_running(deployment: LiveDeployment) -> list[str]:
    """The commands of the deployment's processes that do not end."""
    deadline = time.monotonic() + END_SECONDS
    while (left := list(processes_of(deployment))) and time.monotonic() < deadline:
        time.sleep(0.2)
    return [command_of(pid) for pid in left]


class Services:
    """Code server, webserver and daemon of one deployment, as docker/compose.yaml starts them."""

    def __init__(self, deployment: LiveDeployment) -> None:
        self.deployment = deployment
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = str(free.getsockname()[1])
        workspace = deployment.root / "workspace.yaml"
        server = f"{{host: 127.0.0.1, port: {port}, location_name: iterpref}}"
        workspace.write_text(f"load_from:\n  - grpc_server: {server}\n")
        listening = ("--host", "127.0.0.1", "--port")
        self.commands = {
            "code server": (
                "dagster", "api", "grpc", "--python-file", "definitions.py", *listening, port,
                "--location-name", "iterpref",
            ),
            "webserver": (
                "dagster-webserver", *listening, str(deployment.port), "-w", str(workspace)
            ),
            "daemon": ("dagster-daemon", "run", "-w", str(workspace)),
        }  # fmt: skip
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        compose = yaml.safe_load((ROOT / "docker/compose.yaml").read_text())
        said = compose["services"]["daemon"]["environment"][OF_COMPOSE]
        self.environment = {**deployment.environment, OF_COMPOSE: said}

    def start(self, name: str) -> None:
        program, *arguments = self.commands[name]
        script = Path(sys.executable).with_name(program)
        with (self.deployment.root / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen(
                [*ENDING_WITH_PARENT, str(script), *arguments], cwd=ROOT,
                env=self.environment, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    def kill(self, name: str) -> None:
        """End a service at once; what it started goes on, if it does."""
        self.running[name].kill()
        self.running.pop(name).wait()

    def kill_everything(self) -> list[str]:
        """End all services, and all that they started, at once; the commands of what was killed."""
        return self.kill_all_but()

    def kill_all_but(self, *spared: str) -> list[str]:
        """The same, without some services."""
        living = {name: self.running[name] for name in spared}
        keep = {process.pid for process in living.values()}
        killed = []
        while victims := [pid for pid in processes_of(self.deployment) if pid not in keep]:
            killed += [command_of(pid) for pid in victims]
            for pid in victims:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            for name in self.running.keys() - living.keys():
                self.running[name].wait()
        self.running = living
        return killed

    def await_said(self, name: str, words: str) -> None:
        """Wait until a service has printed some words."""
        log, deadline = self.deployment.root / f"{name}.log", time.monotonic() + START_SECONDS
        while words not in log.read_text():
            assert time.monotonic() < deadline, log.read_text()[-4000:]
            time.sleep(0.5)

    def start_missing(self) -> None:
        """Start what was killed."""
        for name in self.commands.keys() - self.running.keys():
            self.start(name)

    def start_all(self) -> None:
        """Start the daemon last: what it finds to be done needs a code server that answers."""
        self.start("code server")
        self.start("webserver")
        deadline = time.monotonic() + START_SECONDS
        while not self.deployment.serves_assets():
            assert time.monotonic() < deadline
            time.sleep(0.5)
        self.start("daemon")
        self.await_all()

    def await_all(self) -> None:
        """Wait until the assets are served and the daemon gives signs of life."""
        deadline = time.monotonic() + START_SECONDS
        while not self.deployment.answers():
            for name, process in self.running.items():
                said = (self.deployment.root / f"{name}.log").read_text()
                assert process.poll() is None, said[-4000:]
            assert time.monotonic() < deadline
            time.sleep(0.5)

    @contextmanager
    def serving(self) -> Iterator[None]:
        """All services, from entry to exit."""
        try:
            self.start_all()
            yield
        finally:
            for process in self.running.values():
                os.killpg(process.pid, signal.SIGINT)
            for process in self.running.values():
                process.wait()
            self.running.clear()
