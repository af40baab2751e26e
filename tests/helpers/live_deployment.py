"""A deployment of its own: webserver, daemon and code server of one folder, on a free port."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from places import ROOT

START_SECONDS = 1200
STOP_SECONDS = 600
ENDING_WITH_PARENT = ("env", "--default-signal=INT", "setpriv", "--pdeathsig", "INT", "--")
"""A test that is killed cannot stop what it started, and one in the background ignores INT, which
would be inherited."""


class LiveDeployment:
    """What answers at `url`, and commands of the same settings."""

    def __init__(self, root: Path, variables: dict[str, str]) -> None:
        self.root = root
        self.log = root / "deployment.log"
        home = {"ITERPREF_ROOT": str(root), "DAGSTER_HOME": str(root / "dagster")}
        self.environment = {**os.environ, **variables, **home}
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment["ITERPREF_OPERATIONS__URL"] = self.url

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A console script of this environment, to its end."""
        script = Path(sys.executable).with_name(arguments[0])
        return subprocess.run(
            [str(script), *arguments[1:]],
            cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False,
        )  # fmt: skip

    def launch(self, asset: str, partitions: str) -> None:
        """Materialize one partition, or a range of them (`first...last`), in a process here."""
        option = "--partition-range" if "..." in partitions else "--partition"
        done = self.command("dg", "launch", "--assets", asset, option, partitions)
        assert done.returncode == 0, done.stdout + done.stderr

    def ask(self, query: str, **variables: object) -> dict:
        """The data of a GraphQL query or mutation."""
        answer = httpx.post(
            f"{self.url}/graphql", json={"query": query, "variables": variables}, timeout=600
        )
        content = answer.json()
        assert "errors" not in content, content["errors"]
        return content["data"]

    @contextmanager
    def serving(self, *command: str) -> Iterator["LiveDeployment"]:
        """`dg dev`, or another command like it, from entry to exit.

        It is ended by its process group, which it starts anew.
        """
        program, *arguments = command or ("dg", "dev")
        script = Path(sys.executable).with_name(program)
        with self.log.open("wb") as log:
            process = subprocess.Popen(
                [
                    *ENDING_WITH_PARENT, str(script), *arguments,
                    "--host", "127.0.0.1", "--port", str(self.port),
                ],
                cwd=ROOT, env=self.environment, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        try:
            self._await(process)
            yield self
        finally:
            os.killpg(process.pid, signal.SIGINT)
            try:
                process.wait(STOP_SECONDS)
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)

    def _await(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            assert process.poll() is None, self.log.read_text()[-4000:]
            if self.answers():
                return
            time.sleep(0.5)
        raise AssertionError(self.log.read_text()[-4000:])

    def answers(self) -> bool:
        """Whether the assets are served and the backfill daemon has given sign of life."""
        health = "{ instance { daemonHealth { allDaemonStatuses { daemonType healthy } } } }"
        if not self.serves_assets():
            return False
        daemons = self.ask(health)["instance"]["daemonHealth"]["allDaemonStatuses"]
        return any(daemon["daemonType"] == "BACKFILL" and daemon["healthy"] for daemon in daemons)

    def serves_assets(self) -> bool:
        """Whether the webserver answers, with what the code server holds."""
        try:
            return bool(self.ask("{ assetNodes { id } }")["assetNodes"])
        except httpx.TransportError:
            return False
