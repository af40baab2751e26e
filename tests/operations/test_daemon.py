"""What the daemon does by itself: runs that crash are retried, and what is switched on ticks."""

import os
import signal
import time
from pathlib import Path

import dagster as dg
import pytest
from live_deployment import LiveDeployment
from seed_files import problem

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

SEEDS = dg.AssetKey("raw_seeds")


def test_a_run_whose_process_is_killed_is_failed_and_retried(
    deployment, instance, seeds: Path
) -> None:
    pipe = seeds / "stuck.jsonl"
    os.mkfifo(pipe)
    instance.add_dynamic_partitions("problem_shards", ["stuck"])
    launched = deployment.command("iterpref", "backfill", "raw_seeds", "--partitions", "stuck")
    assert launched.returncode == 0, launched.stderr
    while (pid := process_of(instance, runs(instance))) is None:
        time.sleep(0.2)
    os.kill(pid, signal.SIGKILL)
    pipe.unlink()
    pipe.write_text(problem("stuck"))
    while "stuck" not in instance.get_materialized_partitions(SEEDS):
        time.sleep(0.5)
    retried, killed = runs(instance)
    assert killed.status is dg.DagsterRunStatus.FAILURE
    assert retried.parent_run_id == killed.run_id


def test_the_daemon_reads_a_new_seed_file_and_rebuilds_what_follows(
    deployment, instance, seeds: Path
) -> None:
    for command in (
        ("dg", "launch", "--assets", "heldout_problems"),
        ("iterpref", "backfill", "raw_seeds", "--missing", "--wait"),
    ):
        done = deployment.command(*command)
        assert done.returncode == 0, done.stdout + done.stderr
    switch(deployment, "start", "rebuild_downstream")
    # What changed before its first tick is not news to it.
    while not ticks_of(deployment, "rebuild_downstream"):
        time.sleep(0.5)
    (seeds / "new.jsonl").write_text(problem("new"))
    switch(deployment, "start", "new_seeds")
    while "new" not in instance.get_materialized_partitions(dg.AssetKey("seed_problems")):
        time.sleep(1)
    for name in ("new_seeds", "rebuild_downstream"):
        switch(deployment, "stop", name)
    assert "new" in instance.get_materialized_partitions(SEEDS)


def switch(deployment: LiveDeployment, what: str, sensor: str) -> None:
    done = deployment.command("dagster", "sensor", what, sensor, "-w", "workspace.yaml")
    assert done.returncode == 0, done.stderr


def ticks_of(deployment: LiveDeployment, sensor: str) -> list[dict]:
    """The ticks that the daemon has finished."""
    query = """query Ticks($name: String!) {
      sensorOrError(sensorSelector: {
        repositoryName: "__repository__", repositoryLocationName: "iterpref", sensorName: $name
      }) { ... on Sensor { sensorState { ticks { status } } } }
    }"""
    found = deployment.ask(query, name=sensor)["sensorOrError"]["sensorState"]["ticks"]
    return [tick for tick in found if tick["status"] in {"SUCCESS", "SKIPPED"}]


def runs(instance: dg.DagsterInstance) -> list[dg.DagsterRun]:
    """The runs of backfills, the newest first."""
    return [run for run in instance.get_runs() if "dagster/backfill" in run.tags]


def process_of(instance: dg.DagsterInstance, runs: list[dg.DagsterRun]) -> int | None:
    """The process that executes the only run's step, once it does."""
    if not runs:
        return None
    pids = [
        entry.dagster_event.engine_event_data.metadata["pid"].value
        for entry in instance.all_logs(runs[0].run_id, of_type=dg.DagsterEventType.ENGINE_EVENT)
        if "pid" in entry.dagster_event.engine_event_data.metadata
    ]
    steps = instance.all_logs(runs[0].run_id, of_type=dg.DagsterEventType.STEP_START)
    return int(pids[-1]) if pids and steps else None
