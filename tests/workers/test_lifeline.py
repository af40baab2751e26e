"""A worker ends when whoever started it is gone, and not before."""

import subprocess
import sys
from pathlib import Path

from iterpref_assets.workers import lifeline

HOLDER = """
import sys
from pathlib import Path
from iterpref_assets.workers.lifeline import held
with held(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""
WORKER = """
import sys, time
from pathlib import Path
from iterpref_assets.workers.lifeline import end_with
end_with(Path(sys.argv[1]))
print("working", flush=True)
time.sleep(3600)
"""


def start(code: str, path: Path) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(path)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline()
    return process


def test_a_worker_ends_when_its_starter_is_killed(tmp_path: Path) -> None:
    with start(HOLDER, tmp_path / "line") as holder, start(WORKER, tmp_path / "line") as worker:
        assert worker.poll() is None
        holder.kill()
        assert worker.wait() == lifeline.ABANDONED_EXIT_CODE


def test_a_worker_works_on_while_its_starter_lives(tmp_path: Path) -> None:
    with lifeline.held(tmp_path / "line"), start(WORKER, tmp_path / "line") as worker:
        assert lifeline.is_held(tmp_path / "line")
        assert worker.poll() is None
        worker.kill()


def test_an_abandoned_lifeline_is_not_held(tmp_path: Path) -> None:
    with start(HOLDER, tmp_path / "line") as holder:
        assert lifeline.is_held(tmp_path / "line")
        holder.kill()
        holder.wait()
        assert not lifeline.is_held(tmp_path / "line")


def test_a_lifeline_that_was_let_go_is_removed(tmp_path: Path) -> None:
    with lifeline.held(tmp_path / "line"):
        pass
    assert not (tmp_path / "line").exists()
