"""A Ray cluster of two nodes on this machine: two raylets of one core each, on loopback.

Each says that it has a GPU, which there is not: Ray gives it out all the same.
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
from ray.job_submission import JobDetails, JobSubmissionClient

from iterpref_assets.defs.ray_jobs import JOB_PREFIX

BIN = Path(sys.executable).parent
HEAD, SECOND = "127.0.0.1", "127.0.0.2"
OBJECT_STORE_BYTES = 80_000_000
START_SECONDS = 180
STOP_SECONDS = 30
SECONDS_TO_RECORD = 60
ENDING_WITH_PARENT = ("setpriv", "--pdeathsig", "TERM", "--")
"""A test that is killed cannot stop what it started."""


def until(what: str, found: Callable[[], object], seconds: float) -> object:
    """What `found` returns as soon as it is true."""
    deadline = time.monotonic() + seconds
    while not (result := found()):
        assert time.monotonic() < deadline, f"waited {seconds} s for {what}"
        time.sleep(0.5)
    return result


class RayCluster:
    """What takes jobs at `address`."""

    def __init__(self, address: str, processes: list[psutil.Process]) -> None:
        self.address = address
        self.jobs = JobSubmissionClient(address)
        self._processes = processes

    def of_run(self, run_id: str) -> list[JobDetails]:
        """The workers' jobs of a Dagster run that has ended, once Ray has recorded their ends."""
        ours = [
            str(job.submission_id)
            for job in self.jobs.list_jobs()
            if str(job.submission_id).startswith(JOB_PREFIX)
            and (job.metadata or {}).get("dagster/run-id") == run_id
        ]
        return [self._ended(name) for name in ours]

    def job_of_run(self, run_id: str) -> JobDetails:
        """The job that an ended Dagster run was, where runs are jobs."""
        return self._ended(f"dagster-run-{run_id}")

    def _ended(self, name: str) -> JobDetails:
        """Ray learns of a process's end a little later than whoever it wrote to."""
        until(
            f"the end of {name}",
            lambda: self.jobs.get_job_status(name).is_terminal(),
            SECONDS_TO_RECORD,
        )
        return self.jobs.get_job_info(name)

    def workers(self) -> list[psutil.Process]:
        """The processes of workers that run now."""
        children = [child for one in self._processes for child in one.children(recursive=True)]
        return [child for child in children if _is_worker(child)]


def _is_worker(process: psutil.Process) -> bool:
    try:
        return process.cmdline()[1:3] == ["-m", "iterpref_assets.workers"]
    except psutil.NoSuchProcess:
        return False


@contextmanager
def running_cluster() -> Iterator[RayCluster]:
    """Two nodes from entry to exit."""
    # Paths of sockets have to be short.
    folder = Path(tempfile.mkdtemp(prefix="ray"))
    gcs, dashboard = free_ports(2)
    head = [
        "--head", "--port", str(gcs), "--dashboard-host", HEAD, "--dashboard-port", str(dashboard),
        "--temp-dir", str(folder), "--ray-client-server-port", str(free_ports(1)[0]),
    ]  # fmt: skip
    try:
        with ExitStack() as nodes:
            first = nodes.enter_context(_node(HEAD, folder / "head.log", head))
            until("the head", lambda: _listens(dashboard), START_SECONDS)
            other = ["--address", f"{HEAD}:{gcs}"]
            second = nodes.enter_context(_node(SECOND, folder / "second.log", other))
            cluster = RayCluster(f"http://{HEAD}:{dashboard}", [first, second])
            until("two nodes", lambda: _count_nodes(gcs) == 2, START_SECONDS)
            yield cluster
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _node(address: str, log: Path, arguments: list[str]) -> Iterator[psutil.Process]:
    listen, grpc, metrics = free_ports(3)
    command = [
        *ENDING_WITH_PARENT, str(BIN / "ray"), "start", "--block",
        "--node-ip-address", address, "--num-cpus", "1", "--num-gpus", "1",
        "--disable-usage-stats",
        "--object-store-memory", str(OBJECT_STORE_BYTES),
        "--dashboard-agent-listen-port", str(listen), "--dashboard-agent-grpc-port", str(grpc),
        "--metrics-export-port", str(metrics), *arguments,
    ]  # fmt: skip
    with log.open("wb") as stream:
        started = subprocess.Popen(
            command, stdout=stream, stderr=stream, start_new_session=True,
            env={**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"},
        )  # fmt: skip
    process = psutil.Process(started.pid)
    try:
        yield process
    finally:
        family = process.children(recursive=True)
        started.terminate()
        _, alive = psutil.wait_procs(family, timeout=STOP_SECONDS)
        for left in alive:
            left.kill()
        started.wait(STOP_SECONDS)


def _count_nodes(gcs: int) -> int:
    from ray._raylet import GcsClient

    return len(GcsClient(address=f"{HEAD}:{gcs}").get_all_node_info())


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HEAD, port)) == 0


def free_ports(count: int) -> list[int]:
    """Ports that nothing listens on."""
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind((HEAD, 0))
        return [one.getsockname()[1] for one in sockets]
