"""What holds for every launch of the code location."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pooled_job

import definitions


def launch(instance: Path, *words: str) -> int:
    """Execute the job of one pooled step in a process of its own; its exit status."""
    script = [sys.executable, pooled_job.__file__, str(instance), *words]
    paths = {**os.environ, "PYTHONPATH": str(Path(definitions.__file__).parent)}
    done = subprocess.run(script, check=False, capture_output=True, timeout=120, env=paths)
    return done.returncode


def test_a_launch_waits_for_no_slot_of_a_run_that_was_killed(tmp_path: Path) -> None:
    assert launch(tmp_path, "die") == -signal.SIGKILL
    assert launch(tmp_path) == 0
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        ended = [run.status for run in instance.get_runs()]
    assert ended == [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE]


def test_the_location_runs_its_steps_by_that_executor() -> None:
    assert definitions.defs().executor is definitions.in_process
