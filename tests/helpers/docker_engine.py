"""The engine that answers here, or one started for the tests and stopped by its own process id."""

import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SECONDS_TO_START = 60


def answers() -> bool:
    return subprocess.run(["docker", "info"], capture_output=True).returncode == 0


@contextmanager
def running_engine() -> Iterator[None]:
    if answers():
        yield
        return
    folder = Path(tempfile.mkdtemp(prefix="iterpref-docker-"))
    log = folder / "dockerd.log"
    with log.open("wb") as stream:
        daemon = subprocess.Popen(
            [
                "dockerd",
                *("--data-root", str(folder / "data")),
                *("--exec-root", str(folder / "exec")),
                *("--pidfile", str(folder / "pid")),
            ],
            stdout=stream,
            stderr=stream,
        )
    try:
        deadline = time.monotonic() + SECONDS_TO_START
        while not answers():
            assert daemon.poll() is None, log.read_text()[-4000:]
            assert time.monotonic() < deadline, log.read_text()[-4000:]
            time.sleep(0.5)
        yield
    finally:
        daemon.terminate()
        daemon.wait()
        # It leaves the network namespace mounted that it lent to containers.
        subprocess.run(["umount", str(folder / "exec/netns/default")], capture_output=True)
        shutil.rmtree(folder, ignore_errors=True)
