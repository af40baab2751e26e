"""What the daemon does by itself: runs that crash are retried, and what is switched on ticks."""

import os
import signal
import subprocess
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import dagster as dg
import pytest
from leases import held
from live_deployment import LiveDeployment
from seed_files import problem

pytestmark = pytest.mark.slow

SEEDS = dg.AssetKey("raw_seeds")
RETRIED_AS = "dagster/auto_retry_run_id"


def test_a_run_whose_process_is_killed_is_failed_and_retried(
    deployment, instance, seeds: Path
) -> None:
    with ThreadPoolExecutor(1) as shell:
        killed, waiting = kill_a_run_of("slow", deployment, instance, seeds, shell)
        assert_is_retried(killed, instance)
        told = waiting.result()
    # What a retry made good is no failure of the backfill.
    assert told.returncode == 0, told.stdout + told.stderr


def assert_is_retried(killed: str, instance: dg.DagsterInstance) -> None:
    while not instance.get_run_by_id(killed).is_finished:
        time.sleep(0.5)
    assert instance.get_run_by_id(killed).status is dg.DagsterRunStatus.FAILURE
    while (retried := instance.get_run_by_id(killed).tags.get(RETRIED_AS)) is None:
        time.sleep(0.5)
    while not (run := instance.get_run_by_id(retried)).is_finished:
        time.sleep(0.5)
    assert run.status is dg.DagsterRunStatus.SUCCESS
    assert "slow" in instance.get_materialized_partitions(SEEDS)


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


def kill_a_run_of(
    shard: str,
    deployment: LiveDeployment,
    instance: dg.DagsterInstance,
    seeds: Path,
    shell: ThreadPoolExecutor,
) -> tuple[str, Future[subprocess.CompletedProcess[str]]]:
    """Backfills the shard and kills its run while it opens its seed file.

    Returns the run's id and the command, which waits for the backfill's end.
    """
    file = seeds / f"{shard}.jsonl"
    file.write_text(problem(shard))
    instance.add_dynamic_partitions("problem_shards", [shard])
    with held(file) as is_asked_for:
        waiting = shell.submit(
            deployment.command, "iterpref", "backfill", "raw_seeds", "--partitions", shard, "--wait"
        )
        while not is_asked_for():
            time.sleep(0.2)
        run_id, pid = executing(instance, shard)
        os.kill(pid, signal.SIGKILL)
    ended = instance.all_logs(run_id, of_type=dg.DagsterEventType.STEP_SUCCESS)
    assert not ended, "the run was over before it was killed"
    return run_id, waiting


def executing(instance: dg.DagsterInstance, shard: str) -> tuple[str, int]:
    """The shard's run and its process, which executes the step."""
    filters = dg.RunsFilter(tags={"dagster/asset_partition_range_start": shard})
    for run in instance.get_runs(filters):
        started = instance.all_logs(run.run_id, of_type=dg.DagsterEventType.STEP_START)
        events = instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ENGINE_EVENT)
        details = [entry.dagster_event.engine_event_data.metadata for entry in events]
        pids = [detail["pid"].value for detail in details if "pid" in detail]
        if started and pids:
            return run.run_id, int(pids[-1])
    raise AssertionError(f"no run of {shard} executes its step")
