"""What holds for every launch of the code location."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import dagster as dg
import pooled_job
import pytest

import definitions

Launch = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as opened:
        yield opened


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Launch]:
    """Execute the job of one pooled step in a process of its own."""
    started = []

    def start(*words: str) -> "subprocess.Popen[bytes]":
        script = [sys.executable, pooled_job.__file__, str(tmp_path), *words]
        paths = {**os.environ, "PYTHONPATH": str(Path(definitions.__file__).parent)}
        started.append(subprocess.Popen(script, stderr=subprocess.DEVNULL, env=paths))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


def wait_until(instance: dg.DagsterInstance, *, held: int, waiting: int) -> None:
    """Until so many steps hold a slot of the pool, and so many wait for one.

    The suite's own limit ends a wait that hangs, as it ends a launch that does.
    """
    pool = instance.event_log_storage.get_concurrency_info
    while ((now := pool("gpu")).active_slot_count, now.pending_step_count) != (held, waiting):
        time.sleep(0.1)


def test_a_launch_waits_for_no_slot_of_a_run_that_was_killed(launch, instance) -> None:
    killed = launch("hang")
    wait_until(instance, held=1, waiting=0)
    killed.kill()
    killed.wait()
    assert launch().wait() == 0
    ended = [run.status for run in instance.get_runs()]
    assert ended == [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE]


def test_nor_for_a_place_in_the_queue_of_one_that_was_killed_as_it_waited(launch, instance) -> None:
    holding = launch("hang")
    wait_until(instance, held=1, waiting=0)
    waiting = launch("hang")
    wait_until(instance, held=1, waiting=1)
    for killed in (waiting, holding):
        killed.kill()
        killed.wait()
    assert launch().wait() == 0


def test_a_run_that_lives_keeps_its_slot(launch, instance) -> None:
    launch("hang")
    wait_until(instance, held=1, waiting=0)
    launch()
    wait_until(instance, held=1, waiting=1)


def test_the_location_runs_its_steps_by_that_executor() -> None:
    assert definitions.defs().executor is definitions.in_process
